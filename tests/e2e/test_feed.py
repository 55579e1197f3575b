"""The live feed: every event that matches, once, in order, live and after the fact."""

import asyncio
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession, WSMsgType

from domain.words import Role
from tests.builders import command_data, login_data
from tests.e2e.client import Client
from tests.e2e.conftest import Callers
from tests.e2e.following import following
from tests.e2e.seeding import varied_commands

REVOKED = {"activity": "certificate.revoked"}


async def listed(auditor: Client, parameters: dict[str, str] | None = None) -> list[Any]:
    """All events of a query, by position."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = await auditor.page({**(parameters or {}), **cursor, "order": "recorded", "limit": "1000"})
        if not page["events"]:
            return found
        found += page["events"]
        cursor = {"cursor": page["next"]}


async def test_new_events_come_as_they_are_recorded(module: Client, auditor: Client) -> None:
    """With the position, and as a query shows them."""
    async with following(auditor, REVOKED) as follower:
        assert (await follower.frame())["type"] == "caught_up"
        for _ in range(3):
            receipt = await module.record(command_data())
            frame = await follower.frame()
            assert (frame["type"], frame["position"]) == ("event", receipt["position"])
            assert frame["event"] == (await auditor.get(f"/v1/events/{receipt['event_id']}")).json["event"]


async def test_the_past_comes_first_then_what_is_new(module: Client, auditor: Client) -> None:
    """From the beginning of the ledger, or from any position; all that a query finds and nothing else."""
    receipts = await module.record_all(varied_commands(1200))
    await auditor.shown(receipts[-1])
    for after in (0, receipts[700]["position"], receipts[-1]["position"]):
        async with following(auditor, {"after": str(after), "entity": "certificate"}) as follower:
            assert follower.after == after
            caught_up = await follower.events(receipts[-1]["position"])
            new = await module.record_all(varied_commands(8))
            found = caught_up + await follower.events(new[-1]["position"])
            wanted = [e for e in await listed(auditor, {"entity": "certificate"}) if e["position"] > after]
            assert found == [event for event in wanted if event["position"] <= new[-1]["position"]]


async def test_neither_gap_nor_duplicate_at_the_switch(module: Client, auditor: Client) -> None:
    """Followers begin at every moment of a stream of events, from every place in it."""
    stop = asyncio.Event()

    async def stream() -> int:
        position = 0
        while not stop.is_set():
            position = (await module.record_all(varied_commands(30)))[-1]["position"]
        return position

    async def follow(number: int, end: "asyncio.Future[int]") -> list[int]:
        await asyncio.sleep(number * 0.02)
        async with following(auditor, {"after": str(number), "module": "certificate_operations"}) as follower:
            await follower.frame_of("caught_up")
        async with following(auditor, {"after": str(number), "module": "certificate_operations"}) as follower:
            return [event["position"] for event in await follower.events(await end)]

    first = await module.record_all(varied_commands(40))
    await auditor.shown(first[-1])
    end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    streaming = asyncio.create_task(stream())
    tasks = [asyncio.create_task(follow(number, end)) for number in range(25)]
    await asyncio.sleep(1)
    stop.set()
    last = await streaming
    await module.record(command_data())  # It matches, so each follower is told of a position behind the last.
    end.set_result(last)
    wanted = [event["position"] for event in await listed(auditor, {"module": "certificate_operations"})]
    for number, task in enumerate(tasks):
        assert await task == [position for position in wanted if number < position <= last]


async def test_a_filter_is_changed_on_the_way(module: Client, auditor: Client) -> None:
    """What comes behind the answer follows the new one, from where the old one was or from a position on."""
    async with following(auditor, REVOKED) as follower:
        first = await module.record(command_data())
        assert [event["position"] for event in await follower.events(first["position"])] == [first["position"]]
        await follower.send({"type": "filter", "filter": {"activity": ["user.logged_in"]}})
        changed = await follower.frame_of("subscribed")
        assert changed["after"] >= first["position"]
        assert changed["filter"] == {"activity": ["user.logged_in"]}
        await module.record(command_data())
        second = await module.record(login_data())
        assert [event["position"] for event in await follower.events(second["position"])] == [second["position"]]
        follower.seen = 0
        await follower.send({"type": "filter", "filter": {"activity": ["certificate.revoked"]}, "after": 0})
        assert (await follower.frame_of("subscribed"))["after"] == follower.seen == 0
        third = await module.record(command_data())
        assert len(await follower.events(third["position"])) == 3


async def test_who_pauses_misses_nothing(module: Client, auditor: Client) -> None:
    """Nothing comes until it resumes, however often it says so."""
    async with following(auditor, REVOKED) as follower:
        await follower.frame_of("caught_up")
        await follower.send({"type": "pause"})
        await follower.send({"type": "pause"})
        await follower.send({"type": "nonsense"})
        assert (await follower.frame())["type"] == "problem", "the pause was understood before this"
        receipts = await module.record_all(command_data() for _ in range(20))
        await auditor.shown(receipts[-1])
        await follower.send({"type": "nonsense"})
        assert (await follower.frame())["type"] == "problem", "and no event came before this"
        await follower.send({"type": "resume"})
        await follower.send({"type": "resume"})
        events = await follower.events(receipts[-1]["position"])
        assert [event["position"] for event in events] == [receipt["position"] for receipt in receipts]


async def test_a_user_follows_only_what_they_did(callers: Callers, module: Client) -> None:
    """In the past, live, and whatever they filter for."""
    mine, others = {"id": "me", "kind": "user"}, {"id": "me2", "kind": "user"}
    before = await module.record_all(command_data(actor=actor) for actor in (others, mine, others))
    user = await callers.create(Role.USER, actor_id="me")
    async with following(user, {"after": "0", "user": "me"}) as follower:
        await follower.send({"type": "filter", "filter": {"user": ["m"]}, "after": 0})
        await follower.frame_of("subscribed")
        after = await module.record_all(command_data(actor=actor) for actor in (others, mine, others, mine))
        events = await follower.events(after[-1]["position"])
        assert {event["actor"]["id"] for event in events} == {"me"}
        positions = {event["position"] for event in events}
        assert {before[1]["position"], after[1]["position"], after[3]["position"]} <= positions


async def test_ledgers_do_not_mix(callers: Callers, module: Client, auditor: Client) -> None:
    """Positions are the same; events are not."""
    other = callers.elsewhere()
    other_module, other_auditor = await other.create(Role.MODULE), await other.create(Role.AUDITOR)
    async with following(auditor) as follower, following(other_auditor) as other_follower:
        await other_module.record_all(command_data() for _ in range(5))
        last = await module.record(command_data())
        other_last = await other_module.record(command_data())
        assert {event["ledger"] for event in await follower.events(last["position"])} == {callers.ledger}
        assert {e["ledger"] for e in await other_follower.events(other_last["position"])} == {other.ledger}


async def test_to_follow_is_recorded(module: Client, auditor: Client) -> None:
    """With the filter and the position, and again when the filter changes; it may name a person."""
    receipt = await module.record(command_data())
    async with following(auditor, {"user": "Asha Rao", "after": str(receipt["position"])}) as follower:
        await follower.send({"type": "filter", "filter": {"ip": ["10.0.0.1"]}})
        await follower.frame_of("subscribed")
        last = await module.record(command_data())
        await auditor.shown(last)
    first, second = await listed(auditor, {"activity": "audit_feed.subscribed"})
    assert first["details"] == {"filters": {"user": ["Asha Rao"]}, "after": receipt["position"]}
    assert second["details"]["filters"] == {"ip": ["10.0.0.1"]}
    assert auditor.key is not None
    assert first["source"] == auditor.key.split("_")[2]
    assert "Asha" not in (await auditor.get(f"/v1/events/{first['event_id']}")).json["record"]


async def test_another_library_follows_as_well(module: Client, auditor: Client, session: ClientSession) -> None:
    """aiohttp's own; and nothing is compressed, since a frame is the same for all."""
    headers = {"Authorization": f"Bearer {auditor.key}"}
    url = f"{auditor.address}/v1/feed?activity=certificate.revoked"
    async with session.ws_connect(url, headers=headers, compress=15) as socket:
        assert not socket.compress
        receipt = await module.record(command_data())
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            frame = orjson.loads(message.data)
            if frame["type"] == "event":
                break
        assert frame["position"] == receipt["position"]


async def test_figures_tell_of_followers(module: Client, auditor: Client) -> None:
    """How many there are, how many are behind, and how much was sent."""
    async with following(auditor) as follower:
        await follower.events((await module.record(command_data()))["position"])
        figures = (await auditor.get("/metrics")).body.decode()
        values = dict(line.rsplit(" ", 1) for line in figures.splitlines() if not line.startswith("#"))
        assert float(values["certinext_audit_feed_clients"]) >= 1
        assert float(values["certinext_audit_feed_clients_behind"]) >= 0
        assert float(values["certinext_audit_feed_events_total"]) >= 1


@pytest.mark.parametrize("size", [100, 200, 40_000, 200_000])
async def test_frames_of_every_length(module: Client, auditor: Client, size: int) -> None:
    """RFC 6455 has three ways to write a length."""
    async with following(auditor, REVOKED, max_size=None) as follower:
        reason = {"code": "denied", "reason": "x" * min(size, 30_000)}
        affected = [{"type": "domain", "id": f"d-{n}"} for n in range(min(size // 1000, 90))]
        receipt = await module.record(command_data(status="failure", failure=reason, also_affected=affected or None))
        (event,) = await follower.events(receipt["position"])
        assert event["failure"] == reason
