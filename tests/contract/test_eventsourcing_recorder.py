"""`eventsourcing`'s own storage test cases on our recorder, which they call through a synchronous facade."""

import asyncio
import threading
import unittest
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import pytest
from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    Tracking,
)
from eventsourcing.tests import persistence as library

from adapters.postgres.connections import open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.recorder import PostgresRecorder
from domain.words import Ledger
from projections.database import Pool
from tests.builders import draft
from tests.contract.ledger_checks import check_hashes, check_times, read_all

T = TypeVar("T")

LEDGER = Ledger("recorded")
_OWNER = "none"
"""The role of whoever owns the schema: the tests write events and tracking, which no role of ours does."""

_ids = count(1)


class Loop:
    """An event loop in a thread of its own, with a pool of connections."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._pool: AbstractAsyncContextManager[Pool] = open_pool(url, _OWNER, 8)
        self.pool = self.run(self._pool.__aenter__())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def close(self) -> None:
        self.run(self._pool.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class SynchronousRecorder(ProcessRecorder):
    """The library's interface over our coroutines."""

    def __init__(self, loop: Loop) -> None:
        self._run = loop.run
        self._recorder = PostgresRecorder(loop.pool, LEDGER)

    def insert_events(
        self, stored_events: Sequence[StoredEvent], tracking: Tracking | None = None, **_: Any
    ) -> Sequence[int] | None:
        return self._run(self._recorder.insert_events(stored_events, tracking))

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        return self._run(self._recorder.select_events(str(originator_id), gt=gt, lte=lte, desc=desc, limit=limit))

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        return self._run(
            self._recorder.select_notifications(start, limit, stop, topics, inclusive_of_start=inclusive_of_start)
        )

    def max_notification_id(self) -> int | None:
        return self._run(self._recorder.max_notification_id())

    def insert_tracking(self, tracking: Tracking) -> None:
        self._run(self._recorder.insert_tracking(tracking))

    def max_tracking_id(self, application_name: str) -> int | None:
        return self._run(self._recorder.max_tracking_id(application_name))

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        raise NotImplementedError("projectors wait in another way")


class SilentRecorder(SynchronousRecorder):
    """The library's aggregate recorders do not tell positions."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], tracking: Tracking | None = None, **kwargs: Any
    ) -> None:
        super().insert_events(stored_events, tracking, **kwargs)


class OnPostgres(unittest.TestCase):
    """Hands a fresh database over to each of the library's tests."""

    _loop: Loop

    @pytest.fixture(autouse=True)
    def _on_a_fresh_database(self, database_url: str) -> Iterator[None]:
        self._loop = Loop(database_url)
        yield
        self._loop.close()

    def new_originator_id(self) -> str:
        return f"thing:{next(_ids)}"

    def create_recorder(self) -> Any:
        return SynchronousRecorder(self._loop)


class TestAggregateRecorder(OnPostgres, library.AggregateRecorderTestCase):
    def create_recorder(self) -> SilentRecorder:
        return SilentRecorder(self._loop)


class TestApplicationRecorder(OnPostgres, library.ApplicationRecorderTestCase[SynchronousRecorder]):
    pass


class TestTrackingRecorder(OnPostgres, library.TrackingRecorderTestCase):
    pass


class TestProcessRecorder(OnPostgres, library.ProcessRecorderTestCase):
    pass


class TestNotificationsDoNotInterleave(OnPostgres, library.NonInterleavingNotificationIDsBaseCase):
    pass


async def test_recorded_events_are_linked_like_all_others(database_url: str) -> None:
    """The state is the record, verbatim, in one chain with what came as commands."""
    async with open_pool(database_url, _OWNER, 2) as pool:
        recorder, store = PostgresRecorder(pool, LEDGER), PostgresEventStore(pool, lambda _: None)
        assert await recorder.insert_events([StoredEvent("thing:1", 5, "made", b"\xff not JSON")]) == [1]
        await store.append(LEDGER, [draft(LEDGER)])
        assert await recorder.insert_events([StoredEvent("thing:1", 6, "moved", b"")]) == [3]
        events = await read_all(store, LEDGER)
    assert [event.record for event in events[::2]] == [b"\xff not JSON", b""]
    assert [event.command_id for event in events[::2]] == ["thing:1@5", "thing:1@6"]
    check_hashes(LEDGER, events)
    check_times(events)


async def test_personal_data_go_with_the_events_that_have_them(database_url: str) -> None:
    """What was read from one ledger can be recorded in another without a loss."""
    copied = Ledger("copied")
    async with open_pool(database_url, _OWNER, 2) as pool:
        store = PostgresEventStore(pool, lambda _: None)
        await store.append(LEDGER, [draft(LEDGER), draft(LEDGER)])
        originals = await PostgresRecorder(pool, LEDGER).select_notifications(None, 10)
        await PostgresRecorder(pool, copied).insert_events(originals)
        copies = await read_all(store, copied)
    assert all(event.personal for event in originals)
    assert [(event.record, event.personal) for event in copies] == [
        (event.record, event.personal) for event in originals
    ]
