"""The tree and its checkpoints against the pace of appends, and proofs in a ledger of millions."""

import time
from collections.abc import Sequence
from random import Random

import psycopg

from adapters.bootstrap import Trail
from adapters.postgres.connections import PROJECTOR, WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.ledger_records import PostgresLedgerRecords
from application.credentials import console
from benchmarks.bench import Bench
from benchmarks.data import END, Estate, drafts_of
from benchmarks.figures import Figure, Measures, compared, latencies, per_second
from benchmarks.load import get_in_turn, in_process
from benchmarks.projecting import catch_up
from benchmarks.synthetic import append_synthetic
from domain.catalogue import CATALOGUE
from domain.mapper import RecordMapper
from domain.words import DEFAULT_LEDGER, Position, Role
from projections import generations
from projections.batches import Batches
from projections.merkle import MerkleProjection
from projections.projector import Projector

_PASSED_BY = """
INSERT INTO reading.tracking (ledger, projection, generation, position)
SELECT ledger, projection, generation, position FROM reading.generations CROSS JOIN audit.heads WHERE projection <> $1
"""
"""For the other projections there is nothing to decode in synthetic events."""

_BATCH = 1000
_CHUNK = 250_000
_WANTED_MS = 5.0
_PATIENCE = 30.0


async def run(bench: Bench) -> Sequence[Figure]:
    return [await _pace(bench), *await _proofs(bench)]


async def _pace(bench: Bench) -> Figure:
    """Append, then keep the tree of the same events, one after the other in one process."""
    events = bench.size(100_000, 20_000)
    with bench.database("trees") as url:
        async with open_pool(url, WRITER, 1) as pool, open_pool(url, PROJECTOR, 2) as projector_pool:
            store = PostgresEventStore(pool, lambda _: None)
            commands = list(Estate(events).commands(events))
            bench.tell(f"appending {events:,} events, then keeping their tree")
            appending = 0.0
            for first in range(0, events, _BATCH):
                drafts = drafts_of(commands[first : first + _BATCH], first)
                started = time.perf_counter()
                await store.append(DEFAULT_LEDGER, drafts)
                appending += time.perf_counter() - started
            async with projector_pool.acquire() as connection:
                generation = await generations.ensure(connection, MerkleProjection())
            batches = Batches(PostgresLedgerRecords(projector_pool), RecordMapper(CATALOGUE))
            projector = Projector(MerkleProjection(), generation, projector_pool, batches)
            started = time.perf_counter()
            position = Position(0)
            while (reached := await projector.advance(DEFAULT_LEDGER, position)) != position:
                position = reached
            seconds = time.perf_counter() - started
    return compared(
        f"keep the tree of {events:,} events",
        per_second(events, seconds),
        "append, batches of 1,000: the store alone",
        per_second(events, appending),
        wanted=1,
    )


async def _proofs(bench: Bench) -> Sequence[Figure]:
    """Inclusion proofs of random positions, one after the other, through the server and without HTTP."""
    events, requests = bench.size(5_000_000, 500_000), bench.size(2000, 400)
    with bench.database("millions") as url:
        _fill(bench, url, events)
        async with bench.trail(url) as wired:
            await wired.background.runner.make_tables()
            await wired.projector_pool.execute(_PASSED_BY, MerkleProjection.name)
            bench.tell("keeping the tree")
            tree = await catch_up(wired, [MerkleProjection()])
        async with bench.server(url, background=False) as (wired, address):
            signing = await _signed(wired)
            _, key = await wired.create_credential.create(
                console(DEFAULT_LEDGER, END, "benchmarks"), "benchmarks", Role.AUDITOR
            )
            random = Random(1)
            positions = [Position(random.randint(1, events)) for _ in range(requests)]
            bench.tell(f"proving, {requests:,} requests")
            paths = [f"/v1/proofs/{position}" for position in positions]
            served = latencies(await in_process(get_in_turn, address, key, paths, _PATIENCE))
            alone = []
            for position in positions:
                started = time.perf_counter()
                await wired.services.proofs.inclusion(DEFAULT_LEDGER, position)
                alone.append(time.perf_counter() - started)
    return [
        Figure(f"tree of {events:,} events that were there before", {"s": tree, **per_second(events, tree)}),
        Figure(f"checkpoint of {events:,} events", {"ms": signing * 1000}),
        _in_time(f"GET /v1/proofs/{{position}}, {events:,} events", served),
        _in_time(f"the proof alone, {events:,} events", latencies(alone)),
    ]


def _fill(bench: Bench, url: str, events: int) -> None:
    with psycopg.connect(url) as owner:
        # Nothing here asks by them, and to keep them would take longest.
        owner.execute("ALTER TABLE audit.events DROP CONSTRAINT events_command_id, DROP CONSTRAINT events_version")
    for first in range(1, events + 1, _CHUNK):
        bench.tell(f"events {first:,} to {first + _CHUNK - 1:,}, made by the database")
        append_synthetic(url, DEFAULT_LEDGER, first, min(first + _CHUNK - 1, events))
    bench.analyze(url)


async def _signed(wired: Trail) -> float:
    """The seconds to sign a tree once."""
    [standing] = await wired.services.signer.trees.standing(everything=True)
    started = time.perf_counter()
    await wired.services.signer.sign(standing)
    return time.perf_counter() - started


def _in_time(work: str, ours: Measures) -> Figure:
    return Figure(work, ours, "the time that is asked for", {"p99 ms": _WANTED_MS}, _WANTED_MS / ours["p99 ms"], 1)
