"""Rows of events as sheet XML.

Cells do not name their places, which the standard leaves to the writer: they follow one another, and an empty one
stands where there is nothing. So a row is one format of all its values.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from adapters.exports.built import Built, build, pack
from adapters.exports.xlsx.texts import CELL_UNITS, escape, pieces
from domain.evidence_page import EvidencePage
from domain.exported import Column, Columns, Evidence, Kind, Words, in_days
from domain.values import JsonObject
from domain.words import Status

EVIDENCE = ("Record", "Personal", "Leaf hash", "Chain hash")
"""What stands behind the columns for people."""
CONTINUED = "Continued"
"""The column that says which texts go on in the cells behind it, and in how many."""

TEXT, TIME, NUMBER, SUCCESS, FAILURE, HEAD = range(1, 7)
"""The numbers of the styles of cells; `frame` makes them in this order."""

_TEXT = '<c s="{style}" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>'
_EMPTY = "<c/>"
_NOTHING = "\0"
"""Stands for a value that is missing; no text in XML can hold it."""
_STATUS = "Status"
_VALUE = "%s"
_ROW_END = "</row>"
_LONGEST_WORDING = 1000
_LONGEST_PLAIN = CELL_UNITS // 2 - _LONGEST_WORDING


class RowXml:
    """Makes rows of these columns, with the evidence behind them unless that is left out."""

    def __init__(self, columns: Columns, *, evidence: bool = True) -> None:
        self._columns = columns
        self._evidence = evidence
        self._titles = [*columns.titles, *(EVIDENCE if evidence else ())]
        self._good, self._bad = (self._parts(style) for style in (SUCCESS, FAILURE))
        self._numbers = [index for index, column in enumerate(columns) if column.kind is Kind.NUMBER]

    def page(self, page: EvidencePage, words: Words) -> Built:
        # Hardly any page needs care in all of its rows, and many in none.
        row = self.plain_row if _is_plain(page.records, page.personal, page.longest) else self.row
        text, built = build(page, words, row)
        packed = pack(text.replace(_text_cell(_NOTHING), _EMPTY).encode())
        return built._replace(data=packed.data, crc=packed.crc, size=packed.size)

    def row(self, evidence: Evidence, facts: JsonObject) -> str:
        values, parts = self._values(evidence, facts), self._parts_for(facts)
        record, personal = evidence.record, evidence.personal or b""
        if not _is_plain(record, personal, max(len(record), len(personal))):
            parts[-1] = parts[-1].removesuffix(_ROW_END) + self._made_fit(values) + _ROW_END
        parts[1::2] = values
        return "".join(parts)

    def plain_row(self, evidence: Evidence, facts: JsonObject) -> str:
        """The same for one that needs no care."""
        parts = self._parts_for(facts)
        parts[1::2] = self._values(evidence, facts)
        return "".join(parts)

    def _parts_for(self, facts: JsonObject) -> list[str]:
        return (self._bad if facts["status"] == Status.FAILURE else self._good).copy()

    def _values(self, evidence: Evidence, facts: JsonObject) -> list[Any]:
        values: list[Any] = self._columns.texts(facts, _NOTHING)
        for index in self._columns.of_time:
            values[index] = "%.10f" % in_days(values[index])  # noqa: UP031 - half the time of the others.
        for index in self._numbers:
            values[index] = str(values[index])
        if self._evidence:
            shown = _NOTHING if evidence.personal is None else evidence.personal.decode()
            values += (evidence.record.decode(), shown, evidence.leaf_hash.hex(), evidence.chain_hash.hex())
        return values

    def _made_fit(self, values: list[Any]) -> str:
        """Change texts that are too long for a cell, or that XML would not keep as they are.

        The cells in which long ones go on.
        """
        continued, further = [], []
        for index, title in enumerate(self._titles):
            if values[index] != _NOTHING:
                first, *rest = pieces(values[index])
                values[index] = escape(first)
                if rest:
                    continued.append(f"{title} {len(rest)}")
                    further += rest
        return "".join(_text_cell(escape(text)) for text in (", ".join(continued), *further)) if further else ""

    def _parts(self, status_style: int) -> list[str]:
        """What stands before, between and behind the values of a row, with places for them."""
        cells = [_cell(column, status_style) for column in self._columns]
        cells += [_TEXT.format(style=TEXT)] * (len(EVIDENCE) if self._evidence else 0)
        between = f"<row>{''.join(cells)}{_ROW_END}".split(_VALUE)
        return [part for one in between for part in (one, "")][:-1]


@cache
def row_xml(columns: Columns, *, evidence: bool = True) -> RowXml:
    return RowXml(columns, evidence=evidence)


def header(titles: Sequence[str]) -> str:
    return f"<row>{''.join(_TEXT.format(style=HEAD) % escape(title) for title in titles)}</row>"


def text_row(texts: Sequence[str]) -> str:
    return f"<row>{''.join(_text_cell(escape(text)) for text in texts)}</row>"


def _cell(column: Column, status_style: int) -> str:
    if column.kind in (Kind.TIME, Kind.NUMBER):
        return f'<c s="{TIME if column.kind is Kind.TIME else NUMBER}"><v>{_VALUE}</v></c>'
    return _TEXT.format(style=status_style if column.title == _STATUS else TEXT)


def _text_cell(text: str) -> str:
    return _TEXT.format(style=TEXT) % text


def _is_plain(record: bytes, personal: bytes, longest: int) -> bool:
    """Whether no text of this JSON needs care: nothing escaped, nothing that XML knows, nothing long.

    A few searches for single bytes cost a tenth of what a look at each text costs, and next to nothing for many rows
    at once.
    """
    return longest <= _LONGEST_PLAIN and not (_needs_care(record) or _needs_care(personal))


def _needs_care(data: bytes) -> bool:
    return b"\\" in data or b"&" in data or b"<" in data or b">" in data or b"\xef" in data or b"_x" in data
