"""A rebuild that is interrupted leaves the shown generation as it was, and the next one cleans up."""

import asyncio
from contextlib import suppress
from random import Random

import pytest
from eventsourcing.persistence import IntegrityError

from adapters.bootstrap import PROJECTIONS
from domain.words import DEFAULT_LEDGER, Position
from projections import batches, generations, rebuild
from projections.activity import ActivityProjection
from projections.projector import Projector
from projections.rebuild import Rebuild
from projections.users import UsersProjection
from tests.integration.projections.model import expected, shown
from tests.integration.projections.stage import Stage, eventually, running
from tests.integration.projections.varied import drafts

ACTIVITY = ActivityProjection()


class Interrupted(Exception):
    """What stops a rebuild in these tests."""


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches and gaps so small that few events take many steps."""
    monkeypatch.setattr(batches, "BATCH", 50)
    monkeypatch.setattr(rebuild, "_CLOSE", 60)


def silent(_done: int, _of: int) -> None:
    """No progress bar."""


def tables_of(generation: int) -> set[str]:
    others = {table.name for projection in PROJECTIONS[1:] for table in projection.tables}
    return {f"{name}_1" for name in others} | {f"{table.name}_{generation}" for table in ACTIVITY.tables}


STEPS = {
    "before it begins": (generations, "create_tables"),
    "while it fills": (Rebuild, "_fill"),
    "before the indexes": (generations, "create_indexes"),
    "at the switch": (Rebuild, "_switch"),
    "in the switch": (generations, "show"),
    "before it is done": (generations, "drop"),
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_rebuild_that_fails_at_any_step_can_be_done_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """What was shown is untouched; what is left over goes away with the next rebuild."""
    await stage.append(drafts(Random(1), 200))
    await stage.project()
    before = await shown(stage, DEFAULT_LEDGER)
    place, name = STEPS[step]
    original = getattr(place, name)

    async def fail_after(*arguments: object) -> None:
        await original(*arguments)
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(place, name, fail_after)
        with pytest.raises(Interrupted):
            await stage.rebuild(ACTIVITY).run(silent)
    assert await shown(stage, DEFAULT_LEDGER) == before == await expected(stage, DEFAULT_LEDGER)
    await stage.rebuild(ACTIVITY, "another").run(silent)
    assert await shown(stage, DEFAULT_LEDGER) == before
    assert await stage.tables() in (tables_of(2), tables_of(3))


@pytest.mark.parametrize("seed", range(2))
async def test_rebuilds_cancelled_at_random_disturb_nobody(stage: Stage, seed: int) -> None:
    """Nor does a connection killed in the midst; the next rebuild succeeds, and old tables are gone."""
    random = Random(seed)
    await stage.append(drafts(random, 300))
    await stage.project()
    async with running(stage.runner("one")):
        for _ in range(8):
            attempt = asyncio.create_task(stage.rebuild(ACTIVITY).run(silent))
            await asyncio.sleep(random.random() * 0.15)
            if random.random() < 0.3:
                await stage.kill_projectors()
            else:
                attempt.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await attempt
            await stage.owner.execute("DELETE FROM reading.leases WHERE work = 'activity rebuild'")
            assert len(await stage.rows("activity")) >= 300
            await stage.append(drafts(random, 20))
        await stage.rebuild(ACTIVITY).run(silent)
        await eventually(stage.caught_up)
    assert await shown(stage, DEFAULT_LEDGER) == await expected(stage, DEFAULT_LEDGER)
    shown_generation = await stage.owner.fetchval(
        "SELECT generation FROM reading.generations WHERE projection = 'activity'"
    )
    assert await stage.tables() == tables_of(shown_generation)
    assert await stage.set_aside() == {}


async def test_a_rebuild_that_lost_its_lease_leaves_no_gap(stage: Stage) -> None:
    """Another has dropped its tables and begun anew; it hears so instead of going on from where it was."""
    await stage.append(drafts(Random(3), 200))
    await stage.project()
    users = UsersProjection()
    async with stage.pool.acquire() as connection:
        await generations.create_tables(connection, users, 2)
    old = Projector(users, 2, stage.pool, stage.batches())
    reached = await old.advance(DEFAULT_LEDGER, Position(0))
    async with stage.pool.acquire() as connection, connection.transaction():
        await generations.drop(connection, users, 2)
        await generations.create_tables(connection, users, 2)
    with pytest.raises(IntegrityError):
        await old.advance(DEFAULT_LEDGER, reached)
    assert await stage.owner.fetchval("SELECT count(*) FROM reading.users_2") == 0
