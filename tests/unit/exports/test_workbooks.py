"""A workbook says to others what the ledger says, whatever the texts are."""

import csv
from collections.abc import Callable
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from adapters.exports.verifying import check_export
from adapters.exports.xlsx.reader import SheetReader
from adapters.exports.xlsx.texts import CELL_UNITS, unescape
from domain.exported import EVENT_COLUMNS, Evidence, facts_of, in_days
from domain.words import ExportFormat, Order
from tests.builders import draft, identifiers, texts
from tests.unit.exports.files import PUBLIC_KEY, WORDS, Events, exported

TITLES = [*EVENT_COLUMNS.titles, "Record", "Personal", "Leaf hash", "Chain hash"]
HOSTILE = (
    "=1+1",
    '=HYPERLINK("http://evil.example","x")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "'quoted",
    "007",
    "12345678901234567890",
    "1e5",
    "TRUE",
    "2026-01-01",
    " leading and trailing ",
    "line\nbreak\r\nand\rreturn\ttab",
    "\x01\x0b\x1f",
    "_x0041_",
    "_x005F_x0041_",
    "\ufffe\uffff",
    "\u202e\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "<b>&amp;</b>]]>",
    '"' * 10,
    "\xa0\u3000\u2028",
)


def hostile_events() -> Events:
    return Events.of(
        draft(
            entity={"type": "certificate", "id": text, "name": text},
            actor={"id": text, "kind": "user", "full_name": text, "user_agent": text},
            correlation_id=text,
            status="failure",
            failure={"code": "denied", "reason": text},
            changes=[{"path": text, "old": text, "new": None}],
        )
        for text in HOSTILE
    )


def expected(row: Evidence) -> list[Any]:
    facts, _ = facts_of(row.record, row.personal, WORDS)
    personal = None if row.personal is None else row.personal.decode()
    return [
        *EVENT_COLUMNS.cells(facts),
        row.record.decode(),
        personal,
        row.leaf_hash.hex(),
        row.chain_hash.hex(),
    ]


def by_ourselves(data: bytes, sheet: str = "Events") -> list[list[Any]]:
    with ZipFile(BytesIO(data)) as archive:
        return list(SheetReader(archive).rows(sheet))


def by_openpyxl(data: bytes, sheet: str = "Events") -> list[list[Any]]:
    workbook = openpyxl.load_workbook(BytesIO(data))
    # It leaves the escapes to its callers.
    return [[_plain(cell.value, unescape) for cell in row] for row in workbook[sheet].iter_rows()]


def by_calamine(data: bytes, sheet: str = "Events") -> list[list[Any]]:
    rows = CalamineWorkbook.from_filelike(BytesIO(data)).get_sheet_by_name(sheet).to_python()
    # It leaves escaped what is no character.
    return [
        [_plain(cell, lambda text: text.replace("_xFFFE_", "\ufffe").replace("_xFFFF_", "\uffff")) for cell in row]
        for row in rows
    ]


def _plain(value: Any, text: Callable[[str], str]) -> Any:
    """Times in days."""
    if isinstance(value, datetime):
        return in_days(f"{value.isoformat(timespec='microseconds')}Z")
    return text(value) if isinstance(value, str) else value


def agree(found: list[list[Any]], rows: list[Evidence]) -> None:
    """Header and rows, cell by cell; times to the half millisecond that some readers round to."""
    head, *body = found
    assert head[: len(TITLES)] == TITLES
    assert len(body) == len(rows)
    for cells, row in zip(body, rows, strict=True):
        for title, cell, wanted in zip(TITLES, cells, expected(row), strict=False):
            if title.endswith("(UTC)"):
                assert cell == pytest.approx(wanted, abs=0.0006 / 86_400), title
            elif wanted is None:
                assert cell in (None, ""), title
            else:
                assert cell == wanted, title


@pytest.mark.parametrize("read", [by_ourselves, by_openpyxl, by_calamine])
def test_hostile_texts_are_what_they_were(read: Any) -> None:
    """No formula, no number, no date, no character lost: three readers that do not know each other agree."""
    events = hostile_events()
    agree(read(exported(events, events.rows())), events.rows())


def test_no_cell_is_a_formula() -> None:
    """Every text is marked as one."""
    events = hostile_events()
    workbook = openpyxl.load_workbook(BytesIO(exported(events, events.rows())))
    kinds = {cell.data_type for sheet in workbook for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "inlineStr", "n", "d"}
    with ZipFile(BytesIO(exported(events, events.rows()))) as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist() if "worksheets/" in name)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(identifiers, texts, texts), max_size=5))
def test_any_text_makes_the_round_trip(found: list[tuple[str, str, str]]) -> None:
    """Through the file, back, and through the check."""
    events = Events.of(
        draft(
            actor={"id": identifier, "kind": "user", "full_name": name or "x"},
            entity={"type": "key", "id": identifier},
            command="RotateKey",
            details={},
            status="failure",
            failure={"code": "denied", "reason": reason},
        )
        for identifier, name, reason in found
    )
    data = exported(events, events.rows())
    agree(by_ourselves(data), events.rows())
    agree(by_calamine(data), events.rows())


def test_what_is_empty_is_not_what_is_missing() -> None:
    """A reason may be empty; a correlation may not be there."""
    events = Events.of(
        [draft(status="failure", failure={"code": "denied", "reason": ""}, correlation_id=None), draft()]
    )
    _, first, second = by_ourselves(exported(events, events.rows()))
    reason, correlation = EVENT_COLUMNS.index("Failure reason"), EVENT_COLUMNS.index("Correlation")
    assert (first[reason], first[correlation]) == ("", None)
    assert (second[reason], second[correlation]) == (None, "order-7")


def test_long_texts_go_on_in_further_cells(tmp_path: Path) -> None:
    """Nothing is cut; the column `Continued` says what goes on where, and the file still verifies."""
    long = "\U0001f600x" * 12_000
    events = Events.of([draft(status="failure", failure={"code": "denied", "reason": long[:32_768]}), draft()])
    changed = Events.of([draft(changes=[{"path": "/a", "old": long * 3, "new": "=1"}])])
    for some in (events, changed):
        data = exported(some, some.rows())
        for row in by_ourselves(data):
            assert all(len(str(cell).encode("utf-16-le")) // 2 <= CELL_UNITS for cell in row)
        path = tmp_path / "long.xlsx"
        path.write_bytes(data)
        assert check_export(path, [PUBLIC_KEY]).verdict.good
    _, row = by_ourselves(exported(changed, changed.rows()))
    assert str(row[len(TITLES)]).startswith("Changes ")
    assert "Record " in str(row[len(TITLES)])


def test_rows_roll_over_to_further_sheets(tmp_path: Path) -> None:
    """At the limit of a sheet; each has its header, and proofs roll over, too."""
    events = Events.of(draft() for _ in range(45))
    rows = events.rows(range(1, 46, 2))
    data = exported(events, rows, most=10, page=7)
    names = openpyxl.load_workbook(BytesIO(data)).sheetnames
    assert names[:5] == ["Events", "Events 2", "Events 3", "About", "Summary"]
    assert names[5:8] == ["Proof", "Proof 2", "Proof 3"]
    for number, sheet in enumerate(names[:3]):
        agree(by_openpyxl(data, sheet), rows[number * 10 : number * 10 + 10])
        agree(by_calamine(data, sheet), rows[number * 10 : number * 10 + 10])
    path = tmp_path / "three.xlsx"
    path.write_bytes(data)
    assert check_export(path, [PUBLIC_KEY]).verdict.good


def test_the_frame_is_for_people() -> None:
    """Frozen header, filter arrows, widths, times as times, failures in colour, a chart, properties."""
    events = Events.of([draft(), draft(status="failure", failure={"code": "denied", "reason": "no"}, details={})])
    workbook = openpyxl.load_workbook(
        BytesIO(exported(events, events.rows(), filters={"user": ["asha", "=1"], "status": ["failure"]}))
    )
    sheet = workbook["Events"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:AM3"
    assert sheet.column_dimensions["F"].width == 60
    assert sheet["G2"].is_date
    assert sheet["G2"].number_format.endswith(".000")
    assert sheet["I2"].font.color.rgb != sheet["I3"].font.color.rgb
    about = {row[0].value: row[1].value for row in workbook["About"].iter_rows(min_row=3)}
    assert about["Filters"] == "the status is failure; and the user's id or full name begins with asha or =1"
    assert about["Events in this file"] == 2
    with ZipFile(BytesIO(exported(events, events.rows()))) as archive:
        assert "xl/charts/chart1.xml" in archive.namelist()
    assert workbook.properties.creator == "CertiNext audit trail"
    assert workbook.active is sheet


def test_an_empty_export_is_a_whole_file(tmp_path: Path) -> None:
    """With a header and no row, of a ledger with events or without."""
    for events in (Events.of([]), Events.of([draft()])):
        for format_ in (ExportFormat.XLSX, ExportFormat.JSONL):
            path = tmp_path / f"empty.{format_}"
            path.write_bytes(exported(events, [], format_, order=Order.OCCURRED))
            assert check_export(path, [PUBLIC_KEY]).verdict.good
        agree(by_openpyxl(exported(events, [])), [])


def test_csv_is_of_rfc_4180_and_holds_no_formula() -> None:
    """What would be one has an apostrophe before it; everything else is as it was."""
    events = hostile_events()
    text = exported(events, events.rows(), ExportFormat.CSV).decode()
    assert text.count("\r\n") >= len(HOSTILE) + 1
    head, *body = csv.reader(StringIO(text, newline=""), strict=True)
    assert head == TITLES
    for cells, hostile in zip(body, HOSTILE, strict=True):
        found = cells[TITLES.index("User id")]
        assert found == hostile or (found == f"'{hostile}" and hostile[0] in "=+-@\t\r\n'")
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
