"""The memory of the server while commands stream in over four connections whose bodies have no end in sight."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import uvloop
from aiohttp import ClientSession, ClientTimeout

from application.credentials import console
from benchmarks.bench import Bench
from benchmarks.data import BLOCK, END, Estate
from benchmarks.figures import Figure, at_most
from benchmarks.load import in_process
from domain.words import DEFAULT_LEDGER, Role

_CONNECTIONS = 4
_FIRST = 400
_PIECE = 100
_MOST_MIB = 150
_TIMEOUT = ClientTimeout(total=900)
_SERVE = "from adapters.cli.main import main; main()"


async def run(bench: Bench) -> Sequence[Figure]:
    """From what it takes after its first few commands to the most it ever took, projectors included."""
    events = bench.size(1_000_000, 100_000)
    with bench.database("streaming") as url:
        async with bench.trail(url) as wired:
            caller = console(DEFAULT_LEDGER, END, "benchmarks")
            _, key = await wired.create_credential.create(caller, "benchmarks", Role.MODULE)
        async with _service(url, bench.folder / "streaming.log") as (process, address):
            await in_process(stream_commands, address, key, _FIRST, "first")
            idle = _bytes(process.pid, "VmRSS")
            bench.tell(f"streaming {events:,} commands")
            await in_process(stream_commands, address, key, events, "then")
            most = _bytes(process.pid, "VmHWM")
    more = (most - idle) / 2**20
    return [
        at_most(f"memory of the server above idle ({idle >> 20} MiB) for {events:,} commands", "MiB", more, _MOST_MIB)
    ]


@asynccontextmanager
async def _service(url: str, log: Path) -> AsyncIterator[tuple[Process, str]]:
    """`certinext-audit serve` in a process of its own, and where it listens."""
    settings = {"CERTINEXT_AUDIT_DATABASE_URL": url, "CERTINEXT_AUDIT_PORT": "0"}
    with log.open("wb") as complaints:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _SERVE, "serve", env=os.environ | settings, stdout=PIPE, stderr=complaints
        )
        try:
            assert process.stdout is not None
            line = await process.stdout.readline()
            yield process, line.split()[-1].decode()
        finally:
            process.terminate()
            await process.wait()


def _bytes(pid: int, name: str) -> int:
    """A figure of the process's memory: `VmRSS` is now, `VmHWM` the most it ever was."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status[name].split()[0]) * 1024


def stream_commands(address: str, key: str, events: int, name: str) -> None:
    """Send so many commands over four connections at once, each in one body, and see that each is recorded."""
    uvloop.run(_stream_all(address, key, events // _CONNECTIONS, name))


async def _stream_all(address: str, key: str, lines: int, name: str) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    async with ClientSession(address, timeout=_TIMEOUT, headers=headers) as session, asyncio.TaskGroup() as tasks:
        for number in range(_CONNECTIONS):
            tasks.create_task(_stream(session, lines, f"{name}-{number}"))


async def _stream(session: ClientSession, lines: int, name: str) -> None:
    receipts = 0
    async with session.post("/v1/commands", data=_body(lines, name)) as response:
        async for line in response.content:
            receipts += b'"event_id"' in line
    assert receipts == lines, f"{receipts} of {lines} commands were recorded"


async def _body(lines: int, name: str) -> AsyncIterator[bytes]:
    """The commands of one block, again and again, each time under other ids."""
    block = [
        orjson.dumps(command | {"command_id": "COMMAND"}).split(b"COMMAND") for command in Estate(BLOCK).commands(BLOCK)
    ]
    for first in range(0, lines, _PIECE):
        numbers = range(first, min(first + _PIECE, lines))
        yield b"".join(
            b"%s%s-%d%s\n" % (before, name.encode(), n, after) for n in numbers for before, after in [block[n % BLOCK]]
        )
