"""What every history of entities promises: the records as they are, in segments, up to a position."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from adapters.memory.entity_history import MemoryEntityHistory
from adapters.memory.event_store import MemoryEventStore
from adapters.postgres.connections import READER, WRITER, open_pool
from adapters.postgres.entity_history import PostgresEntityHistory
from adapters.postgres.event_store import PostgresEventStore
from application.ports import EntityHistory, EventStore
from domain.entities.history import SEGMENT, Bodies
from domain.ledger import Head
from domain.words import DEFAULT_LEDGER, Ledger, Position
from tests.builders import draft
from tests.told import step

_KEY = "bot:b"


@dataclass
class Kept:
    store: EventStore
    history: EntityHistory

    async def head(self, position: Position | None) -> Head:
        async with self.history.reading(DEFAULT_LEDGER) as records:
            return await records.head(position)

    async def tell(self, count: int, bot: str = "b", ledger: Ledger = DEFAULT_LEDGER) -> None:
        drafts = [draft(ledger, **step("CheckInBot", f"bot:{bot}")) for _ in range(count)]
        await self.store.append(ledger, drafts)

    async def versions(self, after: int, segments: int, until: int) -> list[tuple[int, int, int]]:
        """First and last version and length of each segment."""
        async with self.history.reading(DEFAULT_LEDGER) as records:
            assert records.ledger == DEFAULT_LEDGER
            found = await records.segments(_KEY, after, segments, Position(until))
        for segment in found:
            segment.check()
            assert segment.first_version == segment.versions[0]
        return [(one.versions[0], one.versions[-1], len(one.records)) for one in found]


@pytest.fixture(params=["memory", "postgres"])
async def kept(request: pytest.FixtureRequest) -> AsyncIterator[Kept]:
    if request.param == "memory":
        store = MemoryEventStore(lambda: datetime.now(UTC), lambda _: None)
        yield Kept(store, MemoryEntityHistory(store))
        return
    url: Callable[[], str] | str = request.getfixturevalue("database_url")
    assert isinstance(url, str)
    async with open_pool(url, WRITER, 1) as writer, open_pool(url, READER, 1) as reader:
        yield Kept(PostgresEventStore(writer, lambda _: None), PostgresEntityHistory(reader))


async def test_of_an_empty_ledger_there_is_the_place_before_the_first_event(kept: Kept) -> None:
    assert await kept.head(None) == Head.empty(DEFAULT_LEDGER)
    assert await kept.versions(0, 1, 0) == []
    async with kept.history.reading(DEFAULT_LEDGER) as records:
        assert await records.bodies(_KEY, 0, 1, Position(0)) == []


async def test_each_position_is_a_place(kept: Kept) -> None:
    await kept.tell(3)
    (first, second, third) = await kept.store.read(DEFAULT_LEDGER, Position(0), 9)
    assert await kept.head(None) == Head(third.position, third.chain_hash, third.recorded_at)
    for event in (first, second):
        place = await kept.head(event.position)
        assert place == Head(event.position, event.chain_hash, event.recorded_at)


async def test_records_come_in_segments_as_far_as_asked(kept: Kept) -> None:
    """Those of others, and of other ledgers, do not."""
    await kept.tell(SEGMENT - 10)
    await kept.tell(5, bot="other")
    await kept.tell(7, ledger=Ledger("elsewhere"))
    await kept.tell(SEGMENT + 30)
    end = 2 * SEGMENT + 25
    first, second, third = (
        (1, SEGMENT, SEGMENT),
        (SEGMENT + 1, 2 * SEGMENT, SEGMENT),
        (2 * SEGMENT + 1, 2 * SEGMENT + 20, 20),
    )
    assert await kept.versions(0, 1, end) == [first]
    assert await kept.versions(0, 9, end) == [first, second, third]
    assert await kept.versions(SEGMENT, 9, end) == [second, third]
    assert await kept.versions(3 * SEGMENT, 9, end) == []
    assert await kept.versions(0, 9, 100) == [(1, 100, 100)]
    assert await kept.versions(0, 9, SEGMENT - 7) == [(1, SEGMENT - 10, SEGMENT - 10)]


async def test_the_beginnings_of_many_lives_come_at_once(kept: Kept) -> None:
    """In the order asked for; of who has none there is none."""
    await kept.tell(2)
    await kept.tell(3, bot="other")
    async with kept.history.reading(DEFAULT_LEDGER) as records:
        found = await records.beginnings(["bot:other", "bot:none", _KEY], Position(4))
    for segment in found:
        segment.check()
    assert [(one.originator_id, list(one.versions)) for one in found] == [("bot:other", [1, 2]), (_KEY, [1, 2])]


async def test_bodies_are_what_the_segments_hold(kept: Kept) -> None:
    await kept.tell(SEGMENT + 3)
    until = Position(SEGMENT + 3)
    async with kept.history.reading(DEFAULT_LEDGER) as records:
        (whole, rest), segments = await asyncio.gather(
            records.bodies(_KEY, 0, 2, until), records.segments(_KEY, 0, 2, until)
        )
    for body, segment in zip((whole, rest), segments, strict=True):
        assert body == Bodies.of(segment)
    assert whole.is_whole
    assert not rest.is_whole
