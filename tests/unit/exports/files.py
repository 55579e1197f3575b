"""Exported files made in memory: a ledger of drafts, its tree and a key of its own, and the real writers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, ParamSpec, TypeVar, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.exports.comma_separated import CommaSeparated
from adapters.exports.files import ExportFile
from adapters.exports.jsonl import JsonLines
from adapters.exports.proving import ProofParts, positions_text
from adapters.exports.tally import Tally
from adapters.exports.told import Facts
from adapters.exports.xlsx.workbook import SHEET_ROWS, Workbook
from adapters.processes import WorkProcess
from domain.catalogue import CATALOGUE
from domain.checkpoint import Checkpoint, origin_of
from domain.evidence_page import EvidencePage
from domain.exported import Evidence
from domain.ledger import Head, LedgerEvent, link
from domain.manifest import Manifest, encode_bytes, origin, words_of
from domain.merkle import root_hash
from domain.multiproof import multiproof_nodes
from domain.record import EventDraft
from domain.signed_note import NoteSignature, SignedNote, VerifierKey
from domain.values import JsonObject
from domain.words import DEFAULT_LEDGER, ExportFormat, Order, Position
from tests.builders import NOW

P = ParamSpec("P")
T = TypeVar("T")

SERVICE = "certinext-audit"
WORDS = {activity.event_type: activity.wording for activity in CATALOGUE}
_PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
PUBLIC_KEY = _PRIVATE.public_key().public_bytes_raw()


class Here:
    """Does in this process what a builder does in another."""

    async def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return work(*args, **kwargs)


@dataclass(frozen=True)
class Events:
    """A ledger."""

    events: Sequence[LedgerEvent]

    @classmethod
    def of(cls, drafts: Iterable[EventDraft]) -> "Events":
        versioned = ((draft, number) for number, draft in enumerate(drafts, 1))
        return cls(list(link(Head.empty(DEFAULT_LEDGER), versioned, NOW)))

    @cached_property
    def leaves(self) -> list[bytes]:
        return [event.leaf_hash for event in self.events]

    def rows(self, positions: Iterable[int] | None = None) -> list[Evidence]:
        wanted = range(1, len(self.events) + 1) if positions is None else positions
        return [
            Evidence(event.position, event.record, event.personal, event.leaf_hash, event.chain_hash)
            for event in (self.events[position - 1] for position in wanted)
        ]


@dataclass(frozen=True)
class _Nodes:
    leaves: Sequence[bytes]
    indexes: Sequence[int]

    async def texts(self) -> AsyncIterator[list[str]]:
        size = len(self.leaves)
        for node in multiproof_nodes(size, self.indexes):
            yield [encode_bytes(root_hash(self.leaves[slice(*node.span(size))]))]


def signed(text: str, name: str) -> str:
    key = VerifierKey(name, PUBLIC_KEY)
    return str(SignedNote(text, (NoteSignature(name, key.key_id, _PRIVATE.sign(text.encode())),)))


def exported(
    events: Events,
    rows: Sequence[Evidence],
    format_: ExportFormat = ExportFormat.XLSX,
    *,
    order: Order = Order.RECORDED,
    most: int = SHEET_ROWS,
    covered: int | None = None,
    filters: JsonObject | None = None,
    page: int = 50,
) -> bytes:
    """A file of these rows, in pages, whose checkpoint covers so many events: all, if that is not said."""
    size = len(events.events) if covered is None else covered
    head = _head(len(events.events), format_, order, filters or {})
    builder = cast("WorkProcess", Here())
    files: dict[ExportFormat, Callable[[], ExportFile]] = {
        ExportFormat.XLSX: lambda: Workbook(builder, WORDS, most=most),
        ExportFormat.JSONL: lambda: JsonLines(WORDS, head),
        ExportFormat.CSV: lambda: CommaSeparated(WORDS),
    }
    pages = [rows[begin : begin + page] for begin in range(0, len(rows), page)]
    return asyncio.run(_written(files[format_](), builder, pages, events.leaves[:size], head))


def _head(position: int, format_: ExportFormat, order: Order, filters: JsonObject) -> JsonObject:
    return {
        "export_id": "export-1",
        "ledger": DEFAULT_LEDGER,
        "format": format_,
        "made_at": "2026-11-24T12:00:00.000000Z",
        "asked_by": {"id": "key-1", "name": "Auditor", "role": "auditor"},
        "filters": filters,
        "only_actor": None,
        "order": order,
        "position": Position(position),
        "set_aside": 0,
    }


def proof_of(tally: Tally, leaves: Sequence[bytes]) -> tuple[Facts, ProofParts]:
    """What ends a workbook of these rows."""
    return _proof(tally, leaves, _head(len(leaves), ExportFormat.XLSX, Order.RECORDED, {}))


async def _written(
    file: ExportFile,
    builder: WorkProcess,
    pages: Sequence[Sequence[Evidence]],
    leaves: Sequence[bytes],
    head: JsonObject,
) -> bytes:
    tally = Tally()
    written = [await file.begin()]
    written += [await file.add(page, await file.built(builder, page), tally) for page in map(EvidencePage.of, pages)]
    facts, proof = _proof(tally, leaves, head)
    written += [data async for data in file.end(facts, proof)]
    return b"".join(written)


def _proof(tally: Tally, leaves: Sequence[bytes], head: JsonObject) -> tuple[Facts, ProofParts]:
    checkpoint = Checkpoint(origin_of(SERVICE, DEFAULT_LEDGER), len(leaves), root_hash(leaves))
    positions = positions_text(tally.positions)
    known: Any = head
    manifest = Manifest(
        **known,
        checkpoint_size=checkpoint.size,
        checkpoint_root=checkpoint.root.hex(),
        rows=tally.rows,
        leaves_sha256=tally.leaves.hexdigest(),
        rows_sha256=tally.row_hashes.hexdigest(),
        fingerprints_sha256=sha256(tally.fingerprints).hexdigest(),
        positions_sha256=positions.sha256,
        words=words_of(WORDS, tally.kinds),
    )
    name = origin(SERVICE, DEFAULT_LEDGER)
    checkpoint_note = signed(checkpoint.text, checkpoint.origin)
    indexes = [position - 1 for position in tally.positions if position <= len(leaves)]
    key = str(VerifierKey(name, PUBLIC_KEY))
    return (
        Facts(manifest, SERVICE, checkpoint_note, key, tally.modules, tally.users, tally.days),
        ProofParts(
            signed(manifest.text(SERVICE), name),
            checkpoint_note,
            key,
            positions.parts,
            tally.fingerprints,
            _Nodes(leaves, indexes),
        ),
    )
