"""A process killed by SIGKILL in the midst of its work leaves nothing half done."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random

import pytest

from domain.words import DEFAULT_LEDGER, Position
from projections import runner
from tests.integration.projections import runner_process
from tests.integration.projections.model import expected, shown
from tests.integration.projections.stage import Stage, eventually, running
from tests.integration.projections.varied import drafts

EVENTS = 1500
_ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def killed_in_the_end(stage: Stage, holder: str) -> AsyncIterator[None]:
    """A process that projects, and gets SIGKILL when the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", runner_process.__name__, stage.url, holder, cwd=_ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield
        assert process.returncode is None
    finally:
        process.kill()
        await process.wait()


async def test_what_a_killed_process_began_another_finishes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes die half-way; when their leases have run out, a third gives each event its one row."""
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    random = Random(7)
    await stage.append(drafts(random, EVENTS))
    reached = Position(0)
    for holder in ("first", "second"):
        before = reached
        async with killed_in_the_end(stage, holder):
            await eventually(partial(_beyond, stage, before + 150))
        reached = await stage.tracked("activity")
        assert before < reached < EVENTS
        assert await stage.owner.fetchval("SELECT bool_and(holder = $1) FROM reading.leases", holder)
        await stage.owner.execute("UPDATE reading.leases SET until = now() - interval '1 second'")
    await stage.append(drafts(random, 10))
    async with running(stage.runner("third")):
        await eventually(stage.caught_up)
    assert await shown(stage, DEFAULT_LEDGER) == await expected(stage, DEFAULT_LEDGER)
    assert await stage.set_aside() == {}


async def _beyond(stage: Stage, position: int) -> bool:
    return await stage.tracked("activity") > position
