"""One process at a time runs a projector; the others stand by, and are woken when something happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import pytest

from adapters.postgres import wake_ups
from domain.words import DEFAULT_LEDGER, Ledger
from projections import lease, runner
from projections.batches import BATCH
from projections.lease import Lease
from projections.modules import ModulesProjection
from projections.runner import Runner
from tests.builders import draft
from tests.integration.projections.stage import Stage, eventually, running

MODULES = ModulesProjection()
FAR_AWAY = 3600.0

_END_LISTENER = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND query ~ '^(LISTEN|SELECT$)'
"""


async def holder(stage: Stage) -> str | None:
    found: str | None = await stage.owner.fetchval("SELECT holder FROM reading.leases WHERE work = 'modules'")
    return found


async def held_by(stage: Stage, name: str) -> bool:
    return await holder(stage) == name


async def expire(stage: Stage) -> None:
    await stage.owner.execute("UPDATE reading.leases SET until = now() - interval '1 second'")


async def applied(stage: Stage, position: int, ledger: Ledger = DEFAULT_LEDGER) -> bool:
    return await stage.tracked("modules", ledger) == position


async def test_a_lease_is_had_by_one(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its holder keeps it, under the same name even in a new task; another gets it after its release."""
    monkeypatch.setattr(lease, "_ASK_AGAIN_SECONDS", 0)
    one, other = Lease(stage.pool, "work", "one"), Lease(stage.pool, "work", "other")
    assert await one.hold()
    assert await one.hold()
    assert not await other.hold()
    assert await Lease(stage.pool, "work", "one").hold()
    await other.release()
    assert not await other.hold()
    await one.release()
    assert await other.hold()
    assert not await one.hold()


async def test_who_waits_for_a_lease_does_not_ask_all_the_time(stage: Stage) -> None:
    """However often it is woken, it asks the database about once a second."""
    one, other = Lease(stage.pool, "work", "one"), Lease(stage.pool, "work", "other")
    assert await one.hold()
    assert not await other.hold()
    await one.release()
    assert not await other.hold()
    other._ask_at = 0.0
    assert await other.hold()


async def test_a_lease_runs_out(stage: Stage) -> None:
    """Then another has it, and who had it first hears so when it looks again."""
    one, other = Lease(stage.pool, "work", "one"), Lease(stage.pool, "work", "other")
    assert await one.hold()
    await expire(stage)
    assert await other.hold()
    assert not await Lease(stage.pool, "work", "one").hold()


async def test_of_many_who_ask_at_once_one_gets_the_lease(stage: Stage) -> None:
    """The row decides."""
    leases = [Lease(stage.pool, "work", str(number)) for number in range(10)]
    assert sum(await asyncio.gather(*(lease.hold() for lease in leases))) == 1


async def test_a_lease_is_renewed_before_it_runs_out(stage: Stage) -> None:
    """A holder that keeps asking pushes its end further away, now and then."""
    held = Lease(stage.pool, "work", "one")
    await held.hold()
    first = await stage.owner.fetchval("SELECT until FROM reading.leases")
    await held.hold()
    assert await stage.owner.fetchval("SELECT until FROM reading.leases") == first
    held._ask_at = 0.0
    assert await held.hold()
    assert await stage.owner.fetchval("SELECT until FROM reading.leases") > first


async def test_only_one_runner_works_until_it_leaves(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other takes over as soon as the first has let go."""
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    await stage.append([draft()])
    async with running(stage.runner("other", [MODULES])):
        async with running(stage.runner("one", [MODULES])):
            await eventually(lambda: applied(stage, 1))
            first = await holder(stage)
            await stage.append([draft() for _ in range(20)])
            await eventually(lambda: applied(stage, 21))
            assert await holder(stage) == first
        await eventually(lambda: held_by(stage, "other"))
        await stage.append([draft()])
        await eventually(lambda: applied(stage, 22))


async def test_a_runner_takes_over_from_one_that_vanished(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits while the lease lasts, and not longer."""
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    await stage.append([draft()])
    assert await Lease(stage.pool, "modules", "vanished").hold()
    asked = asyncio.Event()
    hold = Lease.hold

    async def hold_and_tell(self: Lease) -> bool:
        held = await hold(self)
        asked.set()
        return held

    monkeypatch.setattr(Lease, "hold", hold_and_tell)
    async with running(stage.runner("heir", [MODULES])):
        await asked.wait()
        assert await stage.tracked("modules") == 0
        await expire(stage)
        await eventually(lambda: applied(stage, 1))
        assert await held_by(stage, "heir")


@asynccontextmanager
async def announced(stage: Stage, woken: Runner) -> AsyncIterator[wake_ups.Announcer]:
    """What appends announce, on its way through the database to a runner."""
    announcer = wake_ups.Announcer(stage.writer, wake_ups.APPENDED)
    heard = {wake_ups.APPENDED: woken.wake}
    tasks = [asyncio.create_task(work) for work in (announcer.run(), wake_ups.listen(stage.url, heard))]
    try:
        yield announcer
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def listener(stage: Stage) -> int | None:
    found: int | None = await stage.owner.fetchval(
        "SELECT pid FROM pg_stat_activity WHERE query ~ '^LISTEN' AND datname = current_database()"
    )
    return found


async def test_a_runner_is_woken_by_an_announcement(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for its next poll."""
    monkeypatch.setattr(runner, "POLL_SECONDS", FAR_AWAY)
    woken = stage.runner("one", [MODULES])
    async with running(woken), announced(stage, woken) as announcer:
        for position in range(1, 4):
            await stage.append([draft()])
            announcer.announce(DEFAULT_LEDGER)
            await eventually(partial(applied, stage, position))


async def test_only_named_ledgers_are_looked_at_but_to_their_ends(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many ledgers there are, an append costs the projectors no more."""
    monkeypatch.setattr(runner, "POLL_SECONDS", FAR_AWAY)
    other, batches = Ledger("other"), 3
    woken = stage.runner("one", [MODULES])
    await stage.append([draft()])
    async with running(woken):
        await eventually(lambda: applied(stage, 1))
        await stage.append([draft()], other)
        await stage.append([draft() for _ in range(batches * BATCH)])
        woken.wake(DEFAULT_LEDGER)
        await eventually(lambda: applied(stage, 1 + batches * BATCH))
        assert await stage.tracked("modules", other) == 0
        woken.wake()
        await eventually(lambda: applied(stage, 1, other))


async def test_what_was_appended_while_nobody_listened_is_found_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listener wakes the runner after it has connected again: announcements in between are lost."""
    monkeypatch.setattr(runner, "POLL_SECONDS", FAR_AWAY)
    monkeypatch.setattr(wake_ups, "_PROBE_SECONDS", 0.01)
    monkeypatch.setattr(wake_ups, "_RECONNECT_SECONDS", 0.01)
    woken = stage.runner("one", [MODULES])
    async with running(woken), announced(stage, woken) as announcer:
        await stage.append([draft()])
        announcer.announce(DEFAULT_LEDGER)
        await eventually(lambda: applied(stage, 1))
        connect = asyncpg.connect
        may_connect = asyncio.Event()

        async def connect_later(*args: Any, **options: Any) -> object:
            await may_connect.wait()
            return await connect(*args, **options)

        with monkeypatch.context() as patched:
            patched.setattr(asyncpg, "connect", connect_later)
            await stage.owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^(LISTEN|SELECT$)'"
            )
            await eventually(lambda: _nobody_listens(stage))
            await stage.append([draft()])
            await stage.owner.execute(f"NOTIFY {wake_ups.APPENDED}")
            may_connect.set()
            await eventually(lambda: applied(stage, 2))


async def _nobody_listens(stage: Stage) -> bool:
    return await listener(stage) is None


async def test_polling_finds_what_nobody_announced(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost announcement costs a little time and nothing else."""
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.02)
    async with running(stage.runner("one", [MODULES])):
        for position in range(1, 4):
            await stage.append([draft()])
            await eventually(partial(applied, stage, position))
    assert await stage.rows("modules", DEFAULT_LEDGER)
