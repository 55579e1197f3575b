"""How a connection of the live feed ends, and goes on: with a code that says what to do, and no event lost."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from adapters.embedded import EmbeddedDatabase
from domain.values import JsonObject
from domain.words import DEFAULT_LEDGER, Role
from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.conftest import Callers
from tests.e2e.following import following
from tests.e2e.running import Service, running
from tests.e2e.test_feed import listed
from tests.e2e.test_outage import closed, until
from tests.patience import PATIENCE

BULKY = {"reason": "x" * 30_000, "code": "denied"}


@pytest.fixture
def own_service(database_url: str) -> Iterator[Service]:
    with running(database_url, feed_heartbeat_seconds=0.5) as service:
        yield service


async def client_of(service: Service, session: ClientSession, role: Role) -> Client:
    _, key = await service.create_key(DEFAULT_LEDGER, role)
    return Client(session, service.address, key)


async def reports(client: Client, figure: str) -> bool:
    return figure in (await client.get("/metrics")).body.decode()


async def test_a_revoked_key_ends_its_connections_within_a_second(callers: Callers, module: Client) -> None:
    """4401: authenticate again. No event recorded later reaches it; other keys go on."""
    credential, key = await callers.service.create_key(callers.ledger, Role.AUDITOR)
    other = await callers.create(Role.AUDITOR)
    async with following(callers.with_key(key)) as follower, following(other) as lasting:
        assert await callers.service.revoke_key(credential)
        async with asyncio.timeout(1):
            code, reason = await follower.closed()
        assert (code, reason) == (4401, "the API key was revoked")
        receipt = await module.record(command_data())
        assert (await lasting.events(receipt["position"]))[-1]["position"] == receipt["position"]


async def test_a_key_that_expires_ends_its_connections(callers: Callers) -> None:
    """Nothing announces that but the clock."""
    expiring = await callers.create(Role.AUDITOR, lives_for=timedelta(seconds=1))
    async with following(expiring) as follower:
        assert await follower.closed() == (4401, "the API key has expired")


async def test_in_silence_it_says_how_far_it_is(module: Client, auditor: Client) -> None:
    """Behind events that do not match, so that a client need not look through them again."""
    async with following(auditor, {"source": "nobody"}) as follower:
        receipt = await module.record(command_data())
        while (frame := await follower.frame_of("heartbeat"))["position"] < receipt["position"]:
            pass
        assert frame == {"type": "heartbeat", "position": frame["position"]}


async def test_who_reads_slowly_gets_everything_and_slows_nobody(module: Client, callers: Callers) -> None:
    """Megabytes wait in the table for it, not in the service."""
    slow_one, quick_one = await callers.create(Role.AUDITOR), await callers.create(Role.AUDITOR)
    parameters = {"activity": "certificate.revoked"}
    async with (
        following(slow_one, parameters, max_size=None, max_queue=1) as slow,
        following(quick_one, parameters, max_size=None) as quick,
    ):
        receipts = []
        for _ in range(12):
            batch = await module.record_all(command_data(status="failure", failure=BULKY) for _ in range(30))
            receipts += batch
            assert len(await quick.events(batch[-1]["position"])) == 30
        async with asyncio.timeout(PATIENCE):
            while not await reports(quick_one, "feed_clients_behind 1.0"):  # noqa: ASYNC110  # It has no event.
                await asyncio.sleep(0.05)
        events = await slow.events(receipts[-1]["position"])
        assert [event["position"] for event in events] == [receipt["position"] for receipt in receipts]
        last = await module.record(command_data())
        assert [event["position"] for event in await slow.events(last["position"])] == [last["position"]]


async def test_who_stalls_for_good_is_cut_off_and_resumes(feed_service: Callers) -> None:
    """Its room is free again; from the last position that it has read on it misses nothing."""
    module, auditor = await feed_service.create(Role.MODULE), await feed_service.create(Role.AUDITOR)
    parameters = {"activity": "certificate.revoked"}
    async with following(auditor, {**parameters, "after": "0"}, max_size=None, max_queue=1) as stalled:
        batches = [
            await module.record_all(command_data(status="failure", failure=BULKY) for _ in range(30)) for _ in range(12)
        ]
        receipts = [receipt for batch in batches for receipt in batch]
        stalled_at = stalled.connection.transport
        stalled_at.pause_reading()
        async with asyncio.timeout(PATIENCE):
            while not await reports(auditor, "feed_clients 0.0"):  # noqa: ASYNC110  # It has no event.
                await asyncio.sleep(0.05)
        stalled_at.resume_reading()
        seen = [event["position"] for event in await stalled.rest()]
    async with following(auditor, {**parameters, "after": str(seen[-1])}, max_size=None) as resumed:
        seen += [event["position"] for event in await resumed.events(receipts[-1]["position"])]
    assert seen == [receipt["position"] for receipt in receipts]


async def test_who_does_not_answer_pings_is_cut_off(feed_service: Callers) -> None:
    """A peer that is gone without a word holds no room for ever."""
    auditor = await feed_service.create(Role.AUDITOR)
    address = auditor.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(address[0], int(address[1]))
    lines = [
        "GET /v1/feed HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Authorization: Bearer {auditor.key}", "", "",
    ]  # fmt: skip
    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readline()).startswith(b"HTTP/1.1 101 ")
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await reader.readexactly(10**6)
    writer.close()


async def test_a_service_that_stops_says_where_to_resume(database_url: str, session: ClientSession) -> None:
    """1001 with the position; the same query goes on elsewhere. It does not wait for who does not read."""
    with running(database_url) as first, running(database_url) as second:
        module = await client_of(first, session, Role.MODULE)
        auditor = await client_of(first, session, Role.AUDITOR)
        async with following(auditor, {"after": "0"}) as follower, following(auditor, max_queue=1) as idle:
            receipts = await module.record_all(command_data() for _ in range(20))
            events = await follower.events(receipts[-1]["position"])
            poll = asyncio.create_task(
                auditor.get("/v1/events", {"order": "recorded", "source": "nobody", "wait": "60"})
            )
            await follower.events((await module.record(command_data()))["position"])
            idle.connection.transport.pause_reading()
            first.stop()
            code, reason = await follower.closed()
            assert code == 1001
            answer = await poll
            assert (answer.status, answer.json["events"]) == (200, [])
            name, _, after = reason.partition("=")
            assert name == "after"
            assert int(after) > receipts[-1]["position"]
        elsewhere = Client(session, second.address, auditor.key)
        async with following(elsewhere, {"after": after}) as resumed:
            last = await Client(session, second.address, module.key).record(command_data())
            more = await resumed.events(last["position"])
        positions = [event["position"] for event in (*events, *more)]
        assert positions == sorted(set(positions))
        assert more[-1]["position"] == last["position"]


async def test_several_processes_each_serve_their_clients(
    own_service: Service, database_url: str, session: ClientSession
) -> None:
    """What is sent to one comes to the clients of all, whoever projects."""
    with running(database_url) as other:
        module = await client_of(own_service, session, Role.MODULE)
        auditor = await client_of(own_service, session, Role.AUDITOR)
        there = Client(session, other.address, auditor.key)
        async with following(auditor) as here_following, following(there) as there_following:
            for sender in (module, Client(session, other.address, module.key)):
                receipt = await sender.record(command_data())
                for follower in (here_following, there_following):
                    assert (await follower.events(receipt["position"]))[-1]["position"] == receipt["position"]


async def _recorded_at_last(module: Client, command: JsonObject) -> Any:
    """The receipt of a command, once the database answers again."""
    async with asyncio.timeout(PATIENCE):
        while (answer := await module.send(command)).status != 201:  # noqa: ASYNC110  # It has no event.
            await asyncio.sleep(0.02)
    return answer.json


async def test_an_outage_of_the_database_is_only_a_delay(
    own_service: Service, server: EmbeddedDatabase, database_url: str, session: ClientSession
) -> None:
    """Connections stay; what was recorded before and after comes once, in order. New ones are told to try again."""
    module = await client_of(own_service, session, Role.MODULE)
    auditor = await client_of(own_service, session, Role.AUDITOR)
    async with following(auditor, {"after": "0"}) as follower, following(auditor) as paused:
        first = await module.record(command_data())
        events = await follower.events(first["position"])
        await paused.send({"type": "pause"})
        with closed(server, database_url):
            await until(auditor, 503)
            await paused.send({"type": "filter", "filter": {"status": ["failure"]}})
            problem = (await paused.frame_of("problem"))["problem"]
            assert problem["status"] == 503
            await paused.send({"type": "resume"})
        last = await _recorded_at_last(module, command_data())
        events += await follower.events(last["position"])
        assert (await paused.events(last["position"]))[-1]["position"] == last["position"]
        await auditor.shown(last)
        assert events == [event for event in await listed(auditor) if event["position"] <= last["position"]]
