"""Thousands follow while events stream in, some of them badly, and a server is killed: nobody misses an event."""

import asyncio
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession, ClientTimeout, TCPConnector

from domain.words import Role
from tests.builders import command_data, login_data
from tests.chaos.conftest import FULL
from tests.chaos.feed_clients import FeedClient, Habit
from tests.chaos.service import ServiceProcess, service_process
from tests.e2e.client import LINES, Client

_SEED = 20261125
_ACTORS, _CERTIFICATES = 200, 300
_BATCH = 20

Query = tuple[tuple[str, str], ...]


@pytest.fixture
def many_files() -> Iterator[None]:
    """Leave to have as many connections as the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def queries(random: Random, count: int) -> list[Query]:
    """Filters of all kinds, most of them narrow, some for everything."""
    made: list[Query] = [(), (("status", "failure"),), (("module", "user_activity"), ("status", "failure"))]
    for _ in range(40):
        actor, certificate = f"u-{random.randrange(100, _ACTORS)}", f"c-{random.randrange(_CERTIFICATES)}"
        made += [
            (("user", actor.upper()),),
            (("user", f"user {actor[2:]}"), ("activity", "user.logged_in")),
            (("entity", f"certificate:{certificate}"),),
            (("entity", f"certificate:{certificate}"), ("user", actor)),
            (("ip", f"10.1.2.{random.randrange(_ACTORS)}"),),
            (("correlation_id", f"order-{random.randrange(500)}"),),
        ]
    return [*made[:3], *random.choices(made[3:], k=count - 3)]


def commands(random: Random) -> list[dict[str, Any]]:
    made = []
    for _ in range(_BATCH):
        number = random.randrange(_ACTORS)
        actor = {"id": f"u-{number}", "full_name": f"User {number}", "kind": "user", "ip": f"10.1.2.{number}"}
        changes: dict[str, Any] = {"actor": actor, "correlation_id": f"order-{random.randrange(500)}"}
        if random.random() < 0.05:
            changes |= {"status": "failure", "failure": {"code": "denied", "reason": "Not today."}}
        if random.random() < 0.5:
            made.append(login_data(**changes))
        else:
            entity = {"type": "certificate", "id": f"c-{random.randrange(_CERTIFICATES)}"}
            made.append(command_data(**changes, entity=entity))
    return made


@pytest.mark.usefixtures("many_files")
async def test_everybody_gets_exactly_what_their_query_returns(
    tmp_path: Path, rounds: int, report: Callable[[str], None]
) -> None:
    """In order, once, whatever their connections and the servers go through."""
    full = rounds >= FULL
    clients, seconds, rate = (2000, 60, 1000) if full else (60, 4, 200)
    random = Random(_SEED)
    settings = {"max_feeds": "100000", "feed_heartbeat_seconds": "2", "feed_patience_seconds": "20"}
    async with (
        service_process(tmp_path, workers=2, **settings) as service,
        ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=None)) as session,
    ):
        sender = Client(session, service.address, await service.create_key(Role.MODULE))
        auditor = Client(session, service.address, await service.create_key(Role.AUDITOR))
        async with ClientSession(
            connector=TCPConnector(limit=0),
            timeout=ClientTimeout(total=None),
            headers={"Authorization": f"Bearer {auditor.key}"},
        ) as following:
            over, end = asyncio.Event(), asyncio.get_running_loop().create_future()
            url = f"{service.address}/v1/feed"
            crowd = [
                FeedClient(following, url, query, Habit(number % (clients // 10) == 0, number % (clients // 20) == 1))
                for number, query in enumerate(queries(random, clients))
            ]
            async with asyncio.timeout(900), asyncio.TaskGroup() as tasks:
                for number, client in enumerate(crowd):
                    tasks.create_task(client.follow(over, end))
                    if number % 50 == 0:
                        await asyncio.sleep(0.1)
                sent = await _stream(sender, service, random, seconds, rate)
                over.set()
                end.set_result(sent)
        assert [client.wrong for client in crowd if client.wrong] == []
        expected = {query: await _listed(auditor, query, sent) for query in {client.query for client in crowd}}
        for client in crowd:
            found = [position for position in client.positions if position <= sent]
            assert found == expected[client.query], client.query
        frames = sum(len(client.positions) for client in crowd)
        codes = sorted({code for client in crowd for code in client.codes})
        report(
            f"{clients} clients followed {sent} events: {frames} frames, "
            f"{sum(client.connections for client in crowd)} connections, ended with {codes}"
        )
        assert frames > sent
        assert sum(client.connections for client in crowd) > clients + clients // 4, "a server was killed"


async def _stream(sender: Client, service: ServiceProcess, random: Random, seconds: float, rate: float) -> int:
    """Send at a steady rate; a worker is killed in the midst of it. The last position."""
    loop = asyncio.get_running_loop()
    started, last, count, killed = loop.time(), 0, int(seconds * rate / _BATCH), False
    for number in range(count):
        if number >= count / 2 and not killed:
            await service.kill_worker()
            killed = True
        body = b"\n".join(map(orjson.dumps, commands(random)))
        last = max(last, await _delivered(sender, body))
        await asyncio.sleep(max(0.0, started + number * _BATCH / rate - loop.time()))
    return last


async def _delivered(sender: Client, body: bytes) -> int:
    """Send until all lines are receipts; the last position."""
    while True:
        try:
            answer = await sender.send(body, LINES)
        except OSError:
            continue  # That server was killed: another one answers.
        if answer.status == 200 and all("position" in line for line in answer.lines):
            return max(int(line["position"]) for line in answer.lines)
        await asyncio.sleep(0.05)


async def _listed(auditor: Client, query: Query, until: int) -> list[int]:
    """The positions that the query returns, up to one."""
    found: list[int] = []
    cursor: str | None = None
    while True:
        more = [] if cursor is None else [("cursor", cursor)]
        page = await auditor.page([*query, ("order", "recorded"), ("limit", "1000"), *more])
        positions = [event["position"] for event in page["events"]]
        found += [position for position in positions if position <= until]
        # A page looks through so many positions only: it may be empty and not be the last.
        if page["next"] == cursor or (positions and positions[-1] > until):
            return found
        cursor = page["next"]
