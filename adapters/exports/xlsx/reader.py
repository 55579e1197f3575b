"""Reading the sheets of a workbook that may have been made or changed by anybody, row by row in little memory."""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import IO, NoReturn, TypeVar
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from adapters.exports.xlsx.texts import CELL_UNITS, unescape
from domain.errors import AuditError
from domain.exported import Cell

T = TypeVar("T")

_CHUNK = 1 << 16
_MOST_COLUMNS = 16_384
_LONGEST_TEXT = CELL_UNITS * 7
"""Each unit may stand escaped."""
_REFERENCE = re.compile("([A-Z]{1,3})[0-9]{1,7}")


class Unreadable(AuditError):
    """A file that cannot be read as what it says it is."""


class Formula(str):
    """The last result of a formula; none is ever exported."""

    __slots__ = ()


class SheetReader:
    """The sheets of one workbook."""

    def __init__(self, archive: ZipFile) -> None:
        """Raises Unreadable."""
        self._archive = archive
        targets = {
            attributes["Id"]: attributes["Target"]
            for name, attributes in self._elements("xl/_rels/workbook.xml.rels")
            if name == "Relationship"
        }
        self._members: dict[str, str] = {}
        for name, attributes in self._elements("xl/workbook.xml"):
            if name == "sheet":
                target = targets.get(attributes.get("r:id", ""), "")
                member = target.removeprefix("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
                self._members[attributes.get("name", "")] = member
        self._shared = self._shared_texts()

    @property
    def names(self) -> list[str]:
        """In the order of the workbook."""
        return list(self._members)

    def rows(self, name: str) -> Iterator[list[Cell]]:
        """The rows of a sheet. Rows that are left out do not count. Raises Unreadable."""
        rows = _Rows(self._shared)
        with self._open(self._members[name]) as member:
            yield from _parsed(rows.parser, member, rows.taken)

    def _elements(self, member: str) -> list[tuple[str, dict[str, str]]]:
        found: list[tuple[str, dict[str, str]]] = []
        parser = _parser()
        parser.StartElementHandler = lambda name, attributes: found.append((name, attributes))
        with self._open(member) as data:
            for _ in _parsed(parser, data, lambda: ()):
                pass
        return found

    def _shared_texts(self) -> list[str]:
        """What programs that save the workbook anew keep apart."""
        member = "xl/sharedStrings.xml"
        if member not in self._archive.namelist():
            return []
        texts = _SharedTexts()
        with self._open(member) as data:
            return list(_parsed(texts.parser, data, texts.taken))

    def _open(self, member: str) -> IO[bytes]:
        try:
            return self._archive.open(member)
        except (KeyError, BadZipFile, NotImplementedError, RuntimeError) as error:
            raise Unreadable(f"the workbook has no {member} that can be read: {error}") from error


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = _CHUNK
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> NoReturn:
    raise Unreadable("the workbook holds a document type declaration, which no workbook needs")


def _parsed(parser: expat.XMLParserType, member: IO[bytes], taken: Callable[[], Iterable[T]]) -> Iterator[T]:
    """What was taken from the stretches of a member, one after the other. Raises Unreadable."""
    try:
        while data := member.read(_CHUNK):
            parser.Parse(data, False)  # noqa: FBT003 - it takes no name.
            yield from taken()
        parser.Parse(b"", True)  # noqa: FBT003 - the same.
        yield from taken()
    except (expat.ExpatError, BadZipFile, EOFError, OSError, zlib.error) as error:
        raise Unreadable(f"the workbook is damaged: {error}") from error


class _SharedTexts:
    def __init__(self) -> None:
        self.parser = _parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data
        self._found: list[str] = []
        self._text: list[str] = []
        self._inside = False

    def taken(self) -> list[str]:
        found, self._found = self._found, []
        return found

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._inside = name == "t"

    def _data(self, data: str) -> None:
        if self._inside:
            self._text.append(data)

    def _end(self, name: str) -> None:
        self._inside = False
        if name == "si":
            self._found.append(unescape("".join(self._text)))
            self._text = []


class _Rows:
    """Makes rows of what the parser meets."""

    def __init__(self, shared: list[str]) -> None:
        self.parser = _parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data
        self._shared = shared
        self._rows: list[list[Cell]] = []
        self._row: list[Cell] = []
        self._kind: str | None = None
        self._column = 0
        self._text: list[str] | None = None
        self._inside = self._is_formula = False

    def taken(self) -> list[list[Cell]]:
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._kind = attributes.get("t")
            reference = attributes.get("r")
            self._column = len(self._row) if reference is None else _column(reference)
            if not len(self._row) <= self._column < _MOST_COLUMNS:
                raise Unreadable(f"the cell {reference} is out of its place")
            self._text, self._is_formula = None, False
        elif name in {"t", "v"}:
            self._inside = True
            if self._text is None:
                self._text = []
        elif name == "f":
            self._is_formula = True
        elif name == "row":
            self._row = []

    def _data(self, data: str) -> None:
        if self._inside and self._text is not None:
            self._text.append(data)
            if len(data) > _LONGEST_TEXT or len(self._text) > _LONGEST_TEXT:
                raise Unreadable("a cell holds more than any cell can hold")

    def _end(self, name: str) -> None:
        self._inside = False
        if name == "c":
            value = self._value()
            if value is not None:
                self._row += [None] * (self._column - len(self._row))
            elif self._column < len(self._row):
                return
            self._row.append(value)
        elif name == "row":
            self._rows.append(self._row)

    def _value(self) -> Cell:
        if self._text is None:
            return Formula() if self._is_formula else None
        text = "".join(self._text)
        if self._is_formula:
            return Formula(text)
        if self._kind in {"inlineStr", "str"}:
            return unescape(text)
        try:
            return self._shared[int(text)] if self._kind == "s" else float(text)
        except (ValueError, IndexError):
            return text


def _column(reference: str) -> int:
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise Unreadable(f"{reference[:20]!r} is no place of a cell")
    number = 0
    for letter in found[1]:
        number = number * 26 + ord(letter) - 64
    return number - 1
