"""A workbook of ours, read to be checked."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.exports.proof_texts import ProofTexts
from adapters.exports.told import Facts
from adapters.exports.xlsx.frame import ABOUT, SUMMARY, texts_for_people, trimmed
from adapters.exports.xlsx.reader import Formula, SheetReader, Unreadable
from adapters.exports.xlsx.rows import CONTINUED, EVIDENCE
from domain.export_check import ExportedRow, Fault
from domain.exported import EVENT_COLUMNS, Cell, Column, Kind
from domain.values import JsonObject

_TITLES = [*EVENT_COLUMNS.titles, *EVIDENCE, CONTINUED]
_CONTINUED_AT = len(_TITLES) - 1
_EVENTS = re.compile(r"Events( [0-9]+)?")
_PROOF = re.compile(r"Proof( [0-9]+)?")
_OURS = re.compile(rf"{_EVENTS.pattern}|{_PROOF.pattern}|{ABOUT}|{SUMMARY}")
_HONEST_FORMAT = re.compile(r"General|@|(\[\$-[0-9A-Fa-f]+\])?([ymdhs0#?:./ -]|\\[:/. -]|,(?=[0#?]))+")
"""Without a text of its own, without another for some of the values, without scaling."""
_MORE = re.compile(r"(.+) ([1-9][0-9]{0,4})")
_A_MOMENT = 1e-9
"""How far a time may be off, in days: 86 microseconds, which programs lose that save a workbook anew."""


@dataclass(frozen=True, slots=True)
class _ShownCells:
    cells: Sequence[Cell]

    """All of a row, the evidence among it."""

    def differences(self, facts: JsonObject) -> Iterator[tuple[str, str]]:
        for column, found, expected in zip(EVENT_COLUMNS, self.cells, EVENT_COLUMNS.cells(facts), strict=False):
            if found != expected and not _same_moment(column, found, expected):
                yield column.title, f"says {_short(found)}, and the record says {_short(expected)}"
        for title, found in zip(_TITLES, self.cells, strict=False):
            if isinstance(found, Formula):
                yield title, "is a formula, and nothing that is exported is one"


class WorkbookFile:
    """The rows and the proof of one workbook."""

    def __init__(self, sheets: SheetReader) -> None:
        self._sheets = sheets

    def proof_texts(self) -> ProofTexts:
        """Raises Unreadable, and InvalidNote."""
        texts = ProofTexts()
        sheets = [name for name in self._sheets.names if _PROOF.fullmatch(name)]
        if not sheets:
            raise Unreadable("the workbook has no sheet `Proof`: it is none that the audit trail has exported")
        for name in sheets:
            for row in self._sheets.rows(name):
                part, *content = [cell if isinstance(cell, str) else "" for cell in row] or [""]
                texts.add(part, "".join(content))
        return texts

    def rows(self) -> Iterator[ExportedRow]:
        """Raises Unreadable."""
        for name in self._sheets.names:
            if _EVENTS.fullmatch(name):
                yield from self._rows(name)

    def _rows(self, name: str) -> Iterator[ExportedRow]:
        rows = self._sheets.rows(name)
        if (head := next(rows, [])) != _TITLES:
            wrong = next((str(cell) for cell, title in zip(head, _TITLES, strict=False) if cell != title), "missing")
            raise Unreadable(f"the header of the sheet {name} is not as it was exported: {wrong[:100]!r}")
        for number, cells in enumerate(rows, 2):
            if trimmed(cells):
                yield _row(f"{name}, row {number}", cells)

    def check_sheets_for_people(self, facts: Facts) -> Iterator[Fault]:
        """Compare what is told about the file with what its rows and its manifest say, and look for what hides them."""
        for name in self._sheets.names:
            if not _OURS.fullmatch(name):
                yield Fault(name[:100], None, "this sheet was put in")
        for code in self._sheets.number_formats():
            if not _HONEST_FORMAT.fullmatch(code):
                yield Fault("Workbook", None, f"the number format {code[:100]!r} may show other than what is in a cell")
        for name, expected in texts_for_people(facts).items():
            if name not in self._sheets.names:
                yield Fault(name, None, "this sheet was taken out")
                continue
            found = [trimmed(row) for row in self._sheets.rows(name)]
            yield from _differing(name, [row for row in found if row], [row for row in expected if row])


def _differing(name: str, found: Sequence[Sequence[Cell]], expected: Sequence[Sequence[Cell]]) -> Iterator[Fault]:
    """Rows without content do not count, since not all programs write them."""
    for ours, theirs in zip(expected, found, strict=False):
        if list(ours) != list(theirs):
            label = str(next((cell for cell in ours if cell is not None), ""))[:60]
            yield Fault(name, None, f"the row {label!r} does not say what follows from the rows and the manifest")
    if len(found) != len(expected):
        yield Fault(name, None, f"has {len(found)} rows with content, and {len(expected)} follow from the events")


def _row(place: str, cells: list[Cell]) -> ExportedRow:
    cells += [None] * (len(_TITLES) - len(cells))
    continued, further = cells[_CONTINUED_AT], cells[_CONTINUED_AT + 1 :]
    shown = cells[:_CONTINUED_AT]
    if continued is not None or further:
        _join(shown, continued, further)
    record, personal, leaf, chain = (None if cell is None else str(cell) for cell in shown[len(EVENT_COLUMNS) :])
    return ExportedRow(place, record, personal, leaf, chain, _ShownCells(shown))


def _join(shown: list[Cell], continued: Cell, further: Sequence[Cell]) -> None:
    """Put the parts of long texts together; what does not fit makes them differ from what they must be."""
    parts: Iterator[Cell] = iter(further)
    for text in str(continued).split(", "):
        found = _MORE.fullmatch(text)
        if found is None or found[1] not in _TITLES:
            shown[0] = Formula(f"{shown[0]} and what is not known: {text[:50]}")
            return
        index = _TITLES.index(found[1])
        shown[index] = "".join(str(part) for part in (shown[index], *_some(parts, int(found[2]))))
    if rest := list(parts):
        shown[0] = Formula(f"{shown[0]} and further cells: {str(rest[0])[:50]}")


def _some(parts: Iterator[Any], count: int) -> list[Any]:
    return [part for _, part in zip(range(count), parts, strict=False)]


def _same_moment(column: Column, found: Cell, expected: Cell) -> bool:
    return (
        column.kind is Kind.TIME
        and isinstance(found, float)
        and isinstance(expected, float)
        and abs(found - expected) < _A_MOMENT
    )


def _short(value: Cell) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
