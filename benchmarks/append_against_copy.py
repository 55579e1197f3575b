"""Appending batches of 1,000 through the store, against a bare COPY of the same rows."""

import time
from collections.abc import Sequence
from statistics import median

import asyncpg

from adapters.postgres.connections import WRITER, open_pool
from adapters.postgres.event_columns import COLUMNS
from adapters.postgres.event_store import PostgresEventStore
from benchmarks.bench import Bench
from benchmarks.data import Estate, drafts_of
from benchmarks.figures import Figure, compared, per_second
from domain.words import DEFAULT_LEDGER, Position

_BATCH = 1000
_AGAINST = "COPY of the same rows, same indexes, own commit"

_ROW = ("ledger", *COLUMNS)
_ROWS = f"SELECT {', '.join(_ROW)} FROM audit.events WHERE ledger = $1 AND position > $2"


async def run(bench: Bench) -> Sequence[Figure]:
    """The two take turns, batch by batch, in one database; the medians of their times count."""
    events = bench.size(100_000, 20_000)
    encoding: list[float] = []
    appending: list[float] = []
    copying: list[float] = []
    with bench.database("append_against_copy") as url:
        async with open_pool(url, WRITER, 1) as pool:
            owner = await asyncpg.connect(url)
            try:
                await owner.execute("CREATE TABLE bare (LIKE audit.events INCLUDING ALL)")
                store = PostgresEventStore(pool, lambda _: None)
                estate = Estate(events)
                commands = list(estate.commands(events))
                bench.tell(f"{events // _BATCH} batches of {_BATCH:,}, ours and a bare COPY in turns")
                for first in range(0, events, _BATCH):
                    started = time.perf_counter()
                    drafts = drafts_of(commands[first : first + _BATCH], first)
                    encoded = time.perf_counter()
                    await store.append(DEFAULT_LEDGER, drafts)
                    appended = time.perf_counter()
                    encoding.append(encoded - started)
                    appending.append(appended - encoded)
                    copying.append(await _copy(owner, await _rows(owner, Position(first))))
            finally:
                await owner.close()
    ours, peer = per_second(_BATCH, median(appending)), per_second(_BATCH, median(copying))
    whole = per_second(_BATCH, median(map(sum, zip(encoding, appending, strict=True))))
    return [
        compared("append, batches of 1,000: the store alone", ours, _AGAINST, peer, wanted=0.7),
        compared("append, batches of 1,000: with validation and encoding", whole, _AGAINST, peer),
    ]


async def _rows(connection: "asyncpg.Connection[asyncpg.Record]", after: Position) -> list[asyncpg.Record]:
    """The rows that the store has just written."""
    return await connection.fetch(_ROWS, DEFAULT_LEDGER, after)


async def _copy(connection: "asyncpg.Connection[asyncpg.Record]", rows: Sequence[asyncpg.Record]) -> float:
    """The seconds that it takes; the COPY is a transaction of its own, committed before it returns."""
    records = [tuple(row) for row in rows]
    started = time.perf_counter()
    await connection.copy_records_to_table("bare", columns=_ROW, records=records)
    return time.perf_counter() - started
