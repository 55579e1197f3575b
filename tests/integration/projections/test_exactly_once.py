"""Each event counts exactly once in each read table, whatever dies and whoever works at the same time."""

import asyncio
from collections.abc import Sequence
from random import Random

import asyncpg
import pytest
from eventsourcing.persistence import IntegrityError, Tracking

from adapters.bootstrap import PROJECTIONS
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections import batches, lease, projector, runner
from projections.activity import ActivityProjection
from projections.projection import Projection
from projections.tracking import insert_tracking
from projections.users import UsersProjection
from tests.integration.projections.model import expected, shown
from tests.integration.projections.stage import Stage, eventually, opened, running
from tests.integration.projections.varied import drafts

LEDGERS = (DEFAULT_LEDGER, Ledger("other"))


class LeaseOfOneWhoNeverLooks(lease.Lease):
    """Held by everybody, in everybody's own opinion."""

    async def hold(self) -> bool:
        return True


class LeaseThatLosesCancellations(lease.Lease):
    """What the driver makes of a cancellation when its connection breaks at the same time."""

    async def hold(self) -> bool:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise asyncpg.ConnectionDoesNotExistError from None
        return False


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small batches, so that there is much to interrupt."""
    monkeypatch.setattr(batches, "BATCH", 30)
    monkeypatch.setattr(projector, "SPAN", 30)
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(runner, "_AFTER_TROUBLE_SECONDS", 0.01)


async def assert_exact(stage: Stage, ledgers: Sequence[Ledger] = LEDGERS) -> None:
    """All tables say what loops over the ledgers say, and nothing was set aside."""
    assert await stage.set_aside() == {}
    for ledger in ledgers:
        wanted, found = await expected(stage, ledger), await shown(stage, ledger)
        for table, rows in wanted.items():
            assert found[table] == rows, table


class Crowd:
    """Runners that come and go."""

    def __init__(self, stage: Stage, random: Random) -> None:
        self._stage = stage
        self._random = random
        self._tasks: list[asyncio.Task[None]] = []
        self._number = 0

    def join(self) -> None:
        self._number += 1
        self._tasks.append(asyncio.create_task(self._stage.runner(f"holder-{self._number}").run()))

    async def leave(self) -> None:
        """One is cancelled wherever it is; a runner may end in no other way."""
        if self._tasks:
            task = self._tasks.pop(self._random.randrange(len(self._tasks)))
            assert not task.done(), task.exception()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    async def disperse(self) -> None:
        while self._tasks:
            await self.leave()


async def mishaps(stage: Stage, random: Random, rounds: int) -> None:
    """Append while runners are started, cancelled and cut off, two or three at a time."""
    crowd = Crowd(stage, random)
    try:
        for _ in range(rounds):
            ledger = random.choice(LEDGERS)
            await stage.append(drafts(random, random.randrange(1, 120), ledger), ledger)
            what = random.random()
            if what < 0.35:
                crowd.join()
            elif what < 0.6:
                await crowd.leave()
            else:
                await stage.kill_projectors()
            await asyncio.sleep(random.random() * 0.03)
    finally:
        await crowd.disperse()


@pytest.mark.parametrize("seed", range(2))
async def test_tables_are_exact_after_any_interruptions(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Leases run out before their holders know, tasks are cancelled and connections killed."""
    monkeypatch.setattr(lease, "SECONDS", 0.05)
    await mishaps(stage, Random(seed), 20)
    async with running(stage.runner("last")):
        await eventually(stage.caught_up)
    await assert_exact(stage)


@pytest.mark.parametrize("seed", range(2))
async def test_tables_are_exact_without_any_lease(stage: Stage, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Correctness does not rest on the lease: all work at once, and on the same events."""
    monkeypatch.setattr(runner, "Lease", LeaseOfOneWhoNeverLooks)
    await mishaps(stage, Random(seed), 20)
    async with opened(stage.url) as other, running(stage.runner("one"), stage.runner("two"), other.runner("three")):
        await eventually(stage.caught_up)
    await assert_exact(stage)


async def test_a_runner_ends_although_the_driver_lost_that_it_should(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its projectors know that they were cancelled, whatever error they were told instead."""
    monkeypatch.setattr(runner, "Lease", LeaseThatLosesCancellations)
    task = asyncio.create_task(stage.runner("cancelled").run())
    await asyncio.sleep(0.05)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done
    assert task.cancelled()


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
async def test_one_who_was_overtaken_changes_nothing(stage: Stage, projection: Projection) -> None:
    """A projector that still believes in an old position is refused, and sets nothing aside."""
    await stage.append(drafts(Random(1), 60))
    projector = await stage.projector(projection)
    await projector.advance(DEFAULT_LEDGER, Position(0))
    before = [await stage.rows(table.name) for table in projection.tables]
    for stale in (0, 10):
        with pytest.raises(IntegrityError):
            await projector.advance(DEFAULT_LEDGER, Position(stale))
    assert [await stage.rows(table.name) for table in projection.tables] == before
    assert await stage.tracked(projection.name) == 30
    assert await stage.set_aside() == {}


async def test_two_projectors_that_apply_the_same_batch_at_once_apply_it_once(stage: Stage) -> None:
    """Whoever commits second is refused, although both began from the same position."""
    await stage.append(drafts(Random(2), 30))
    one, other = await stage.projector(UsersProjection()), await stage.projector(UsersProjection())
    answers = await asyncio.gather(
        *(projector.advance(DEFAULT_LEDGER, Position(0)) for projector in (one, other)), return_exceptions=True
    )
    assert [isinstance(answer, IntegrityError) for answer in answers].count(True) == 1
    await stage.project()
    await assert_exact(stage, [DEFAULT_LEDGER])


async def test_a_position_cannot_be_moved_where_none_is_kept(stage: Stage) -> None:
    """One who goes on in a generation that was dropped and begun anew would else leave a gap in it."""
    async with stage.pool.acquire() as connection:
        with pytest.raises(IntegrityError):
            await insert_tracking(connection, "activity", 2, Tracking(DEFAULT_LEDGER, 60), 30)
    assert await stage.tracked("activity") == 0


async def test_a_commit_whose_answer_is_lost_is_not_repeated(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner finds that it is done, and goes on from there."""
    await stage.append(drafts(Random(3), 90))
    commit = asyncpg.transaction.Transaction.__aexit__
    lost: list[int] = []

    async def commit_and_die(self: asyncpg.transaction.Transaction, *error: object) -> None:
        await commit(self, *error)
        if error[0] is None and len(lost) < 3:
            lost.append(1)
            raise asyncpg.ConnectionDoesNotExistError("the line is dead")

    projection = UsersProjection()
    await stage.projector(projection)
    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.transaction.Transaction, "__aexit__", commit_and_die)
        async with running(stage.runner("one", [projection])):
            await eventually(lambda: _at(stage, projection.name, 90))
    assert len(lost) == 3
    await stage.project([ActivityProjection(), *PROJECTIONS[2:]])
    await assert_exact(stage, [DEFAULT_LEDGER])


async def _at(stage: Stage, projection: str, position: int) -> bool:
    return await stage.tracked(projection) == position
