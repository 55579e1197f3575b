"""Commands over HTTP, in bodies of 1,000 lines and one by one, against a bare handler that only validates them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from statistics import median

import orjson
from aiohttp import web

from application.credentials import console
from benchmarks.bench import Bench
from benchmarks.data import END
from benchmarks.figures import Figure, Measures, compared, latencies, per_second
from benchmarks.load import in_process
from benchmarks.posting import Sending, post_commands
from domain.catalogue import CATALOGUE
from domain.command import read_command
from domain.words import DEFAULT_LEDGER, Role

_ROUNDS = 3
_AGAINST = "a bare aiohttp handler that validates"
_PATH = "/v1/commands"

_seeds = count(1)


async def run(bench: Bench) -> Sequence[Figure]:
    """Ours and the bare one take turns; the client is a process of its own, and our projectors run meanwhile."""
    streams = Sending(bench.size(60_000, 10_000), lines=1000, connections=4)
    singles = Sending(bench.size(10_000, 2_000), lines=1, connections=64)
    with bench.database("commanding") as url:
        async with bench.server(url) as (wired, address), _bare() as bare:
            caller = console(DEFAULT_LEDGER, END, "benchmarks")
            _, key = await wired.create_credential.create(caller, "benchmarks", Role.MODULE)
            return [
                await _compared(bench, "NDJSON, bodies of 1,000 lines, 4 connections", address, bare, key, streams),
                await _compared(bench, "one command a request, 64 connections", address, bare, key, singles),
            ]


async def _compared(bench: Bench, work: str, ours: str, bare: str, key: str, sending: Sending) -> Figure:
    found: dict[str, list[Measures]] = {ours: [], bare: []}
    for number in range(_ROUNDS):
        bench.tell(f"sending {sending.events:,} commands, round {number + 1} of {_ROUNDS}: {work}")
        for address in (ours, bare):
            sent = await in_process(post_commands, address + _PATH, key, sending, next(_seeds))
            found[address].append({**per_second(sending.events, sent.seconds), **latencies(sent.latencies)})
    return compared(f"POST {_PATH}, {work}", _medians(found[ours]), _AGAINST, _medians(found[bare]))


def _medians(rounds: Sequence[Measures]) -> Measures:
    return {unit: median(measures[unit] for measures in rounds) for unit in rounds[0]}


@asynccontextmanager
async def _bare() -> AsyncIterator[str]:
    """The address of a server that validates commands and keeps nothing."""
    app = web.Application(client_max_size=0)
    app.router.add_post(_PATH, _validate)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _validate(request: web.Request) -> web.Response:
    body = await request.read()
    now = datetime.now(UTC)
    understood = [read_command(orjson.loads(line), CATALOGUE, now) for line in body.split(b"\n")]
    return web.Response(body=b"%d" % len(understood))
