"""Rows of events as sheet XML.

Cells do not name their places, which the standard leaves to the writer: they follow one another, and an empty one
stands where there is nothing. So a row is one format of all its values.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from adapters.exports.built import Built, build, pack
from adapters.exports.xlsx.texts import CELL_UNITS, escape, pieces
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


class RowXml:
    """Makes rows of these columns, with the evidence behind them unless that is left out."""

    def __init__(self, columns: Columns, *, evidence: bool = True) -> None:
        self._columns = columns
        self._evidence = evidence
        self._titles = [*columns.titles, *(EVIDENCE if evidence else ())]
        self._good, self._bad = (self._parts(style) for style in (SUCCESS, FAILURE))
        self._status = columns.index(_STATUS)
        self._numbers = [index for index, column in enumerate(columns) if column.kind is Kind.NUMBER]

    def page(self, rows: Sequence[Evidence], words: Words) -> Built:
        text, built = build(rows, words, self.row)
        packed = pack(text.replace(_text_cell(_NOTHING), _EMPTY).encode())
        return built._replace(data=packed.data, crc=packed.crc, size=packed.size)

    def row(self, evidence: Evidence, facts: JsonObject) -> str:
        values: list[Any] = self._columns.texts(facts, _NOTHING)
        parts = (self._bad if values[self._status] == Status.FAILURE else self._good).copy()
        for index in self._columns.of_time:
            values[index] = "%.10f" % in_days(values[index])  # noqa: UP031 - half the time of the others.
        for index in self._numbers:
            values[index] = str(values[index])
        record, personal = evidence.record, evidence.personal
        if self._evidence:
            shown = _NOTHING if personal is None else personal.decode()
            values += (record.decode(), shown, evidence.leaf_hash.hex(), evidence.chain_hash.hex())
        if not _is_plain(record) or (personal is not None and not _is_plain(personal)):
            parts[-1] = parts[-1].removesuffix(_ROW_END) + self._made_fit(values) + _ROW_END
        parts[1::2] = values
        return "".join(parts)

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


def _is_plain(data: bytes) -> bool:
    """Whether no text of this JSON needs care: nothing escaped, nothing that XML knows, nothing long.

    A few searches for single bytes cost a tenth of what a look at each text costs.
    """
    return not (
        b"\\" in data
        or b"&" in data
        or b"<" in data
        or b">" in data
        or b"\xef" in data
        or b"_x" in data
        or len(data) > CELL_UNITS // 2 - _LONGEST_WORDING
    )
