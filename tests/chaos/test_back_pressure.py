"""More comes than can be recorded: what is beyond the bound is refused at once, and memory stays bounded."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from aiohttp import ClientSession, ClientTimeout, TCPConnector

from domain.words import DEFAULT_LEDGER, Role
from tests.builders import command_data
from tests.chaos.conftest import FULL
from tests.chaos.process_tree import resident_bytes
from tests.chaos.service import service_process
from tests.e2e.client import LINES, Answer, Client
from tests.e2e.running import running

BOUND = 20
SENT = 100
AT_ONCE_SECONDS = 5
STREAMED = 1_000_000
CONNECTIONS = 4
MOST_MORE_BYTES = 150 * 1024 * 1024


async def test_beyond_the_bound_nothing_is_half_taken(database_url: str) -> None:
    """With the ledger locked: the bound's number waits, the rest is told to come again, and then each is there once."""
    commands = [command_data() for _ in range(SENT)]
    lines = b"\n".join(orjson.dumps(command_data()) for _ in range(BOUND + 1))
    with (
        running(database_url, max_waiting=BOUND) as service,
        psycopg.connect(database_url, autocommit=True) as owner,
    ):
        _, key = await service.create_key(DEFAULT_LEDGER, Role.MODULE)
        async with ClientSession(connector=TCPConnector(limit=0)) as session:
            client = Client(session, service.address, key)
            first = (await client.record(command_data()))["position"]
            with owner.transaction():
                owner.execute("SELECT * FROM audit.heads FOR UPDATE")
                sending = [asyncio.create_task(client.send(command)) for command in commands]
                refused = await _first_to_end(sending, SENT - BOUND)
                assert len(_refusals(await client.send(lines, LINES))) == BOUND + 1
                assert (await client.get("/healthz")).status == 200
            assert [(answer.status, answer.kind) for answer in refused] == [(503, "overloaded")] * (SENT - BOUND)
            assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
            taken = [answer for answer in await asyncio.gather(*sending) if answer not in refused]
            assert [answer.status for answer in taken] == [201] * BOUND

            receipts = [await client.record(command) for command in commands]
            receipts += await client.record_all(map(orjson.loads, lines.splitlines()[:BOUND]))
        assert [receipt["duplicate"] for receipt in receipts].count(True) == BOUND
        positions = sorted(receipt["position"] for receipt in receipts)
        assert positions == list(range(first + 1, first + 1 + SENT + BOUND))
        assert owner.execute("SELECT max(position) FROM audit.events").fetchone() == (positions[-1],)


async def _first_to_end(sending: list["asyncio.Task[Answer]"], count: int) -> list[Answer]:
    """The answers that come first, which must come at once."""
    async with asyncio.timeout(AT_ONCE_SECONDS):
        while sum(task.done() for task in sending) < count:  # noqa: ASYNC110  # Many tasks have no common event.
            await asyncio.sleep(0.01)
    return [task.result() for task in sending if task.done()]


def _refusals(answer: Answer) -> list[Any]:
    """What a body of lines was told, line by line."""
    problems = answer.lines if answer.status == 200 else [answer.json] * (BOUND + 1)
    assert {problem["status"] for problem in problems} == {503}
    return problems


async def test_memory_is_bounded_while_commands_stream_in(
    tmp_path: Path, rounds: int, report: Callable[[str], None]
) -> None:
    """Over four connections whose bodies have no end in sight; all of them are recorded."""
    if rounds < FULL:
        pytest.skip("a million commands take minutes: `make chaos`")
    async with (
        service_process(tmp_path, workers=1) as service,
        ClientSession(timeout=ClientTimeout(total=900)) as session,
    ):
        client = Client(session, service.address, await service.create_key(Role.MODULE))
        await client.record_all(command_data() for _ in range(2000))
        idle = resident_bytes(service.parent.pid)
        peak = asyncio.create_task(_peak_of(service.parent.pid))
        started = asyncio.get_running_loop().time()
        bodies = [_stream(client, number, STREAMED // CONNECTIONS) for number in range(CONNECTIONS)]
        recorded = sum(await asyncio.gather(*bodies))
        seconds = asyncio.get_running_loop().time() - started
        peak.cancel()
        more = await peak - idle
        report(
            f"{recorded} lines in {seconds:.1f} s; memory {idle / 2**20:.0f} MiB, and {more / 2**20:.0f} at most on top"
        )
        assert recorded == STREAMED
        assert more < MOST_MORE_BYTES
        with psycopg.connect(service.owner_url) as owner:
            found = owner.execute("SELECT count(*), count(DISTINCT command_id), max(position) FROM audit.events")
            (counted,) = found.fetchall()
            assert counted == (counted[0],) * 3
            assert counted[0] >= STREAMED + 2000


async def _stream(client: Client, number: int, lines: int) -> int:
    """Send lines in one body; how many receipts came."""
    url, receipts = client.address + "/v1/commands", 0
    headers = {"Authorization": f"Bearer {client.key}", "Content-Type": LINES}
    async with client.session.post(url, data=_body(number, lines), headers=headers) as response:
        assert response.status == 200
        async for line in response.content:
            receipts += b'"event_id"' in line
    return receipts


async def _body(number: int, lines: int) -> AsyncIterator[bytes]:
    before, after = orjson.dumps(command_data(command_id="COMMAND")).split(b"COMMAND")
    for start in range(0, lines, 100):
        numbers = range(start, min(start + 100, lines))
        yield b"".join(b"%sstream-%d-%d%s\n" % (before, number, n, after) for n in numbers)


async def _peak_of(pid: int) -> int:
    """The most memory that the process has had until we are cancelled."""
    peak = 0
    try:
        while True:
            peak = max(peak, resident_bytes(pid))
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        return peak
