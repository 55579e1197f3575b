"""Reading the sheets of a workbook that may have been made or changed by anybody, row by row in little memory."""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
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
_WORKBOOK = "xl/workbook.xml"
_NAMESPACE_END = " "
_REFERENCE = re.compile("([A-Z]{1,3})[0-9]{1,7}")


class Unreadable(AuditError):
    """A file that cannot be read as what it says it is."""


class Formula(str):
    """The last result of a formula; none is ever exported."""

    __slots__ = ()


class SheetReader:
    """The sheets of one workbook."""

    def __init__(self, archive: ZipFile) -> None:
        """Raises Unreadable, also for what programs would not all read as the same workbook."""
        self._archive = archive
        _refuse_doubles(archive.namelist())
        if self._parts("_rels/.rels", "", "/officeDocument") != [_WORKBOOK]:
            raise Unreadable(f"the workbook is not at {_WORKBOOK}, where it was exported to")
        self._members: dict[str, str] = {}
        targets = self._relations("xl/_rels/workbook.xml.rels", "xl")
        for name, attributes in self._elements(_WORKBOOK):
            if name == "sheet":
                title = attributes.get("name", "")
                if title in self._members:
                    raise Unreadable(f"the workbook has two sheets of the name {title[:100]!r}")
                self._members[title] = targets.get(attributes.get("id", ""), ("", ""))[1]
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

    def number_formats(self) -> list[str]:
        """The formats of numbers, dates and texts that the workbook defines. Raises Unreadable."""
        members = self._parts("xl/_rels/workbook.xml.rels", "xl", "/styles")
        found = [one for member in members for one in self._elements(member)]
        return [attributes.get("formatCode", "") for name, attributes in found if name == "numFmt"]

    def _parts(self, relations: str, folder: str, kind: str) -> list[str]:
        """The members that stand in this kind of relation."""
        return [member for found, member in self._relations(relations, folder).values() if found.endswith(kind)]

    def _relations(self, member: str, folder: str) -> dict[str, tuple[str, str]]:
        """By their ids: the kind, and the member that is meant."""
        return {
            attributes.get("Id", ""): (attributes.get("Type", ""), _member(folder, attributes.get("Target", "")))
            for name, attributes in self._elements(member)
            if name == "Relationship"
        }

    def _elements(self, member: str) -> list[tuple[str, dict[str, str]]]:
        """The elements and their attributes, by their names in whatever namespace."""
        found: list[tuple[str, dict[str, str]]] = []
        parser = _parser()

        def start(name: str, attributes: dict[str, str]) -> None:
            found.append((_local(name), {_local(key): value for key, value in attributes.items()}))

        parser.StartElementHandler = start
        with self._open(member) as data:
            for _ in _parsed(parser, data, lambda: ()):
                pass
        return found

    def _shared_texts(self) -> list[str]:
        """What programs that save the workbook anew keep apart."""
        members = self._parts("xl/_rels/workbook.xml.rels", "xl", "/sharedStrings")
        if len(members) > 1:
            raise Unreadable("the workbook has more than one table of shared texts")
        texts = _SharedTexts()
        for member in members:
            with self._open(member) as data:
                return list(_parsed(texts.parser, data, texts.taken))
        return []

    def _open(self, member: str) -> IO[bytes]:
        try:
            return self._archive.open(member)
        except (KeyError, BadZipFile, NotImplementedError, RuntimeError) as error:
            raise Unreadable(f"the workbook has no {member} that can be read: {error}") from error


def _refuse_doubles(names: Sequence[str]) -> None:
    """Of two members of one name one program reads the first, and another the last; some do not tell letters apart."""
    doubles = [name for name, count in Counter(map(str.lower, names)).items() if count > 1]
    if doubles:
        raise Unreadable(f"the workbook holds {doubles[0][:100]!r} more than once")


def _member(folder: str, target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else str(PurePosixPath(folder) / target)


def _local(name: str) -> str:
    """A name without its namespace: programs read elements whatever prefix they have."""
    return name.rpartition(_NAMESPACE_END)[2]


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=_NAMESPACE_END)
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
        self._inside = _local(name) == "t"

    def _data(self, data: str) -> None:
        if self._inside:
            self._text.append(data)

    def _end(self, name: str) -> None:
        self._inside = False
        if _local(name) == "si":
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
        name = _local(name)
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
        name = _local(name)
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
            if self._kind == "s":
                return self._shared[int(text)]
            # Of another kind it shows something else: 1 as TRUE.
            return float(text) if self._kind in {None, "n"} else f"{text} as {self._kind}"
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
