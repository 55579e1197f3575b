"""Whoever joins, refuses, drops out and reads on, and however these meet: each event that matches, once, in order."""

import asyncio
from random import Random

import pytest

from domain.filters import EventFilter
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections import broadcast, feed
from projections.activity import ActivityProjection
from projections.activity_query import Query, Row
from projections.broadcast import Broadcast, Membership
from projections.feed import Feed
from projections.reads import AT_ONCE
from projections.runner import Runner
from tests.builders import draft
from tests.integration.projections.stage import Stage, eventually, running
from tests.integration.projections.varied import drafts

QUERIES = [
    Query(EventFilter.model_validate(asked), only_actor)
    for asked, only_actor in [
        ({}, None),
        ({}, "U-1"),
        ({"status": ["failure"]}, None),
        ({"user": ["asha"]}, None),
        ({"activity": ["key.rotated", "bot.registered"]}, None),
        ({"entity": ["certificate"], "text": ["name"]}, None),
    ]
]


def encode(row: Row) -> bytes:
    return b"%d " % row.position


class Taker:
    """Takes what it is offered in most cases; reads on from the table where it did not."""

    def __init__(self, feed: Feed, broadcast: Broadcast, query: Query, seed: int, seen: Position) -> None:
        self._feed = feed
        self._broadcast = broadcast
        self._random = Random(seed)
        self.query = query
        self.start = self.seen = seen
        self.taken: list[int] = []
        self.refusals = 0
        self._membership: Membership | None = None
        self._reading = asyncio.create_task(self._read_on())

    @property
    def position(self) -> Position:
        return self.seen if self._membership is None else self._membership.seen

    def offer(self, frames: bytes, count: int) -> bool:
        positions = [int(position) for position in frames.split()]
        assert len(positions) == count > 0
        if self._random.random() < 0.2:
            self.refusals += 1
            return False
        self.taken += positions
        return True

    def fell_behind(self, seen: Position) -> None:
        self._membership, self.seen = None, seen
        self._reading = asyncio.create_task(self._read_on())

    async def _read_on(self) -> None:
        while (membership := self._broadcast.join(self.query, self, self.seen)) is None:
            page = await self._feed.page(DEFAULT_LEDGER, self.query, self.seen)
            self.taken += [int(position) for position in page.frames.split()]
            self.seen = page.until
            if self._random.random() < 0.3:
                await asyncio.sleep(self._random.uniform(0, 0.05))
        self._membership = membership

    async def leave(self) -> None:
        """And come back later."""
        await self._reading
        if self._membership is not None:
            self.seen = self._membership.seen
            self._broadcast.leave(self._membership)
            self._membership = None
            await asyncio.sleep(self._random.uniform(0, 0.1))
            self._reading = asyncio.create_task(self._read_on())


@pytest.mark.parametrize("seed", range(3))
async def test_each_event_comes_once_whatever_followers_do(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """With small batches and a short memory, so that all ways are taken."""
    monkeypatch.setattr(broadcast, "_BATCH", 7)
    monkeypatch.setattr(broadcast, "_KEPT_BYTES", 8_000)
    monkeypatch.setattr(feed, "_PAGE", 11)
    random = Random(seed)
    await stage.append(drafts(random, 100))
    await stage.project([ActivityProjection()])
    following = Feed(stage.reads, encode)

    def applied(_: str, ledger: Ledger) -> None:
        following.wake(ledger)

    runner = Runner([ActivityProjection()], stage.pool, stage.batches(), "one", applied)
    async with following.opened(DEFAULT_LEDGER) as shared, running(runner):
        takers = []
        for number in range(24):
            start = Position(random.randrange(100 + number * 10))
            takers.append(Taker(following, shared, QUERIES[number % len(QUERIES)], seed * 100 + number, start))
            await stage.append(drafts(random, 10))
            runner.wake()
            await asyncio.sleep(random.uniform(0, 0.02))
            await random.choice(takers).leave()
        end = await stage.reads.head(DEFAULT_LEDGER)

        async def all_there() -> bool:
            return all(taker.position >= end for taker in takers)

        await eventually(all_there)
        for taker in takers:
            rows, _, _ = await stage.reads.by_position(DEFAULT_LEDGER, taker.query, taker.start, 1000, AT_ONCE)
            assert taker.taken == [row.position for row in rows]
        assert sum(taker.refusals for taker in takers) > 10


async def test_a_broadcast_ends_with_the_last_who_uses_it(stage: Stage) -> None:
    """And begins anew where the table then is."""
    await stage.append([draft()])
    await stage.project([ActivityProjection()])
    following = Feed(stage.reads, encode)
    async with following.opened(DEFAULT_LEDGER) as first:
        async with following.opened(DEFAULT_LEDGER) as second:
            assert second is first
        assert first.position == 1
    await stage.append([draft()])
    await stage.project([ActivityProjection()])
    async with following.opened(DEFAULT_LEDGER) as third:
        assert third is not first
        assert third.position == 2
