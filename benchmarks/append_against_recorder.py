"""Appending batches of 100 through the store, against the PostgreSQL recorder of `eventsourcing`."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from adapters.postgres.connections import WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from benchmarks.bench import Bench
from benchmarks.data import Estate, drafts_of
from benchmarks.figures import Figure, compared, per_second
from domain.words import DEFAULT_LEDGER, Position

_BATCH = 100


async def run(bench: Bench) -> Sequence[Figure]:
    """The two take turns, batch by batch, in two databases of one server; the medians of their times count."""
    events = bench.size(50_000, 10_000)
    ours: list[float] = []
    theirs: list[float] = []
    with bench.database("append_against_recorder") as url, bench.database("eventsourcing_recorder"):
        drafts = drafts_of(list(Estate(events).commands(events)))
        bench.tell(f"{events // _BATCH} batches of {_BATCH}, ours and eventsourcing's in turns")
        async with open_pool(url, WRITER, 1) as pool:
            store = PostgresEventStore(pool, lambda _: None)
            with _recorder(bench) as recorder:
                for first in range(0, events, _BATCH):
                    started = time.perf_counter()
                    await store.append(DEFAULT_LEDGER, drafts[first : first + _BATCH])
                    ours.append(time.perf_counter() - started)
                    same = [
                        StoredEvent(event.originator_id, event.originator_version, event.topic, event.state)
                        for event in await store.read(DEFAULT_LEDGER, Position(first), _BATCH)
                    ]
                    started = time.perf_counter()
                    recorder.insert_events(same)
                    theirs.append(time.perf_counter() - started)
    return [
        compared(
            "append, batches of 100: the store alone",
            per_second(_BATCH, median(ours)),
            "eventsourcing's PostgresApplicationRecorder",
            per_second(_BATCH, median(theirs)),
            wanted=1.3,
        )
    ]


@contextmanager
def _recorder(bench: Bench) -> Iterator[PostgresApplicationRecorder]:
    """With the library's defaults, but for ids that are texts, as ours are."""
    database = bench.embedded
    with PostgresDatastore(
        "eventsourcing_recorder",
        database.host,
        database.port,
        database.user,
        database.password,
        originator_id_type="text",
    ) as datastore:
        recorder = PostgresApplicationRecorder(datastore)
        recorder.create_table()
        yield recorder
