"""Makes files of events: reads the next pages while the last are built and taken."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from hashlib import sha256

import structlog

from adapters.exports.builder import PER_EXPORT, Builders
from adapters.exports.comma_separated import CommaSeparated
from adapters.exports.files import ExportFile
from adapters.exports.in_turns import in_turns
from adapters.exports.jsonl import JsonLines
from adapters.exports.proving import PositionsText, ProofParts, nodes_of, positions_text
from adapters.exports.tally import Tally
from adapters.exports.told import Facts
from adapters.exports.xlsx.workbook import Workbook
from adapters.processes import WorkProcess
from application.ahead import ahead
from application.export_trail import ExportAsked
from application.sign_checkpoints import SignCheckpoint, SigningRefused
from domain.activity import Catalogue
from domain.checkpoint import Checkpoint
from domain.evidence_page import EvidencePage
from domain.exported import EVENT_COLUMNS, Columns, Words
from domain.manifest import Manifest, origin, words_of
from domain.merkle import EMPTY_ROOT
from domain.signed_note import NoteSignature, SignedNote, VerifierKey
from domain.values import JsonObject, rfc3339
from domain.words import ExportFormat, Ledger, Position
from projections.activity_query import Query
from projections.exporting import PAGE_ROWS, Keyset
from projections.proofs import NotSigned, Proofs
from projections.reads import Freshness, Reads, Wait
from projections.tree import Trees

_WAIT_SECONDS = 10.0
_CHECKPOINT_SECONDS = 3.0
_LOOK_SECONDS = 0.1
_ROWS_BESIDE_OTHERS = 250
"""Of a page while others are answered: what it costs the database and this process in one go is what they wait for."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Exports:
    """What all exports of a process share."""

    reads: Reads
    proofs: Proofs
    trees: Trees
    signer: SignCheckpoint
    builders: Builders
    catalogue: Catalogue
    columns: Columns = EVENT_COLUMNS
    """Of workbooks."""
    evidence: bool = True
    """Whether workbooks hold the records and hashes of their events."""
    words: Words = field(init=False)

    def __post_init__(self) -> None:
        wording = {activity.event_type: activity.wording for activity in self.catalogue}
        object.__setattr__(self, "words", wording)

    async def begin(self, asked: ExportAsked, min_position: Position, until: Position | None = None) -> "Export":
        """A file of events up to `until`, or of all that are in the read table now."""
        freshness = await self.reads.freshness(asked.by.ledger, Wait(min_position, _WAIT_SECONDS))
        last = freshness.position if until is None else min(until, freshness.position)
        return Export(self, asked, replace(freshness, position=last))


class Export:
    """One file; taken by one task."""

    def __init__(self, exports: Exports, asked: ExportAsked, freshness: Freshness) -> None:
        self._position = freshness.position
        self._exports = exports
        self._asked = asked
        self._set_aside = freshness.set_aside
        self._tally = Tally()

    @property
    def rows(self) -> int:
        return self._tally.rows

    @property
    def position(self) -> Position:
        return self._position

    @property
    def _ledger(self) -> Ledger:
        return self._asked.by.ledger

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        async with AsyncExitStack() as held:
            builder = await held.enter_async_context(self._exports.builders.one())
            file = self._file(builder)
            yield await file.begin()  # Which need not wait for the other builder to start.
            builders = [builder]
            while len(builders) < PER_EXPORT:
                builders.append(await held.enter_async_context(self._exports.builders.one()))
            pages = await held.enter_async_context(aclosing(ahead(self._pages())))
            # Each has a page that it works on, and the next one waits in its pipe.
            all_built = await held.enter_async_context(aclosing(in_turns(builders * 2, file.built, pages)))
            async for page, built in all_built:
                yield await file.add(page, built, self._tally)
            facts, proof = await self._proof(builder)
            async for data in file.end(facts, proof):
                yield data

    def _file(self, builder: WorkProcess) -> ExportFile:
        words = self._exports.words
        if self._asked.format is ExportFormat.XLSX:
            return Workbook(builder, words, self._exports.columns, evidence=self._exports.evidence)
        if self._asked.format is ExportFormat.JSONL:
            return JsonLines(words, self._head())
        return CommaSeparated(words)

    async def _pages(self) -> AsyncGenerator[EvidencePage, None]:
        asked = self._asked
        query = Query(asked.wanted, asked.only_actor, self.position)
        after: Keyset | None = None
        while True:
            rows = _ROWS_BESIDE_OTHERS if self._exports.builders.room.is_left else PAGE_ROWS
            page = await self._exports.reads.export_page(self._ledger, query, asked.order, after, rows)
            if page.rows is not None:
                yield page.rows
            if page.goes_on is None:
                return
            after = page.goes_on

    def _head(self) -> JsonObject:
        """What is known of the file before its rows are."""
        asked = self._asked
        return {
            "export_id": asked.export_id,
            "ledger": self._ledger,
            "format": asked.format,
            "made_at": rfc3339(asked.at),
            "asked_by": {"id": asked.by.id, "name": asked.by.name, "role": asked.by.role},
            "filters": asked.wanted.as_json(),
            "only_actor": asked.only_actor,
            "order": asked.order,
            "position": self.position,
            "set_aside": self._set_aside,
        }

    async def _proof(self, builder: WorkProcess) -> tuple[Facts, ProofParts]:
        tally, service = self._tally, self._exports.signer.service_name
        checkpoint, checkpoint_note = await self._checkpoint()
        positions: PositionsText = await builder.call(positions_text, tally.positions)
        nodes = await nodes_of(builder, self._exports.trees, self._ledger, checkpoint.size, tally.positions)
        manifest = self._manifest(checkpoint, positions.sha256)
        note, key = await asyncio.to_thread(self._signed, manifest.text(service))
        facts = Facts(manifest, service, checkpoint_note, str(key), tally.modules, tally.users, tally.days)
        return facts, ProofParts(note, checkpoint_note, str(key), positions.parts, tally.fingerprints, nodes)

    def _manifest(self, checkpoint: Checkpoint, positions_sha256: str) -> Manifest:
        tally = self._tally
        known: Mapping[str, object] = {
            **self._head(),
            "checkpoint_size": checkpoint.size,
            "checkpoint_root": checkpoint.root.hex(),
            "rows": tally.rows,
            "leaves_sha256": tally.leaves.hexdigest(),
            "rows_sha256": tally.row_hashes.hexdigest(),
            "fingerprints_sha256": sha256(tally.fingerprints).hexdigest(),
            "positions_sha256": positions_sha256,
            "words": words_of(self._exports.words, tally.kinds),
        }
        return Manifest(**known)  # type: ignore[arg-type]

    def _signed(self, text: str) -> tuple[str, VerifierKey]:
        signing_key = self._exports.signer.keys.present()
        key = VerifierKey(origin(self._exports.signer.service_name, self._ledger), signing_key.public_key)
        signature = NoteSignature(key.name, key.key_id, signing_key.sign(text.encode()))
        return str(SignedNote(text, (signature,))), key

    async def _checkpoint(self) -> tuple[Checkpoint, str]:
        """The latest checkpoint, and its note: one that covers all rows, if one is or can be signed in a moment."""
        deadline = asyncio.get_running_loop().time() + _CHECKPOINT_SECONDS
        while True:
            found = await self._latest()
            if found[0].size >= self.position or asyncio.get_running_loop().time() > deadline:
                return found
            if not await self._sign():
                await asyncio.sleep(_LOOK_SECONDS)

    async def _latest(self) -> tuple[Checkpoint, str]:
        try:
            latest = await self._exports.proofs.latest(self._ledger)
        except NotSigned:
            return Checkpoint(self._exports.signer.service_name, 0, EMPTY_ROOT), ""
        return Checkpoint.parse(SignedNote.parse(latest.note).text), latest.note

    async def _sign(self) -> bool:
        """Sign a checkpoint now, if the tree has come far enough."""
        for standing in await self._exports.trees.standing(everything=False):
            if standing.ledger == self._ledger and standing.size >= self.position:
                try:
                    return await self._exports.signer.sign(standing) is not None
                except SigningRefused as error:
                    log.warning("export_without_checkpoint", ledger=self._ledger, reason=str(error))
        return False
