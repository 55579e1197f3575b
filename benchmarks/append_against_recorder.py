"""Appending batches of 100 through the store, against the PostgreSQL recorder of `eventsourcing`."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from adapters.postgres.connections import WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from benchmarks.bench import Bench
from benchmarks.data import END, Estate, drafts_of
from benchmarks.figures import Figure, compared, per_second
from domain.words import DEFAULT_LEDGER, Position

_BATCH = 100
_DATABASE = "eventsourcing_recorder"


async def run(bench: Bench) -> Sequence[Figure]:
    """The two take turns, batch by batch, in two databases of one server; the medians of their times count."""
    events = bench.size(50_000, 10_000)
    ours: list[float] = []
    theirs: list[float] = []
    with bench.database("append_against_recorder") as url:
        drafts = drafts_of(list(Estate(events).commands(events)))
        bench.tell(f"{events // _BATCH} batches of {_BATCH}, ours and eventsourcing's in turns")
        async with open_pool(url, WRITER, 1) as pool:
            store = PostgresEventStore(pool, lambda _: None)
            with recording(bench) as recorder:
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
def recording(bench: Bench) -> Iterator[PostgresApplicationRecorder]:
    """The recorder on a database of its own, with the library's defaults, but for ids that are texts, as ours are."""
    embedded = bench.embedded
    with (
        bench.database(_DATABASE),
        PostgresDatastore(
            _DATABASE, embedded.host, embedded.port, embedded.user, embedded.password, originator_id_type="text"
        ) as datastore,
    ):
        recorder = PostgresApplicationRecorder(datastore)
        recorder.create_table()
        yield recorder


def stored_events(count: int, seed: int) -> list[StoredEvent]:
    """Events as the recorder takes them, of which each occurs once only for each seed."""
    versions = Counter[str]()
    events = []
    for position, draft in enumerate(drafts_of(list(Estate(count, seed).commands(count))), 1):
        originator_id = f"{seed}:{draft.originator_id}"
        versions[originator_id] += 1
        record = draft.record(versions[originator_id], Position(position), END)
        events.append(StoredEvent(originator_id, versions[originator_id], draft.topic, record))
    return events


def recorded_per_second(recorder: PostgresApplicationRecorder, events: Sequence[StoredEvent], batch: int) -> float:
    """Events recorded in a second, with `batch` of them in each transaction."""
    started = time.perf_counter()
    for first in range(0, len(events), batch):
        recorder.insert_events(events[first : first + batch])
    return len(events) / (time.perf_counter() - started)
