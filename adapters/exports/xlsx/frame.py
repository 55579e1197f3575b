"""The workbook around the rows, made by openpyxl: styles, sheets for people, properties."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from adapters.exports.told import Facts, about, how_to_verify
from adapters.exports.xlsx.rows import CONTINUED, EVIDENCE, header
from adapters.exports.xlsx.texts import fit, pieces, unescape
from domain.exported import EVENT_COLUMNS, Cell, Columns
from domain.values import parse_rfc3339
from domain.words import Status

PROOF_TITLES = ("Part", "Content")
_ROWS_BEGIN, _ROWS_END = b"<sheetData>", b"</sheetData>"
_AS_TEXT = "@"
"""A text stays one even if somebody edits it, and digits are not taken for a number."""
_TO_THE_MILLISECOND = "yyyy-mm-dd hh:mm:ss.000"
_INK, _PAPER, _GREEN, _RED, _ROSE = "FFFFFF", "1F3A5F", "1B7F3B", "9C1C1C", "FBE3E4"
_EVIDENCE_WIDTHS = (40, 24, 24, 24)
ABOUT, SUMMARY = "About", "Summary"
_MOST_USERS, _MOST_DAYS = 200, 400
_FIRST_ROW = 3
_DIMENSION = re.compile(rb"<dimension [^>]*>")


def _font(**attributes: Any) -> Font:
    """The workbook's usual font with something changed; one without a name would be anything."""
    return Font(**{"name": "Calibri", "size": 11, **attributes})


def sheet_name(what: str, number: int) -> str:
    """As `Events`, `Events 2`."""
    return what if number == 1 else f"{what} {number}"


def member_of(index: int) -> str:
    """The name in the archive of a workbook's sheet, counted from 1."""
    return f"xl/worksheets/sheet{index}.xml"


@cache
def around_rows(columns: Columns | None) -> tuple[bytes, bytes]:
    """What stands before the rows of a sheet and what behind them; of a sheet of proof without columns.

    The end has a place for the last row's number, as `{last}`.
    """
    workbook, sheet = _workbook(columns)
    buffer = BytesIO()
    workbook.save(buffer)
    with ZipFile(buffer) as archive:
        xml = archive.read(member_of(workbook.index(sheet) + 1))
    # How large it will be is not known yet.
    before, _, after = _DIMENSION.sub(b"", xml).partition(_ROWS_BEGIN)
    titles = PROOF_TITLES if columns is None else (*columns.titles, *EVIDENCE, CONTINUED)
    quiet = '<ignoredErrors><ignoredError sqref="A1:XFD{last}" numberStoredAsText="1"/></ignoredErrors></worksheet>'
    arrows = f'<autoFilter ref="A1:{get_column_letter(len(titles))}{{last}}"/>' if columns is not None else ""
    end = after.removeprefix(_ROWS_END).decode().replace("</worksheet>", quiet)
    return before + _ROWS_BEGIN + header(titles).encode(), f"</sheetData>{arrows}{end}".encode()


def opening(columns: Columns | None) -> bytes:
    """A sheet up to its first row of content."""
    return around_rows(columns)[0]


def closing(columns: Columns | None, rows: int) -> bytes:
    """A sheet behind its last row of content."""
    return around_rows(columns)[1].replace(b"{last}", b"%d" % (rows + 1))


def frame(facts: Facts, event_sheets: int, proof_sheets: int) -> list[tuple[str, bytes]]:
    """All members of the workbook but the sheets of events and of proof, which are streamed."""
    workbook, first = _workbook(EVENT_COLUMNS)
    for number in range(2, event_sheets + 1):
        workbook.create_sheet(sheet_name("Events", number))
    _add_sheets_for_people(workbook, facts)
    for number in range(1, proof_sheets + 1):
        workbook.create_sheet(sheet_name("Proof", number))
    workbook.active = workbook.index(first)
    made_at = parse_rfc3339(facts.manifest.made_at).replace(tzinfo=None)
    _describe(workbook, facts, made_at)
    buffer = BytesIO()
    workbook.save(buffer)
    sheets = len(workbook.sheetnames)
    streamed = {member_of(n) for n in (*range(1, event_sheets + 1), *range(sheets - proof_sheets + 1, sheets + 1))}
    with ZipFile(buffer) as archive:
        return [(name, archive.read(name)) for name in archive.namelist() if name not in streamed]


def _add_sheets_for_people(workbook: Workbook, facts: Facts) -> None:
    _fill_about(workbook.create_sheet(ABOUT), facts)
    _fill_summary(workbook.create_sheet(SUMMARY), facts)
    for name in (ABOUT, SUMMARY):
        page = workbook[name].page_setup
        page.orientation, page.fitToHeight = "landscape", 0
        workbook[name].sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def texts_for_people(facts: Facts) -> dict[str, list[list[Cell]]]:
    """What the sheets for people say, row by row, by their names; empty cells at the end of a row are left out."""
    workbook = Workbook()
    _add_sheets_for_people(workbook, facts)
    return {
        name: [trimmed([_value(cell) for cell in row]) for row in workbook[name].iter_rows(values_only=True)]
        for name in (ABOUT, SUMMARY)
    }


def _value(value: object) -> Cell:
    return unescape(value) if isinstance(value, str) else value  # type: ignore[return-value]


def trimmed(cells: list[Cell]) -> list[Cell]:
    """Without the empty cells at the end."""
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _workbook(columns: Columns | None) -> tuple[Workbook, Worksheet]:
    """A workbook that has the styles of `rows` by their numbers, with one sheet."""
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Events"
    _number_styles(workbook)
    widths: list[int] = [18, 120] if columns is None else [column.width for column in columns]
    for index, width in enumerate([*widths, *(_EVIDENCE_WIDTHS if columns is not None else ())], 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet.freeze_panes = "A2"
    sheet.page_setup.orientation = "landscape"
    sheet.print_title_rows = "1:1"
    return workbook, sheet


def _number_styles(workbook: Workbook) -> None:
    """Register the styles in the order of their numbers, on cells of a sheet that is thrown away."""
    sheet = workbook.create_sheet("Styles")
    look: tuple[dict[str, Any], ...] = (
        {"number_format": _AS_TEXT},
        {"number_format": _TO_THE_MILLISECOND},
        {"number_format": "0"},
        {"number_format": _AS_TEXT, "font": _font(color=_GREEN)},
        {
            "number_format": _AS_TEXT,
            "font": _font(color=_RED, bold=True),
            "fill": PatternFill("solid", start_color=_ROSE),
        },
        {
            "number_format": _AS_TEXT,
            "font": _font(color=_INK, bold=True),
            "fill": PatternFill("solid", start_color=_PAPER),
        },
    )
    for number, attributes in enumerate(look, 1):
        cell = sheet.cell(1, number)
        for name, value in attributes.items():
            setattr(cell, name, value)
        assert cell.style_id == number
    workbook.remove(sheet)


def _fill_about(sheet: Worksheet, facts: Facts) -> None:
    sheet.column_dimensions["A"].width = 24
    sheet.column_dimensions["B"].width = 110
    sheet.sheet_view.showGridLines = False
    _title(sheet, "Audit trail of CertiNext: exported events")
    row = _FIRST_ROW - 1
    for row, (label, value) in enumerate(about(facts), _FIRST_ROW):
        _put(sheet, row, 1, label).font = _font(bold=True)
        parts: Sequence[str | int] = pieces(value) if isinstance(value, str) else [value]
        for column, text in enumerate(parts, 2):
            _put(sheet, row, column, text).alignment = Alignment(wrap_text=True, vertical="top", horizontal="left")
    row += 2
    _put(sheet, row, 1, "How to verify").font = _font(bold=True, size=13, color=_PAPER)
    for number, sentence in enumerate(how_to_verify(), row + 1):
        cell = _put(sheet, number, 2, sentence)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        if sentence.startswith("certinext-audit"):
            cell.font = Font(name="Consolas", size=11)


def _title(sheet: Worksheet, text: str) -> None:
    _put(sheet, 1, 1, text).font = _font(bold=True, size=16, color=_PAPER)
    sheet.row_dimensions[1].height = 28


def _put(sheet: Worksheet, row: int, column: int, value: str | int) -> Any:
    cell = sheet.cell(row, column)
    if isinstance(value, int):
        cell.value = value
        cell.number_format = "#,##0"
        return cell
    # Never a formula, whatever it begins with; and nothing that openpyxl would refuse.
    cell.value = fit(value)
    cell.data_type = "s"
    cell.number_format = _AS_TEXT
    return cell


def _fill_summary(sheet: Worksheet, facts: Facts) -> None:
    """Tables side by side, each with how many succeeded and failed, and the days as a chart below the first."""
    sheet.sheet_view.showGridLines = False
    _title(sheet, f"Summary of {facts.manifest.rows:,} events")
    modules = _by_status((module, status, count) for (module, status), count in facts.modules.items())
    users = _by_status((f"{name or user} ({user})", status, n) for (user, name, status), n in facts.users.items())
    days = sorted(_by_status((day, status, count) for (day, status), count in facts.days.items()))
    _table(sheet, 1, "Module", sorted(modules, key=_most), len(modules))
    _table(sheet, 6, "User", sorted(users, key=_most)[:_MOST_USERS], len(users))
    _table(sheet, 11, "Day (UTC)", days[-_MOST_DAYS:], len(days))
    if days:
        sheet.add_chart(_chart(sheet, len(days[-_MOST_DAYS:])), "P4")


def _by_status(counts: Iterable[tuple[str, str, int]]) -> list[tuple[str, int, int]]:
    good: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for name, status, count in counts:
        (bad if status == Status.FAILURE else good)[name] += count
    return [(name, good[name], bad[name]) for name in {**good, **bad}]


def _most(row: tuple[str, int, int]) -> tuple[int, str]:
    return -row[1] - row[2], row[0]


def _table(sheet: Worksheet, column: int, title: str, rows: Sequence[tuple[str, int, int]], in_all: int) -> None:
    for offset, (text, width) in enumerate(((title, 30), ("Succeeded", 12), ("Failed", 10), ("All", 12))):
        cell = _put(sheet, 4, column + offset, text)
        cell.font = _font(bold=True, color=_INK)
        cell.fill = PatternFill("solid", start_color=_PAPER)
        if offset:
            cell.alignment = Alignment(horizontal="right")
        sheet.column_dimensions[get_column_letter(column + offset)].width = width
    sheet.column_dimensions[get_column_letter(column + 4)].width = 3
    for number, (name, good, bad) in enumerate(rows, 5):
        _put(sheet, number, column, name)
        _put(sheet, number, column + 1, good)
        failed = _put(sheet, number, column + 2, bad)
        if bad:
            failed.font = _font(color=_RED, bold=True)
        _put(sheet, number, column + 3, good + bad)
    if not rows:
        _put(sheet, 5, column, "none")
    if len(rows) < in_all:
        _put(sheet, len(rows) + 5, column, f"and {in_all - len(rows):,} more").font = _font(italic=True)


def _chart(sheet: Worksheet, days: int) -> BarChart:
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.gapWidth = "col", "stacked", 100, 30
    chart.title = "Events by day"
    chart.height, chart.width = 10, 24
    chart.add_data(Reference(sheet, min_col=12, max_col=13, min_row=4, max_row=4 + days), titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=11, min_row=5, max_row=4 + days))
    for series, colour in zip(chart.series, (_GREEN, _RED), strict=True):
        series.graphicalProperties.solidFill = colour
        series.graphicalProperties.line.solidFill = colour
    chart.legend.position = "b"
    # Without these openpyxl's axes are hidden in newer spreadsheet programs.
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.number_format = "#,##0"
    return chart


def _describe(workbook: Workbook, facts: Facts, made_at: datetime) -> None:
    properties = workbook.properties
    properties.creator = properties.lastModifiedBy = "CertiNext audit trail"
    properties.title = f"Events of the ledger {facts.manifest.ledger}"
    properties.subject = "Exported audit events with their proof"
    properties.identifier = facts.manifest.export_id
    properties.created = properties.modified = made_at
