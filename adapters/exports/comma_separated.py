"""CSV (RFC 4180) for people who ask for it. It proves nothing, and programs that open it may change what they show."""

from collections.abc import AsyncIterator, Sequence

from adapters.exports.built import Built, build
from adapters.exports.proving import ProofParts
from adapters.exports.tally import Tally
from adapters.exports.told import Facts
from adapters.processes import WorkProcess
from domain.evidence_page import EvidencePage
from domain.exported import EVENT_COLUMNS, Evidence, Words
from domain.values import JsonObject

_TITLES = (*EVENT_COLUMNS.titles, "Record", "Personal", "Leaf hash", "Chain hash")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""What spreadsheet programs take for the beginning of a formula or skip before one; and the mark itself."""

_NEEDS_QUOTES = frozenset('",\r\n')


class CommaSeparated:
    """Written by one task."""

    def __init__(self, words: Words) -> None:
        self._words = words

    async def begin(self) -> bytes:
        return _line(_TITLES).encode()

    async def built(self, builder: WorkProcess, page: EvidencePage) -> Built:
        return await builder.call(event_lines, page, self._words)

    async def add(self, page: EvidencePage, built: Built, tally: Tally) -> bytes:
        tally.add(page, built)
        return built.data

    async def end(self, facts: Facts, proof: ProofParts) -> AsyncIterator[bytes]:
        del facts, proof
        return
        yield b""  # So that this is a generator, as it is for the others.


def event_lines(page: EvidencePage, words: Words) -> Built:
    """Done in the process that builds."""
    text, built = build(page, words, _event_line)
    return built._replace(data=text.encode())


def _event_line(evidence: Evidence, facts: JsonObject) -> str:
    personal = None if evidence.personal is None else evidence.personal.decode()
    values = [*EVENT_COLUMNS.texts(facts), evidence.record.decode(), personal]
    return _line([*map(_harmless, values), evidence.leaf_hash.hex(), evidence.chain_hash.hex()])


def _harmless(value: object) -> object:
    """A text that would be a formula gets an apostrophe before it, as people write it; so does one with one."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _line(values: Sequence[object]) -> str:
    """Nothing stands for what is missing, and a pair of quotation marks for an empty text."""
    return ",".join(map(_field, values)) + "\r\n"


def _field(value: object) -> str:
    if value is None:
        return ""
    text = str(value)
    quoted = not text or not _NEEDS_QUOTES.isdisjoint(text)
    return '"' + text.replace('"', '""') + '"' if quoted else text
