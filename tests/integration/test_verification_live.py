"""Verification raises no false alarm, whatever goes on meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

from pydantic import SecretStr
from structlog.testing import capture_logs

from adapters import bootstrap
from adapters.bootstrap import PROJECTIONS, Trail
from adapters.settings import Settings
from application.verification import Scope
from domain.words import DEFAULT_LEDGER
from tests.integration.projections.stage import Stage, opened, running
from tests.integration.projections.varied import drafts

_TIMES = 4
_PAUSE_SECONDS = 0.1
"""Between batches: without it a slow machine verifies ever more."""


@asynccontextmanager
async def meanwhile_appending(stage: Stage) -> AsyncIterator[None]:
    """Events are recorded, projected and signed for as long as the block takes."""

    async def append() -> None:
        random = Random(1)
        while True:
            await stage.append(drafts(random, 40))
            await asyncio.sleep(_PAUSE_SECONDS)

    appending = asyncio.create_task(append())
    try:
        yield
        assert not appending.done()
    finally:
        appending.cancel()
        with suppress(asyncio.CancelledError):
            await appending


async def sign(trail: Trail) -> None:
    for standing in await trail.services.signer.trees.standing(everything=True):
        await trail.services.signer.sign(standing)


async def test_events_that_come_meanwhile_are_no_tampering(database_url: str, tmp_path: Path) -> None:
    """Nor are checkpoints that are signed, or tables that move and are rebuilt, while all is read."""
    settings = Settings(database_url=SecretStr(database_url), data_dir=tmp_path)
    with capture_logs():
        async with opened(database_url) as stage, bootstrap.trail(database_url, settings) as trail:
            await stage.append(drafts(Random(0), 500))
            await stage.project()
            async with running(stage.runner("one")), meanwhile_appending(stage):
                for number in range(_TIMES):
                    await sign(trail)
                    verdict, _, _ = await asyncio.gather(
                        trail.services.verifications.verdict(DEFAULT_LEDGER, Scope(workers=0)),
                        sign(trail),
                        stage.rebuild(PROJECTIONS[number]).run(lambda *_: None),
                    )
                    assert verdict.tampering == ()
                    assert len([line for line in verdict.checked if "read table" in line]) == len(PROJECTIONS)
            head = await stage.owner.fetchval("SELECT position FROM audit.heads WHERE ledger = 'default'")
            assert head > verdict.to_position > 500


async def test_tables_that_are_behind_one_another_are_each_compared_where_they_are(
    database_url: str, tmp_path: Path
) -> None:
    """One that lags is not wrong, whatever was read for the others."""
    settings = Settings(database_url=SecretStr(database_url), data_dir=tmp_path)
    with capture_logs():
        async with opened(database_url) as stage, bootstrap.trail(database_url, settings) as trail:
            for projections in (PROJECTIONS, PROJECTIONS[:1], PROJECTIONS[:3]):
                await stage.append(drafts(Random(0), 300))
                await stage.project(projections)
            await stage.append(drafts(Random(0), 300))
            await stage.project(PROJECTIONS[:1])
            verdict = await trail.services.verifications.verdict(DEFAULT_LEDGER, Scope(workers=0))
    assert verdict.tampering == ()
    compared = [int(line.rsplit(" ", 1)[1]) for line in verdict.checked if "read table" in line]
    assert compared == [1200, 900, 900, *[300] * (len(PROJECTIONS) - 3)]
