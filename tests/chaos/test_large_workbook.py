"""More events than a sheet holds, in a workbook that others read."""

import asyncio
import os
from pathlib import Path
from typing import cast

import pytest
from python_calamine import CalamineWorkbook

from adapters.exports.tally import Tally
from adapters.exports.xlsx.workbook import SHEET_ROWS, Workbook
from adapters.processes import WorkProcess
from domain.evidence_page import EvidencePage
from domain.exported import EVENT_COLUMNS, Columns, facts_of
from tests.builders import draft
from tests.unit.exports.files import WORDS, Events, Here, proof_of

ROWS = 1_100_000
PAGE = 1_000
SOME = ("User", "Activity", "Description", "Status", "Position")
COLUMNS = Columns(column for column in EVENT_COLUMNS if column.title in SOME)


@pytest.mark.skipif(int(os.environ.get("CHAOS_ROUNDS", "1")) < 2, reason="takes minutes and gigabytes: make chaos")
def test_1_100_000_rows_roll_over_and_are_read(tmp_path: Path) -> None:
    """calamine finds each of them, on two sheets, cell by cell; five columns, since it holds all in memory."""
    events = Events.of(draft(actor={"id": f"u-{n}", "kind": "user", "full_name": f"=User {n}"}) for n in range(PAGE))
    page = events.rows()
    whole = EvidencePage.of(page)
    path = tmp_path / "large.xlsx"

    async def write() -> None:
        builder = cast("WorkProcess", Here())
        workbook, tally = Workbook(builder, WORDS, COLUMNS, evidence=False), Tally()
        with path.open("wb") as file:
            file.write(await workbook.begin())
            for _ in range(ROWS // PAGE):
                file.write(await workbook.add(whole, await workbook.built(builder, whole), tally))
            facts, proof = proof_of(tally, events.leaves)
            async for data in workbook.end(facts, proof):
                file.write(data)

    asyncio.run(write())
    found = CalamineWorkbook.from_path(path)
    assert found.sheet_names[:2] == ["Events", "Events 2"]
    expected = [COLUMNS.cells(facts_of(row.record, row.personal, WORDS)[0]) for row in page]
    number = 0
    for name in found.sheet_names[:2]:
        _, *rows = found.get_sheet_by_name(name).iter_rows()
        assert len(rows) == (SHEET_ROWS if name == "Events" else ROWS - SHEET_ROWS)
        for row in rows:
            assert row[: len(SOME)] == expected[number % PAGE]
            number += 1
    assert number == ROWS
