"""The read table `findings`: rules judge each event once, in whatever batches they come, and anew when they change."""

from random import Random
from typing import Any

import pytest

from domain.findings.rules import RULES
from domain.findings.thresholds import Thresholds
from domain.words import DEFAULT_LEDGER, Position
from projections import generations
from projections.entities import EntitiesProjection
from projections.findings import FindingsProjection
from tests.builders import draft
from tests.integration.projections.stage import Stage
from tests.lives import lives
from tests.told import actor, step


async def _statuses(stage: Stage) -> dict[str, str]:
    rows = await stage.owner.fetch("SELECT finding_id, status FROM reading.findings_1")
    return {row["finding_id"]: row["status"] for row in rows}


async def _rows(stage: Stage, generation: int) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await stage.owner.fetch(f"SELECT * FROM reading.findings_{generation} ORDER BY 1, 2")]


async def test_a_late_report_withdraws_a_finding(stage: Stage) -> None:
    """Over batches, and within one."""
    export = step("ExportKey", "key:k", 5, correlation_id="s")
    ceremony = step("StartKeyCeremony", "key_ceremony:c", 0, correlation_id="s")
    for steps in ([export], [ceremony], [export | {"entity": {"type": "key", "id": "l"}, "correlation_id": "t"}]):
        await stage.append([draft(**one) for one in steps])
        await stage.project([FindingsProjection()])
    assert await _statuses(stage) == {"key_outside_ceremony-1": "withdrawn", "key_outside_ceremony-3": "open"}


@pytest.mark.parametrize("sizes", [(1,), (7, 30), (1000,)])
async def test_batches_make_no_difference(stage: Stage, sizes: tuple[int, ...]) -> None:
    """The same events give the same findings."""
    projector = await stage.projector(FindingsProjection())
    drafts, position, number = lives(Random(5), 200, DEFAULT_LEDGER), Position(0), 0
    while drafts:
        some = sizes[number % len(sizes)]
        await stage.append(drafts[:some])
        drafts, number = drafts[some:], number + 1
        position = await projector.advance(DEFAULT_LEDGER, position)
    found = await _statuses(stage)
    assert len(found) > 20
    assert {finding_id.rsplit("-", 1)[0] for finding_id in found} <= {rule.name for rule in RULES}
    once = await _rows(stage, 1)
    await stage.rebuild(FindingsProjection()).run(lambda _done, _of: None)
    assert await _rows(stage, 2) == once


async def test_an_acknowledgement_of_what_was_never_found_changes_nothing(stage: Stage) -> None:
    acknowledged = step("AcknowledgeAuditFinding", "finding:nothing-1", details={"comment": "x"})
    await stage.append([draft(**acknowledged)])
    await stage.project([FindingsProjection()])
    assert await _statuses(stage) == {}
    assert await stage.set_aside() == {}


async def test_other_thresholds_ask_for_other_tables(stage: Stage) -> None:
    """So that they judge all of history again; the same ones do nothing, nor do projections without thresholds."""
    usual, strict = FindingsProjection(), FindingsProjection(Thresholds(failed_log_ins=3))
    tries = [step("LogInUser", "user:u", n, failure=True, actor=actor("u")) for n in range(4)]
    await stage.append([draft(**one) for one in tries])
    await stage.project([usual, EntitiesProjection()])
    assert await _statuses(stage) == {}
    async with stage.pool.acquire() as connection:
        for projection, fits in ((usual, True), (EntitiesProjection(), True), (strict, False)):
            assert await generations.in_shape(connection, projection, 1) == fits
    await stage.rebuild(strict).run(lambda _done, _of: None)
    rows = await stage.owner.fetch("SELECT finding_id, words FROM reading.findings_2")
    assert [tuple(row) for row in rows] == [
        ("many_failed_log_ins-1", "4 log-ins of u failed in short order, from an unknown address")
    ]
    async with stage.pool.acquire() as connection:
        assert await generations.in_shape(connection, strict, 2)
