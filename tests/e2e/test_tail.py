"""`certinext-audit tail`: in a terminal, in a pipe, with a server and without."""

import asyncio
import os
import pty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import psycopg
import pytest
from aiohttp import ClientSession

from adapters.embedded import EmbeddedDatabase
from domain.words import DEFAULT_LEDGER, Role
from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.processes import Running, discard, run, start
from tests.e2e.running import Service, running
from tests.e2e.test_outage import closed
from tests.patience import PATIENCE


@dataclass(frozen=True)
class Tail:
    """The command, and the end of the pipe from which its output is read, unless a test has that."""

    running: Running
    out: asyncio.StreamReader

    async def line(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.out.readline()

    async def lines(self, count: int) -> list[Any]:
        """The next lines, as JSON."""
        return [orjson.loads(await self.line()) for _ in range(count)]

    async def interrupted(self) -> int:
        """The code with which it ends after Ctrl-C."""
        return (await self.running.interrupted()).code


@asynccontextmanager
async def tailing(database_url: str, *arguments: str) -> AsyncIterator[Tail]:
    """The command writing into a pipe; it ends with the block at the latest."""
    with pipe() as (path, descriptor):
        out = asyncio.StreamReader()
        read = partial(asyncio.StreamReaderProtocol, out)
        reading, _ = await asyncio.get_running_loop().connect_read_pipe(read, os.fdopen(descriptor, "rb"))
        with writing_to(path, database_url, *arguments) as running:
            yield Tail(running, out)
        reading.close()


@contextmanager
def writing_to(path: str, database_url: str, *arguments: str) -> Iterator[Running]:
    """The command writing to a pipe or a terminal that is read elsewhere."""
    running = start("tail", *arguments, settings={"database_url": database_url}, out=path)
    try:
        yield running
    finally:
        discard(running)


@contextmanager
def pipe() -> Iterator[tuple[str, int]]:
    """The path of a pipe, and the descriptor of the end that is read."""
    with TemporaryDirectory() as folder:
        path = f"{folder}/pipe"
        os.mkfifo(path)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        yield path, descriptor


@pytest.fixture
async def module(database_url: str, session: ClientSession) -> AsyncIterator[Client]:
    """A sender to a service on the test's own database."""
    with running(database_url) as service:
        yield await _sender(service, session)


async def _sender(service: Service, session: ClientSession) -> Client:
    _, key = await service.create_key(DEFAULT_LEDGER, Role.MODULE)
    return Client(session, service.address, key)


async def test_events_come_one_a_line(database_url: str, module: Client) -> None:
    """From a position on, those that match, as they are recorded; Ctrl-C ends it well."""
    receipts = await module.record_all(command_data() for _ in range(3))
    after = str(receipts[0]["position"])
    async with tailing(
        database_url, "--json", "--after", after, "--activity", "certificate.revoked", "--user", "asha", "--user", "x"
    ) as process:
        past = await process.lines(2)
        new = await module.record(command_data())
        (event,) = await process.lines(1)
        wanted = [receipt["position"] for receipt in (*receipts[1:], new)]
        assert [one["position"] for one in (*past, event)] == wanted
        assert event["description"] == "Asha Rao revoked www.example.com"
        assert await process.interrupted() == 0


async def test_it_is_recorded_and_begins_with_what_is_new(database_url: str, module: Client) -> None:
    """Whoever follows, at the console as well."""
    receipt = await module.record(command_data())
    async with tailing(database_url, "--json") as process:
        (subscribed,) = await process.lines(1)
        assert subscribed["activity"] == "audit_feed.subscribed"
        assert subscribed["source"] == "console"
        assert subscribed["details"] == {"filters": {}, "after": receipt["position"]}


async def test_it_needs_no_server(database_url: str, session: ClientSession) -> None:
    """What a service recorded and did not show any more before it ended is shown."""
    with running(database_url) as service:
        receipts = await (await _sender(service, session)).record_all(command_data() for _ in range(3))
    async with tailing(database_url, "--json", "--after", "0", "--activity", "certificate.revoked") as process:
        assert [event["position"] for event in await process.lines(3)] == [one["position"] for one in receipts]


async def test_an_outage_is_only_a_delay(database_url: str, server: EmbeddedDatabase, session: ClientSession) -> None:
    """It goes on where it was."""
    with running(database_url) as service:
        module = await _sender(service, session)
        async with tailing(database_url, "--json", "--activity", "certificate.revoked", "--after", "0") as process:
            first = await module.record(command_data())
            found = await process.lines(1)
            with closed(server, database_url):
                assert (await module.send(command_data())).status == 503
            async with asyncio.timeout(PATIENCE):
                while (answer := await module.send(command_data())).status != 201:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            found += await process.lines(1)
            assert [event["position"] for event in found] == [first["position"], answer.json["position"]]
            assert await process.interrupted() == 0


async def test_a_pipe_that_is_closed_ends_it_well(database_url: str, module: Client) -> None:
    """As `head` closes it: without a complaint."""
    await module.record_all(command_data() for _ in range(400))
    with pipe() as (path, reader), writing_to(path, database_url, "--json", "--after", "0") as process:
        await _some_of(reader)
        os.close(reader)
        ended = await process.end()
    assert (ended.code, ended.complaint) == (0, "")


async def test_a_pipe_that_nobody_reads_does_not_keep_it(database_url: str, module: Client) -> None:
    """Ctrl-C ends it while it waits for room."""
    await module.record_all(command_data() for _ in range(400))
    with pipe() as (path, reader), writing_to(path, database_url, "--json", "--after", "0") as process:
        await _some_of(reader)
        assert (await process.interrupted()).code == 0
        os.close(reader)


async def _some_of(descriptor: int) -> None:
    """Read a little, once something is there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(BlockingIOError):  # Somebody has it open, and has written nothing yet.
                if os.read(descriptor, 1):
                    return
            await asyncio.sleep(0.02)


async def test_people_read_coloured_lines(database_url: str, module: Client) -> None:
    """In a terminal; what a stranger wrote cannot command it."""
    await module.record(command_data(actor={"id": "u-1", "kind": "user", "full_name": "Eve \x1b[31m"}))
    await module.record(command_data(status="failure", failure={"code": "denied", "reason": "no"}))
    leader, follower = pty.openpty()
    shown, terminal = b"", os.ttyname(follower)
    with writing_to(terminal, database_url, "--after", "0", "--activity", "certificate.revoked") as process:
        async with asyncio.timeout(PATIENCE):
            while shown.count(b"\n") < 2:
                shown += await asyncio.to_thread(os.read, leader, 4096)
        assert (await process.interrupted()).code == 0
    os.close(follower)
    os.close(leader)
    text = shown.decode()
    assert "\x1b[32msuccess" in text
    assert "\x1b[1;31mfailure" in text
    assert "Eve \\x1b[31m revoked www.example.com" in text


async def test_without_a_terminal_there_are_no_colours(database_url: str, module: Client) -> None:
    """Lines for people go into files as they are."""
    await module.record(command_data())
    async with tailing(database_url, "--after", "0", "--activity", "certificate.revoked") as process:
        line = (await process.line()).decode()
        assert "\x1b" not in line
        assert line.split()[-6:] == ["success", "certificate.revoked", "Asha", "Rao", "revoked", "www.example.com"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--status", "perhaps"], ["--status", "'success' or 'failure'"]),
        (["--from", "yesterday", "--ip", "x"], ["--from", "RFC 3339", "--ip"]),
        (["--from", "2026-11-24T10:00:00Z", "--to", "2026-11-24T10:00:00Z"], ["--from", "before"]),
        (["--after", "7"], ["--after", "beyond the ledger's last position, which is 0"]),
        (["--after", "-1"], ["after"]),
        (["--colour", "red"], ["colour"]),
        (["--ledger", "No!"], ["ledger"]),
    ],
)
async def test_what_does_not_fit_is_told(shared_database_url: str, arguments: list[str], words: list[str]) -> None:
    """And nothing is recorded."""
    ended = await run("tail", *arguments, settings={"database_url": shared_database_url})
    assert (ended.code, ended.out) == (2, "")
    for word in words:
        assert word in ended.complaint
    with psycopg.connect(shared_database_url) as connection:
        assert connection.execute("SELECT count(*) FROM audit.events").fetchone() == (0,)
