"""A workbook written as a stream: the sheets of events first, then those that need to know all of them."""

from collections.abc import AsyncIterator, Sequence

from isal import isal_zlib

from adapters.exports.built import Built, Packed, pack
from adapters.exports.proving import ProofParts
from adapters.exports.tally import Tally
from adapters.exports.told import Facts
from adapters.exports.xlsx import frame
from adapters.exports.xlsx.rows import row_xml, text_row
from adapters.exports.xlsx.texts import pieces
from adapters.exports.xlsx.zip_stream import MEMBER_BYTES, ZipStream
from adapters.processes import WorkProcess
from domain.evidence_page import EvidencePage
from domain.exported import EVENT_COLUMNS, Columns, Words

SHEET_ROWS = 1_048_575
"""How many rows a sheet of a spreadsheet program has below the header."""

_SHEET_BYTES = MEMBER_BYTES // 8 * 7
"""Beyond this a sheet takes no further page: its member of the archive must stay below 4 GiB."""
_TEXTS_AT_ONCE = 1_000

_PROOF_AFTER_EVENTS = 3
"""About and Summary stand between."""


class Workbook:
    """Written by one task."""

    def __init__(
        self,
        builder: WorkProcess,
        words: Words,
        columns: Columns = EVENT_COLUMNS,
        *,
        evidence: bool = True,
        most: int = SHEET_ROWS,
    ) -> None:
        self._builder = builder
        self._words = words
        self._evidence = evidence
        self._columns = columns
        self._most = most
        self._archive = ZipStream()
        self._sheets = 1
        self._rows_here = 0
        self._crc = self._packed = self._size = 0

    async def begin(self) -> bytes:
        return await self._begin_sheet(self._columns, self._sheets)

    async def built(self, builder: WorkProcess, page: EvidencePage) -> Built:
        return await builder.call(event_page, page, self._words, self._columns, evidence=self._evidence)

    async def add(self, page: EvidencePage, built: Built, tally: Tally) -> bytes:
        written = []
        while self._rows_here + page.size > self._most:
            # It goes over the end of a sheet, and is built anew in parts: once in a million rows.
            first, page = page.split(self._most - self._rows_here)
            if first.size:
                written.append(self._write(first, await self.built(self._builder, first), tally))
            written.append(await self._next_sheet())
            built = await self.built(self._builder, page)
        if self._size > _SHEET_BYTES:
            written.append(await self._next_sheet())
        written.append(self._write(page, built, tally))
        return b"".join(written)

    def _write(self, page: EvidencePage, built: Built, tally: Tally) -> bytes:
        tally.add(page, built)
        self._rows_here += page.size
        return self._count(Packed(built.data, built.crc, built.size))

    async def _next_sheet(self) -> bytes:
        end = await self._end_sheet(self._columns)
        self._sheets += 1
        return end + await self._begin_sheet(self._columns, self._sheets)

    async def end(self, facts: Facts, proof: ProofParts) -> AsyncIterator[bytes]:
        yield await self._end_sheet(self._columns)
        first = self._sheets + _PROOF_AFTER_EVENTS
        sheet = first
        yield await self._begin_sheet(None, sheet)
        async for texts in _proof_rows(proof):
            if self._rows_here + len(texts) > self._most:
                yield await self._end_sheet(None)
                sheet += 1
                yield await self._begin_sheet(None, sheet)
            self._rows_here += len(texts)
            yield self._count(await self._builder.call(proof_page, texts))
        yield await self._end_sheet(None)
        yield await self._frame(facts, sheet - first + 1)
        yield self._archive.finish()

    async def _frame(self, facts: Facts, proof_sheets: int) -> bytes:
        members = await self._builder.call(packed_frame, facts, self._sheets, proof_sheets)
        return b"".join(
            self._archive.begin(name) + packed.data + self._archive.end(packed.crc, len(packed.data), packed.size)
            for name, packed in members
        )

    async def _begin_sheet(self, columns: Columns | None, index: int) -> bytes:
        self._rows_here = self._crc = self._packed = self._size = 0
        head = self._archive.begin(frame.member_of(index))
        return head + self._count(await self._builder.call(packed_opening, columns))

    async def _end_sheet(self, columns: Columns | None) -> bytes:
        last = self._count(await self._builder.call(packed_closing, columns, self._rows_here))
        return last + self._archive.end(self._crc, self._packed, self._size)

    def _count(self, packed: Packed) -> bytes:
        self._crc = isal_zlib.crc32_combine(self._crc, packed.crc, packed.size)
        self._packed += len(packed.data)
        self._size += packed.size
        return packed.data


async def _proof_rows(proof: ProofParts) -> AsyncIterator[list[tuple[str, str]]]:
    """The rows of the sheet of proof, some at a time."""
    for part, text in (
        ("manifest", proof.manifest_note),
        ("checkpoint", proof.checkpoint_note),
        ("key", proof.verifier_key),
    ):
        yield [(part, text)]
    for part, texts in (("positions", iter(proof.positions)), ("fingerprints", proof.fingerprint_texts())):
        for text in texts:
            yield [(part, text)]
    async for hashes in proof.nodes.texts():
        yield [("node", text) for text in hashes]


# What follows is done in the process that builds.


def event_page(page: EvidencePage, words: Words, columns: Columns, *, evidence: bool) -> Built:
    return row_xml(columns, evidence=evidence).page(page, words)


def packed_opening(columns: Columns | None) -> Packed:
    return pack(frame.opening(columns))


def packed_closing(columns: Columns | None, rows: int) -> Packed:
    return pack(frame.closing(columns, rows), last=True)


def proof_page(texts: Sequence[tuple[str, str]]) -> Packed:
    return pack("".join(text_row([part, *pieces(text)]) for part, text in texts).encode())


def packed_frame(facts: Facts, event_sheets: int, proof_sheets: int) -> list[tuple[str, Packed]]:
    return [(name, pack(data, last=True)) for name, data in frame.frame(facts, event_sheets, proof_sheets)]
