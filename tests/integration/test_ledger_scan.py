"""The processes that scan a ledger: none outlives who started it, and none dies unnoticed."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from random import Random

import pytest

from adapters.postgres.ledger_scan import PostgresLedgerScan
from domain.errors import StoreUnavailable
from domain.stretch import Stretch
from domain.words import DEFAULT_LEDGER, Ledger, Position
from tests.chaos import process_tree
from tests.integration.projections.stage import Stage, eventually, opened
from tests.integration.projections.varied import drafts

COUNT, WIDTH = 256, 16
CUTS = [(Position(start), Position(start + WIDTH)) for start in range(0, COUNT, WIDTH)]

_ORPHAN = """
import asyncio, os, signal
from adapters.postgres import stretch_worker
from adapters.processes import started_process

async def main():
    process = await started_process(stretch_worker.begin, "postgresql://nowhere")
    print(await process.call(os.getpid), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def children() -> set[int]:
    """The processes that check stretches for this one."""
    own = process_tree.children(os.getpid())
    return {child for child in own if b"adapters.processes" in process_tree.read(child, "cmdline")}


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with opened(database_url) as stage:
        await stage.append(drafts(Random(3), COUNT))
        yield stage


async def scanned(scan: PostgresLedgerScan, workers: int) -> list[Stretch]:
    async with aclosing(scan.stretches(DEFAULT_LEDGER, CUTS, [5, 16, 200], workers)) as stretches:
        return [stretch async for stretch in stretches]


async def test_stretches_come_in_their_order_however_many_processes_there_are(stage: Stage) -> None:
    """With the trees that were asked for; afterwards no process is left."""
    scan = PostgresLedgerScan(stage.pool, stage.url)
    found = [await scanned(scan, workers) for workers in (0, 1, 3)]
    for stretches in found:
        assert [(one.start.position, one.end.position) for one in stretches] == CUTS
        assert [sorted(one.trees) for one in stretches if one.trees] == [[5, 16], [200]]
        assert not [one.tampering for one in stretches if one.tampering]
    assert [[one.end for one in stretches] for stretches in found[1:]] == [[one.end for one in found[0]]] * 2
    assert not children()


async def test_a_process_that_is_killed_is_told_of(stage: Stage) -> None:
    """What it had before it was not checked, and must not seem to be."""
    scan = PostgresLedgerScan(stage.pool, stage.url)
    async with aclosing(scan.stretches(DEFAULT_LEDGER, CUTS, [], 1)) as stretches:
        await anext(stretches)
        for child in children():
            os.kill(child, signal.SIGKILL)
        with pytest.raises(StoreUnavailable, match="was ended from outside"):
            _ = [stretch async for stretch in stretches]
    assert not children()


async def test_a_process_that_cannot_connect_is_told_of(stage: Stage) -> None:
    """As everywhere, with an error that says that the database is away."""
    scan = PostgresLedgerScan(stage.pool, stage.url.replace("/test_", "/nothing_"))
    with pytest.raises(StoreUnavailable, match="the database does not answer"):
        await scanned(scan, 1)


async def test_a_process_ends_with_its_parent() -> None:
    """However that ends."""
    root = str(Path(__file__).parents[2])
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _ORPHAN, env=os.environ | {"PYTHONPATH": root}, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await parent.communicate()
    assert parent.returncode == -signal.SIGKILL
    child = int(out)

    async def is_gone() -> bool:
        return _is_gone(child)

    await eventually(is_gone)


def _is_gone(process: int) -> bool:
    status = Path(f"/proc/{process}/status")
    return not status.exists() or "zombie" in status.read_text()


@pytest.mark.parametrize("version", [0, 1, 3, 1000])
async def test_versions_are_compared_with_those_before(stage: Stage, version: int) -> None:
    """Of all events, or of new ones only; none is left out, and none is there twice."""
    scan = PostgresLedgerScan(stage.pool, stage.url)
    for after in (0, 100):
        assert await scan.first_version_gap(DEFAULT_LEDGER, Position(after), Position(COUNT)) is None
    await stage.owner.execute("ALTER TABLE audit.events DISABLE TRIGGER ALL")
    await stage.owner.execute("ALTER TABLE audit.events DROP CONSTRAINT events_version")
    second = await stage.owner.fetchval(
        "SELECT max(position) FROM audit.events WHERE position > 100 AND originator_version = 2"
    )
    await stage.owner.execute("UPDATE audit.events SET originator_version = $2 WHERE position = $1", second, version)
    for after in (0, 100):
        assert await scan.first_version_gap(DEFAULT_LEDGER, Position(after), Position(COUNT)) == second
    assert await scan.first_version_gap(Ledger("other"), Position(0), Position(COUNT)) is None


async def test_a_scan_that_is_left_leaves_no_process(stage: Stage) -> None:
    """Whoever asked may go away in the middle."""
    scan = PostgresLedgerScan(stage.pool, stage.url)
    async with aclosing(scan.stretches(DEFAULT_LEDGER, CUTS, [], 2)) as stretches:
        await anext(stretches)
        assert children()
    assert not children()
