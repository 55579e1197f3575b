"""A rebuild makes the same tables again, beside the ones that are shown, while everybody goes on."""

import asyncio
from random import Random
from typing import Any

import pytest

from adapters.bootstrap import PROJECTIONS
from domain.filters import EventFilter
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections import batches, generations, rebuild, runner
from projections.activity import ActivityProjection
from projections.activity_query import Query, newest_first
from projections.modules import ModulesProjection
from projections.projection import Projection
from projections.reads import Wait
from projections.rebuild import AlreadyRebuilding
from tests.builders import draft
from tests.integration.projections.forged import holding, of_topic
from tests.integration.projections.model import expected, shown
from tests.integration.projections.stage import Stage, eventually, reading, running
from tests.integration.projections.varied import drafts
from tests.patience import PATIENCE

ACTIVITY = ActivityProjection()
ALL = Query(EventFilter())
OTHER = Ledger("other")
PROJECTION = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches and gaps so small that few events take many steps."""
    monkeypatch.setattr(batches, "BATCH", 50)
    monkeypatch.setattr(rebuild, "_CLOSE", 60)
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(runner, "_AFTER_TROUBLE_SECONDS", 0.01)


def silent(_done: int, _of: int) -> None:
    """No progress bar."""


async def fill(stage: Stage, count: int = 150) -> None:
    for ledger in (DEFAULT_LEDGER, OTHER):
        await stage.append(drafts(Random(count), count, ledger), ledger)
        await stage.project(ledger=ledger)


@PROJECTION
async def test_a_rebuild_gives_the_same_rows(stage: Stage, projection: Projection) -> None:
    """Under the next generation, whose tables are then the only ones of the projection."""
    await fill(stage, 300)
    ledgers = (DEFAULT_LEDGER, OTHER)
    before = [await stage.rows(table.name, ledger) for table in projection.tables for ledger in ledgers]
    assert all(before)
    others = {table for table in await stage.tables() if table[:-2] not in {t.name for t in projection.tables}}
    told: list[tuple[int, int]] = []
    applied = await stage.rebuild(projection).run(lambda done, of: told.append((done, of)))
    assert applied == 600
    assert told == sorted(told)
    assert (told[0], told[-1][1]) == ((0, 600), 600)
    after = [await stage.rows(table.name, ledger) for table in projection.tables for ledger in ledgers]
    assert after == before
    assert await stage.tables() == others | {f"{table.name}_2" for table in projection.tables}
    tracked = await stage.owner.fetch(
        "SELECT generation, ledger, position FROM reading.tracking WHERE projection = $1 ORDER BY ledger",
        projection.name,
    )
    assert [tuple(row) for row in tracked] == [(2, DEFAULT_LEDGER, 300), (2, OTHER, 300)]
    assert await stage.owner.fetchval("SELECT count(*) FROM reading.leases") == 0


async def test_a_rebuilt_table_has_the_indexes_of_the_first(stage: Stage) -> None:
    """They are made at the end, and none is left out."""
    await fill(stage, 10)
    sql = "SELECT replace(indexdef, $1, '') FROM pg_indexes WHERE schemaname = 'reading' AND tablename = $2 ORDER BY 1"

    async def indexes(generation: str) -> list[str]:
        return [str(row[0]) for row in await stage.owner.fetch(sql, generation, f"activity{generation}")]

    first = await indexes("_1")
    assert len(first) == 12
    await stage.rebuild(ACTIVITY).run(silent)
    assert await indexes("_2") == first


async def test_what_is_set_aside_follows(stage: Stage) -> None:
    """It is counted once, for the generation that is shown."""
    await stage.forge([draft(), of_topic("CertificateEaten"), holding(event_id="one"), draft()])
    await stage.project([ACTIVITY])
    before = await stage.set_aside()
    assert list(before) == [2, 3]
    await stage.rebuild(ACTIVITY).run(silent)
    assert await stage.set_aside() == before
    rows, fresh = await stage.reads.newest_first(DEFAULT_LEDGER, ALL, None, 10, Wait(Position(4)))
    assert ([row.position for row in rows], fresh.set_aside) == ([4, 1], 2)


async def test_an_event_set_aside_by_mistake_comes_back(stage: Stage) -> None:
    """A rebuild is how a repaired projector makes good what it could not apply."""

    class Broken(ModulesProjection):
        async def apply(self, *_: object) -> None:
            raise ValueError("a defect, repaired later")

    await stage.append([draft(), draft()])
    await stage.project([Broken(), *PROJECTIONS])
    assert list(await stage.set_aside()) == [1, 2]
    await stage.rebuild(ModulesProjection()).run(silent)
    assert await stage.set_aside() == {}
    assert await shown(stage, DEFAULT_LEDGER) == await expected(stage, DEFAULT_LEDGER)


@PROJECTION
async def test_a_projection_that_was_never_built_can_be_rebuilt(stage: Stage, projection: Projection) -> None:
    """As a new one is, in a ledger that is old."""
    await stage.append(drafts(Random(1), 70))
    assert await stage.rebuild(projection).run(silent) == 0
    await stage.project()
    assert await shown(stage, DEFAULT_LEDGER) == await expected(stage, DEFAULT_LEDGER)


@pytest.mark.parametrize("asked", [EventFilter(), EventFilter(user=("u",))], ids=["all", "by user"])
async def test_readers_never_see_less_than_before(stage: Stage, asked: EventFilter) -> None:
    """While rebuilds follow one another and events arrive, answers only grow, and none is an error."""
    await fill(stage)
    done = asyncio.Event()

    async def read() -> int:
        seen, answers, query = 0, 0, Query(asked)
        while not done.is_set():
            rows, fresh = await stage.reads.newest_first(DEFAULT_LEDGER, query, None, 5000, Wait(Position(0)))
            assert len(rows) >= max(seen, fresh.position)
            seen = len(rows)
            answers += 1
            await asyncio.sleep(0.005)
        return answers

    async def append() -> None:
        random = Random(5)
        while not done.is_set():
            await stage.append(drafts(random, 5))
            await asyncio.sleep(0.005)

    async with running(stage.runner("one")):
        async with asyncio.TaskGroup() as tasks:
            readers = [tasks.create_task(read()) for _ in range(2)]
            tasks.create_task(append())
            for _ in range(2):
                await stage.rebuild(ACTIVITY).run(silent)
            done.set()
        assert all(reader.result() > 10 for reader in readers)
        await eventually(stage.caught_up)
    assert await shown(stage, DEFAULT_LEDGER) == await expected(stage, DEFAULT_LEDGER)
    assert await stage.set_aside() == {}


async def test_a_reader_between_two_views_does_not_meet_the_switch(stage: Stage) -> None:
    """A query that looks up the actor's names first, and the events then, is neither stopped nor stops it."""
    await fill(stage, 10)
    async with asyncio.timeout(PATIENCE):
        async with reading(stage) as connection:
            assert await connection.fetchval("SELECT count(*) FROM reading.activity_aliases")
            switching = asyncio.create_task(stage.rebuild(ACTIVITY).run(silent))
            await eventually(lambda: _someone_waits(stage))
            rows = await newest_first(connection, Query(EventFilter(user=("u-",))), None, 100)
            assert len(rows) == 10
        await switching


async def _someone_waits(stage: Stage) -> bool:
    return bool(
        await stage.owner.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
    )


async def test_a_ledger_that_begins_during_the_switch_is_not_lost(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old generation may have begun it after it was held still; the new one catches up."""
    await fill(stage, 10)
    new = Ledger("new")
    shown_before = generations.show

    async def show_late(*arguments: Any) -> None:
        await stage.append([draft(new)], new)
        await stage.project([ACTIVITY], new)
        await shown_before(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(generations, "show", show_late)
        await stage.rebuild(ACTIVITY).run(silent)
    await stage.project([ACTIVITY], new)
    assert len(await stage.rows("activity", new)) == 1
    kept = await stage.owner.fetch("SELECT DISTINCT generation FROM reading.tracking WHERE projection = 'activity'")
    assert [row[0] for row in kept] == [2]


async def test_only_one_rebuild_at_a_time(stage: Stage) -> None:
    """Of one projection; another projection may be rebuilt meanwhile."""
    await fill(stage, 10)
    refused: list[type[BaseException]] = []

    async def try_others() -> None:
        with pytest.raises(AlreadyRebuilding, match="activity"):
            await stage.rebuild(ACTIVITY, "another").run(silent)
        refused.append(AlreadyRebuilding)
        await stage.rebuild(ModulesProjection(), "another").run(silent)

    others: list[asyncio.Task[None]] = []
    activity = stage.rebuild(ACTIVITY)
    held = await activity._lease.hold()
    assert held
    others.append(asyncio.create_task(try_others()))
    await asyncio.gather(*others)
    assert refused == [AlreadyRebuilding]
    await activity.run(silent)
    await stage.rebuild(ACTIVITY, "another").run(silent)
    assert {"activity_3", "modules_2"} < await stage.tables()
