"""Reconstructing entities and the estate; replay against `eventsourcing`'s repository; keeping the forensic tables."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from random import Random
from typing import Any
from urllib.parse import urlencode

from eventsourcing.application import Repository
from eventsourcing.persistence import EventStore, StoredEvent
from eventsourcing.postgres import PostgresAggregateRecorder, PostgresDatastore

from adapters.bootstrap import Trail
from adapters.postgres.connections import WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from application.credentials import console
from benchmarks.bench import Bench
from benchmarks.data import DAYS, END, drafts_of
from benchmarks.figures import Figure, Measures, latencies, per_second
from benchmarks.lives import ISSUERS, certificates, users
from benchmarks.load import get_in_turn, in_process
from benchmarks.projecting import FORENSIC, catch_up
from domain.catalogue import CATALOGUE
from domain.entities.entity import project
from domain.entities.moment import NOW
from domain.mapper import RecordMapper
from domain.values import JsonObject, rfc3339
from domain.words import DEFAULT_LEDGER, Position, Role

_BATCH = 1000
_PATIENCE = 20
_EVENTS_OF_ONE = 5


async def run(bench: Bench) -> Sequence[Figure]:
    return [
        *await _single_entities(bench),
        await _replays(bench),
        *await _estate(bench),
        await _pace(bench),
    ]


async def _single_entities(bench: Bench) -> Sequence[Figure]:
    """Requests for entities of ten and of ten thousand events, each as of another time of their lives."""
    long = bench.size(10_000, 2_000)
    lives = {10: (1000, "short"), long: (5, "long")}
    with bench.database("reconstructing") as url:
        for events, (entities, label) in lives.items():
            bench.tell(f"recording {entities} entities of {events:,} events")
            await _record(url, users(entities, events, label))
        bench.analyze(url)
        figures = []
        async with bench.server(url, background=False) as (trail, address):
            key = await _auditor(trail)
            for events, (entities, label) in lives.items():
                paths = [
                    f"/v1/entities/user/{label}-{number % entities:06d}?at={_moment(number)}" for number in range(300)
                ]
                warm = [f"/v1/entities/user/{label}-{number:06d}" for number in range(min(entities, 5))]
                first = await in_process(get_in_turn, address, key, warm, _PATIENCE)
                seconds = await in_process(get_in_turn, address, key, paths, _PATIENCE)
                limit = 10 if events == 10 else 50
                figures.append(_within(f"an entity of {events:,} events as of a time", seconds, limit))
                if events == long:
                    figures.append(
                        Figure(f"the same, the first time in a process ({events:,} events)", latencies(first))
                    )
        return figures


async def _replays(bench: Bench) -> Figure:
    """All entities by ours, a part of them by the library's, from the same events."""
    entities = bench.size(100_000, 10_000)
    with bench.database("replaying") as url, bench.database("eventsourcing_replaying"):
        bench.tell(f"recording {entities:,} entities of {_EVENTS_OF_ONE} events, with us and with eventsourcing")
        await _record(url, users(entities, _EVENTS_OF_ONE, "u"))
        bench.analyze(url)
        keys = [f"user:u-{number:06d}" for number in range(entities)]
        some = keys[:: max(entities // 5000, 1)]
        async with bench.trail(url) as trail:
            with _library(bench) as (recorder, repository):
                await _copy(trail, recorder)
                started = time.perf_counter()
                theirs = [repository.get(key, projector_func=project) for key in some]
                their_seconds = time.perf_counter() - started
            started = time.perf_counter()
            ours = await trail.services.reconstruct.entities(DEFAULT_LEDGER, keys, NOW)
            our_seconds = time.perf_counter() - started
    by_id = {entity.id: entity for entity in ours}
    assert len(ours) == entities
    assert all(by_id[entity.id].life.keys() == entity.life.keys() for entity in theirs)
    return Figure(
        f"replay of {entities:,} entities, every record checked",
        {"entities/s": entities / our_seconds},
        f"repository.get of eventsourcing, {len(some):,} of them",
        {"entities/s": len(some) / their_seconds},
        (entities / our_seconds) / (len(some) / their_seconds),
        wanted=3,
    )


async def _estate(bench: Bench) -> Sequence[Figure]:
    """First pages of the valid certificates of an authority, as of some time of the ninety days."""
    count = bench.size(1_000_000, 50_000)
    with bench.database("estate") as url:
        bench.tell(f"recording {count:,} certificates")
        events = await _record(url, certificates(count))
        async with bench.trail(url) as trail:
            bench.tell(f"projecting {events:,} events")
            seconds = await catch_up(trail, FORENSIC[:1])
        bench.analyze(url)
        figures = [Figure(f"the entities projector over {count:,} certificates", per_second(events, seconds))]
        async with bench.server(url, background=False) as (trail, address):
            key = await _auditor(trail)
            for name, query in _QUERIES.items():
                paths = [_page(number, query) for number in range(200)]
                seconds_of = await in_process(get_in_turn, address, key, paths, _PATIENCE)
                figures.append(_within(f"{count:,} certificates as of a time, first page, {name}", seconds_of, 50))
    return figures


_QUERIES: Mapping[str, Mapping[str, str]] = {
    "no filter": {},
    "valid": {"state": "valid"},
    "revoked": {"state": "revoked"},
    "of an issuer": {"issuer": ""},
    "valid, of an issuer": {"state": "valid", "issuer": ""},
    "revoked, of an issuer": {"state": "revoked", "issuer": ""},
}


async def _pace(bench: Bench) -> Figure:
    """The two forensic projectors side by side, over the estate of all benchmarks."""
    events = bench.size(200_000, 20_000)
    url = await bench.fill_large(events)
    async with bench.trail(url) as trail:
        bench.tell(f"projecting {events:,} events into entities and findings")
        seconds = await catch_up(trail, FORENSIC)
        recorded = await trail.projector_pool.fetchval("SELECT max(position) FROM audit.heads")
    return Figure(
        f"entities and findings together, {recorded:,} events waiting",
        per_second(recorded, seconds),
        "the pace that is asked for",
        {"events/s": 10_000},
        recorded / seconds / 10_000,
        wanted=1,
    )


async def _record(url: str, commands: Iterable[JsonObject]) -> int:
    """How many were recorded."""
    told, count = iter(commands), 0
    async with open_pool(url, WRITER, 1) as pool:
        store = PostgresEventStore(pool, lambda _: None)
        while batch := list(islice(told, _BATCH)):
            await store.append(DEFAULT_LEDGER, drafts_of(batch, count))
            count += len(batch)
    return count


@contextmanager
def _library(bench: Bench) -> Iterator[tuple[PostgresAggregateRecorder, Repository[str]]]:
    """With the library's defaults, but for ids that are texts, as ours are."""
    database = bench.embedded
    with PostgresDatastore(
        "eventsourcing_replaying",
        database.host,
        database.port,
        database.user,
        database.password,
        originator_id_type="text",
    ) as datastore:
        recorder = PostgresAggregateRecorder(datastore)
        recorder.create_table()
        yield recorder, Repository(EventStore(RecordMapper(CATALOGUE), recorder))


async def _copy(trail: Trail, recorder: PostgresAggregateRecorder) -> None:
    """The same events: their ids, versions, topics and records."""
    ledger, position = PostgresEventStore(trail.projector_pool, lambda _: None), Position(0)
    while batch := await ledger.read(DEFAULT_LEDGER, position, 500):
        recorder.insert_events([StoredEvent(e.originator_id, e.originator_version, e.topic, e.state) for e in batch])
        position = batch[-1].position


async def _auditor(trail: Trail) -> str:
    by = console(DEFAULT_LEDGER, END, "benchmark")
    _, key = await trail.create_credential.create(by, "An auditor", Role.AUDITOR)
    return key


def _page(number: int, query: Mapping[str, str]) -> str:
    filled: dict[str, Any] = {**query, "at": _moment(number, quoted=False), "limit": "50"}
    if "issuer" in filled:
        filled["issuer"] = f"ca-{number % ISSUERS}"
    return f"/v1/entities/certificate?{urlencode(filled)}"


def _moment(number: int, *, quoted: bool = True) -> str:
    at = rfc3339(END - timedelta(days=DAYS * Random(number).random()))
    return at.replace(":", "%3A") if quoted else at


def _within(work: str, seconds: Sequence[float], limit_ms: float) -> Figure:
    """A limit for the slowest in a hundred: the ratio is the limit to what was measured."""
    measured: Measures = latencies(seconds)
    return Figure(
        f"GET /v1/entities, {work}",
        measured,
        "the limit",
        {"p99 ms": limit_ms},
        limit_ms / measured["p99 ms"],
        wanted=1,
    )
