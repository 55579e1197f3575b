"""A version of the service that defines a table otherwise makes it anew when it starts; the old is shown meanwhile."""

import asyncio
from collections.abc import MutableMapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from adapters.bootstrap import PROJECTIONS
from domain.event import AuditEvent
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections import generations, rebuild, runner
from projections.database import Connection
from projections.generations import NotBuilt
from projections.modules import ModulesProjection
from projections.projection import Projection, Table
from projections.reads import Wait
from projections.runner import Runner
from tests.builders import draft
from tests.integration.projections.model import expected, shown
from tests.integration.projections.stage import Stage, eventually, reading, running
from tests.integration.projections.varied import drafts

MODULES = ModulesProjection()
AT_ONCE = Wait(Position(0))


class OldModules(ModulesProjection):
    """As an earlier version may have kept them: fewer columns, by other names, and less of an index."""

    tables: Sequence[Table] = (Table("modules", 'module text COLLATE "C" NOT NULL, counted bigint NOT NULL', "module"),)

    async def apply(
        self, connection: Connection, generation: int, ledger: Ledger, events: Sequence[AuditEvent]
    ) -> None:
        await connection.execute(
            f"INSERT INTO reading.modules_{generation} AS known VALUES ($1, 'all', $2) "
            "ON CONFLICT (ledger, module) DO UPDATE SET counted = known.counted + EXCLUDED.counted",
            ledger,
            len(events),
        )


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(runner, "_AFTER_TROUBLE_SECONDS", 0.01)
    monkeypatch.setattr(runner, "_AFTER_FAILED_REBUILD_SECONDS", 0.01)


async def generation_of(stage: Stage, projection: Projection) -> int:
    async with stage.pool.acquire() as connection:
        return await generations.shown(connection, projection.name)


async def upgraded(stage: Stage, projection: Projection = MODULES) -> bool:
    """Whether the second generation is shown, and the first gone."""
    return await generation_of(stage, projection) == 2 and f"{projection.tables[0].name}_1" not in await stage.tables()


async def test_what_an_earlier_version_made_is_made_anew(stage: Stage) -> None:
    """With other columns, which the view then has, for the reader's role as before; and events go on."""
    await stage.append(drafts(Random(1), 50))
    await stage.project([OldModules(), *PROJECTIONS])
    assert await stage.owner.fetchval("SELECT counted FROM reading.modules_1") == 50
    async with running(stage.runner("new")):
        await eventually(lambda: upgraded(stage))
        await stage.append(drafts(Random(2), 20))
        await eventually(stage.caught_up)
    assert await shown(stage, DEFAULT_LEDGER) == await expected(stage, DEFAULT_LEDGER)
    async with reading(stage) as connection:
        assert await connection.fetchval("SELECT sum(events) FROM reading.modules") == 70


async def test_versions_that_kept_no_shape_are_followed_by_one_rebuild_of_each(stage: Stage) -> None:
    """Whichever of several processes does it; those that start later find nothing to do."""
    await stage.append(drafts(Random(1), 50))
    await stage.project()
    for table in await stage.tables():
        await stage.owner.execute(f"COMMENT ON TABLE reading.{table} IS NULL")
    async with running(*(stage.runner(str(number)) for number in range(3))):
        for projection in PROJECTIONS:
            await eventually(lambda projection=projection: upgraded(stage, projection))  # type: ignore[misc]
        await stage.append([draft()])
        await eventually(stage.caught_up)
    async with running(stage.runner("later")):
        await stage.append([draft()])
        await eventually(stage.caught_up)
    assert [await generation_of(stage, projection) for projection in PROJECTIONS] == [2] * len(PROJECTIONS)
    assert await shown(stage, DEFAULT_LEDGER) == await expected(stage, DEFAULT_LEDGER)


async def test_what_has_our_shape_is_left_as_it_is(stage: Stage) -> None:
    """A start without a change makes nothing anew."""
    await stage.append([draft()])
    async with running(stage.runner("one")):
        await eventually(stage.caught_up)
    async with running(stage.runner("two")):
        await stage.append([draft()])
        await eventually(stage.caught_up)
    assert [await generation_of(stage, projection) for projection in PROJECTIONS] == [1] * len(PROJECTIONS)


@pytest.mark.parametrize(
    "changed",
    [
        {"columns": MODULES.tables[0].columns + ", more bigint"},
        {"columns": MODULES.tables[0].columns.replace("bigint", "integer", 1)},
        {"key": "activity, module"},
        {"indexes": ("(ledger, events)",)},
        {"storage": ""},
    ],
    ids=str,
)
def test_every_part_of_a_definition_is_part_of_the_shape(changed: dict[str, Any]) -> None:
    """But for white space."""
    [table] = MODULES.tables
    assert replace(table, **changed).shape != table.shape
    assert replace(table, columns=f"\n  {table.columns}  \n").shape == table.shape


async def test_until_then_the_old_is_shown_and_what_it_cannot_answer_is_said(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other tables are as fresh as ever; nobody writes into one of another shape."""
    await stage.append([draft()])
    await stage.project([OldModules()])
    may_go_on = asyncio.Event()
    fill = rebuild.Rebuild._fill

    async def fill_later(*arguments: Any) -> None:
        await may_go_on.wait()
        await fill(*arguments)

    monkeypatch.setattr(rebuild.Rebuild, "_fill", fill_later)
    new = stage.runner("new")
    await new.make_tables()
    async with running(new):
        await stage.append([draft()])
        await stage.reads.users(DEFAULT_LEDGER, [], [], (None, None), None, 10, Wait(Position(2), 10))
        assert await stage.rows("modules") == [("all", 1)]
        with pytest.raises(NotBuilt, match="modules is being rebuilt for this version"):
            await stage.reads.modules(DEFAULT_LEDGER, [], [], AT_ONCE)
        may_go_on.set()
        await eventually(lambda: upgraded(stage))
        rows, fresh = await stage.reads.modules(DEFAULT_LEDGER, [], [], Wait(Position(2), 10))
    assert ([row["events"] for row in rows], fresh.position) == ([2], 2)


async def test_two_versions_at_once_do_not_rebuild_in_turns(stage: Stage) -> None:
    """The one that started first leaves the table to the other, and neither spoils it."""
    await stage.append([draft()])
    old = Runner([OldModules()], stage.pool, stage.batches(), "old")
    async with running(old):
        await eventually(lambda: _counted(stage, 1))
        async with running(stage.runner("new")):
            await eventually(lambda: upgraded(stage))
            old.wake()
            await stage.append([draft()])
            await asyncio.sleep(0)
        await stage.append([draft()])
    async with running(stage.runner("new again")):
        await eventually(stage.caught_up)
    assert await generation_of(stage, MODULES) == 2
    assert await shown(stage, DEFAULT_LEDGER) == await expected(stage, DEFAULT_LEDGER)


async def _counted(stage: Stage, events: int) -> bool:
    return await stage.tracked("modules") == events


async def test_a_rebuild_that_fails_at_the_start_is_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, logs: list[MutableMapping[str, Any]]
) -> None:
    """It says so in the log; the other tables go on meanwhile."""
    await stage.append([draft()])
    await stage.project([OldModules()])
    create, failures = generations.create_tables, [ValueError("a defect"), OSError("the database is away")]

    async def fail_first(connection: Connection, projection: Projection, generation: int) -> None:
        if projection.name == "modules" and failures:
            raise failures.pop()
        await create(connection, projection, generation)

    monkeypatch.setattr(generations, "create_tables", fail_first)
    async with running(stage.runner("new")):
        await eventually(lambda: upgraded(stage))
        await eventually(stage.caught_up)
    told = [entry["event"] for entry in logs if entry["event"].startswith("rebuild_")]
    assert told == ["rebuild_interrupted", "rebuild_failed"]
