"""Pages of events: fresh as the caller asks, stable while events arrive, complete however they are asked for."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any, cast

import asyncpg
import pytest

from domain.filters import EventFilter
from domain.words import DEFAULT_LEDGER, Ledger, Position, Status
from projections import activity_query, runner
from projections.activity_query import Query, Row
from projections.database import Pool
from projections.generations import NotBuilt
from projections.reads import Freshness, Reads, Wait
from projections.waiting import NotYetProjected
from tests.builders import draft
from tests.integration.projections.forged import holding
from tests.integration.projections.stage import Stage, running
from tests.integration.projections.varied import drafts

AT_ONCE = Wait(Position(0))
ALL = Query(EventFilter())


def query(**filters: Any) -> Query:
    return Query(EventFilter.model_validate(filters))


def positions(rows: Sequence[Row]) -> list[Position]:
    return [row.position for row in rows]


async def every(stage: Stage, asked: Query, limit: int = 7) -> list[Position]:
    """All pages of the order for people, one after the other."""
    found: list[Position] = []
    before: tuple[datetime, Position] | None = None
    while True:
        rows, _ = await stage.reads.newest_first(DEFAULT_LEDGER, asked, before, limit, AT_ONCE)
        found += positions(rows)
        if len(rows) < limit:
            return found
        before = rows[-1].occurred_at, rows[-1].position


async def recorded(stage: Stage, asked: Query, limit: int = 7) -> tuple[list[Position], list[int]]:
    """All pages of the order for machines, and how many rows each held."""
    found: list[Position] = []
    sizes = []
    after, end = Position(0), await stage.tracked("activity")
    while after < end:
        rows, goes_on, _ = await stage.reads.by_position(DEFAULT_LEDGER, asked, after, limit, AT_ONCE)
        assert goes_on > after
        assert all(after < position <= goes_on for position in positions(rows))
        found += positions(rows)
        sizes.append(len(rows))
        after = goes_on
    return found, sizes


async def test_a_caller_reads_its_own_write(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer waits until the position is applied, in each of the tables."""
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    await stage.runner("one").make_tables()
    reads, wait = stage.reads, Wait(Position(3), seconds=20)
    answers: list[asyncio.Task[tuple[list[Any], Freshness]]] = [
        asyncio.create_task(work)
        for work in (
            reads.newest_first(DEFAULT_LEDGER, ALL, None, 10, wait),
            reads.modules(DEFAULT_LEDGER, [], [], wait),
            reads.users(DEFAULT_LEDGER, [], [], (None, None), None, 10, wait),
            reads.statuses(DEFAULT_LEDGER, "hour", [], [], (None, None), None, 10, wait),
        )
    ]
    await stage.append([draft() for _ in range(3)])
    async with running(stage.runner("one")):
        (events, fresh_events), *others = await asyncio.gather(*answers)
    assert positions(events) == [3, 2, 1]
    assert [rows[0]["events"] for rows, _ in others] == [3, 3, 3]
    assert {fresh.position for _, fresh in others} | {fresh_events.position} == {3}


async def test_a_wait_ends_after_its_seconds(stage: Stage) -> None:
    """It says how far the table is."""
    await stage.append([draft(), draft()])
    await stage.project()
    await stage.append([draft()])
    with pytest.raises(NotYetProjected, match="position 3 is not applied yet; the table is at 2") as caught:
        await stage.reads.newest_first(DEFAULT_LEDGER, ALL, None, 10, Wait(Position(3), seconds=0.02))
    assert caught.value.applied == 2
    rows, fresh = await stage.reads.newest_first(DEFAULT_LEDGER, ALL, None, 10, Wait(Position(2), seconds=0.02))
    assert (len(rows), fresh.position) == (2, 2)


class CountingPool:
    """A pool that counts how often a connection is asked for."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.asked = 0

    def acquire(self, **options: Any) -> Any:
        self.asked += 1
        return self.pool.acquire(**options)


async def test_however_many_wait_the_database_is_asked_once_for_all(stage: Stage) -> None:
    """Each asks when it comes and when it reads; in between one asks for all, of whatever table they wait for."""
    many = 50
    counting = CountingPool(stage.reader)
    reads, wait = Reads(cast(Pool, counting), stage.pool), Wait(Position(2), seconds=60)
    await stage.append([draft()])
    await stage.project()
    answers = [asyncio.create_task(reads.modules(DEFAULT_LEDGER, [], [], wait)) for _ in range(many)]
    answers += [
        asyncio.create_task(reads.users(DEFAULT_LEDGER, [], [], (None, None), None, 10, wait)) for _ in range(many)
    ]
    async with asyncio.timeout(60):
        while counting.asked < 2 * many + 5:  # noqa: ASYNC110  # It has no event.
            await asyncio.sleep(0.001)
        assert not any(answer.done() for answer in answers)
        await stage.append([draft()])
        await stage.project()
        found = await asyncio.gather(*answers)
    assert {rows[0]["events"] for rows, _ in found} == {2}
    assert 4 * many + 5 <= counting.asked < 5 * many


async def test_who_waits_is_told_when_looking_fails(stage: Stage) -> None:
    """All are; and whoever comes afterwards waits anew."""
    await stage.append([draft()])
    await stage.project()
    waiting = [
        asyncio.create_task(stage.reads.modules(DEFAULT_LEDGER, [], [], Wait(Position(2), seconds=60)))
        for _ in range(3)
    ]
    while stage.reads._waiting._looking is None:  # noqa: ASYNC110  # It has no event.
        await asyncio.sleep(0.001)
    waiting[0].cancel()
    await stage.owner.execute("ALTER TABLE reading.tracking RENAME TO hidden")
    for answer in waiting[1:]:
        with pytest.raises(asyncpg.UndefinedTableError):
            await answer
    await stage.owner.execute("ALTER TABLE reading.hidden RENAME TO tracking")
    await stage.append([draft()])
    await stage.project()
    rows, _ = await stage.reads.modules(DEFAULT_LEDGER, [], [], Wait(Position(2), seconds=20))
    assert rows[0]["events"] == 2


async def test_a_table_that_was_never_built_is_said_to_be_missing(stage: Stage) -> None:
    """Nobody waits for a service that was never started."""
    with pytest.raises(NotBuilt):
        await stage.reads.modules(DEFAULT_LEDGER, [], [], Wait(Position(1), seconds=0))


async def test_pages_do_not_shift_while_events_arrive(stage: Stage) -> None:
    """What was there at the first page is shown once and in order, whatever is appended between the pages."""
    random = Random(1)
    await stage.append(drafts(random, 100))
    await stage.project()
    before = await every(stage, ALL, 1000)
    found: list[Position] = []
    keyset: tuple[datetime, Position] | None = None
    while True:
        rows, _ = await stage.reads.newest_first(DEFAULT_LEDGER, ALL, keyset, 7, AT_ONCE)
        if not rows:
            break
        assert [(row.occurred_at, row.position) for row in rows] == sorted(
            ((row.occurred_at, row.position) for row in rows), reverse=True
        )
        found += positions(rows)
        keyset = rows[-1].occurred_at, rows[-1].position
        await stage.append(drafts(random, 5))
        await stage.project()
    assert len(found) == len(set(found))
    assert [position for position in found if position <= 100] == before


async def test_events_of_the_same_moment_are_all_shown(stage: Stage) -> None:
    """The position breaks the tie, so that a page may end in the midst of them."""
    await stage.append([draft() for _ in range(30)])
    await stage.project()
    assert await every(stage, ALL, 4) == list(range(30, 0, -1))


@pytest.mark.parametrize("scan", [1, 5, 1000])
async def test_recorded_order_misses_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch, scan: int) -> None:
    """A page looks through a bounded stretch: it may be empty, and the next one goes on behind it."""
    monkeypatch.setattr(activity_query, "SCAN", scan)
    await stage.append(drafts(Random(2), 60))
    await stage.append([holding(event_id="one"), *drafts(Random(3), 20)])
    await stage.project()
    good = [position for position in range(1, 82) if position != 61]
    assert (await recorded(stage, ALL))[0] == good
    failures, sizes = await recorded(stage, query(status=[Status.FAILURE]), 3)
    assert failures == sorted(await every(stage, query(status=[Status.FAILURE])))
    assert len(failures) > 3
    assert (0 in sizes) == (scan < 1000)


async def test_recorded_order_goes_no_further_than_what_is_applied(stage: Stage) -> None:
    """A poll at the end gets nothing, and the same place to go on from; later events are not skipped."""
    await stage.append([draft(), draft()])
    await stage.project()
    await stage.append([draft()])
    rows, goes_on, _ = await stage.reads.by_position(DEFAULT_LEDGER, ALL, Position(2), 10, AT_ONCE)
    assert (rows, goes_on) == ([], 2)
    rows, goes_on, _ = await stage.reads.by_position(DEFAULT_LEDGER, ALL, Position(9), 10, AT_ONCE)
    assert (rows, goes_on) == ([], 9)
    await stage.project()
    rows, goes_on, _ = await stage.reads.by_position(DEFAULT_LEDGER, ALL, Position(2), 10, AT_ONCE)
    assert (positions(rows), goes_on) == ([3], 3)


async def test_a_projector_that_stays_behind_is_told_of(stage: Stage) -> None:
    """Whether it has stopped moving in a ledger or has never begun with it, for a minute."""

    async def stuck() -> set[bool]:
        return {state.stuck for state in await stage.reads.projectors()}

    await stage.append(drafts(Random(1), 3))
    await stage.project()
    await stage.append(drafts(Random(2), 3, Ledger("never-begun")), Ledger("never-begun"))
    assert await stuck() == {False}
    await stage.owner.execute("ALTER TABLE audit.heads DISABLE TRIGGER ALL")
    await stage.owner.execute("UPDATE audit.heads SET recorded_at = now() - interval '61 seconds'")
    assert await stuck() == {True}
    await stage.project(ledger=Ledger("never-begun"))
    assert await stuck() == {False}
    await stage.append(drafts(Random(3), 3))
    assert await stuck() == {False}
    await stage.owner.execute("UPDATE reading.tracking SET moved_at = now() - interval '61 seconds'")
    assert await stuck() == {True}
