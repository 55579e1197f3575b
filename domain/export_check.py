"""Checking an exported file, row by row: it trusts nothing but the signed manifest and checkpoint.

Takes 80 bytes or so for each row, since the tree and the chain are checked in the order of positions.
"""

import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from domain import personal
from domain.chain import chain_hash, genesis
from domain.errors import AuditError
from domain.exported import facts_of, row_hash
from domain.manifest import Manifest
from domain.merkle import ProofError, leaf_hash
from domain.multiproof import verify_multiproof
from domain.positions import InvalidPositions, Positions, Range, missing, parse_ranges, ranges_text
from domain.values import JsonObject, JsonValue
from domain.words import Order

MOST_FAULTS = 100
FINGERPRINT_BYTES = 8
_NO_RECORD = (AuditError, LookupError, TypeError, ValueError, AttributeError, AssertionError)
_HASH_BYTES = 32


class Shown(Protocol):
    """What a row shows to people."""

    def differences(self, facts: JsonObject) -> Iterator[tuple[str, str]]:
        """The columns that do not say what the facts say, each with what is wrong."""


class ExportedRow(NamedTuple):
    """A row as it stands in a file."""

    place: str
    """As `Events, row 7`."""
    record: str | None
    personal: str | None
    leaf_hash: str | None
    chain_hash: str | None
    shown: Shown


@dataclass(frozen=True)
class Proof:
    """What a file holds to be checked with, beside its rows."""

    positions: str
    fingerprints: bytes
    nodes: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was exported."""

    place: str
    column: str | None
    message: str

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        return f"{self.place}{column}: {self.message}"


@dataclass
class Verdict:
    """What came of a check."""

    rows: int = 0
    unproven: int = 0
    """Rows behind the checkpoint: the manifest vouches for them, the tree does not yet."""
    without_personal: int = 0
    """Rows whose personal data were not in the ledger any more when they were exported."""
    chained: int = 0
    """Rows whose chain hash follows from the row of the position before."""
    faults: list[Fault] = field(default_factory=list)
    """The first ones."""
    faults_in_all: int = 0

    @property
    def good(self) -> bool:
        return not self.faults_in_all

    def add(self, place: str, column: str | None, message: str) -> None:
        self.faults_in_all += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(place, column, message))


class ExportCheck:
    """Takes the rows of one file in their order, then concludes."""

    def __init__(self, manifest: Manifest, proof: Proof, verdict: Verdict) -> None:
        """`verdict` is added to."""
        self.verdict = verdict
        self._manifest = manifest
        self._proof = proof
        self._wording = manifest.wording
        self._fingerprints = array("Q", proof.fingerprints[: len(proof.fingerprints) // 8 * 8])
        self._known = array("Q", sorted(self._fingerprints))
        self._positions = Positions()
        self._places = array("Q")
        self._hashes = bytearray()
        """The leaf hash and the chain hash of each row in `_places`."""
        self._leaves, self._rows = sha256(), sha256()
        self._last: tuple[JsonValue, int] | None = None
        self.modules: Counter[tuple[str, str]] = Counter()
        self.users: Counter[tuple[str, str, str]] = Counter()
        self.days: Counter[tuple[str, str]] = Counter()

    def take(self, row: ExportedRow) -> None:
        """Check what one row says of itself."""
        self.verdict.rows += 1
        if row.record is None:
            self.verdict.add(row.place, "Record", "is empty: a row of an event has its record")
            return
        try:
            record, personal_bytes = row.record.encode(), row.personal.encode() if row.personal is not None else None
            facts, digest = facts_of(record, personal_bytes, self._wording)
            position = facts["position"]
            assert isinstance(position, int)
            assert not isinstance(position, bool)
            differences = list(row.shown.differences(facts))
        except _NO_RECORD as error:
            column = self._suspect_of_unreadable(row)
            self.verdict.add(row.place, column, f"this is not what was recorded: {error}")
            return
        self._count(facts)
        for column, message in differences:
            self.verdict.add(row.place, column, message)
        self._check_personal(row, digest, personal_bytes)
        self._check_place(row, facts, position)
        self._check_hashes(row, record, position, shows_personal=personal_bytes is not None)

    def conclude(self) -> Verdict:
        """Check what the rows are together."""
        wanted = self._wanted_positions()
        if wanted is not None:
            self._check_positions(wanted)
        self._check_chain()
        if self.verdict.good:
            self._check_digests()
        if self.verdict.good:
            self._check_tree()
        return self.verdict

    def _count(self, facts: JsonObject) -> None:
        """What a summary tells."""
        actor: Any = facts["actor"]
        status = str(facts["status"])
        self.modules[str(facts["module"]), status] += 1
        self.users[actor["id"], actor.get("full_name") or "", status] += 1
        self.days[str(facts["occurred_at"])[:10], status] += 1

    def _suspect_of_unreadable(self, row: ExportedRow) -> str:
        """The column of what cannot be read: the record, unless the record is whole."""
        computed = leaf_hash((row.record or "").encode(errors="replace"))
        return "Personal" if computed.hex() == row.leaf_hash else "Record"

    def _check_personal(self, row: ExportedRow, digest: JsonValue, data: bytes | None) -> None:
        if data is None:
            if digest is not None:
                self.verdict.without_personal += 1
        elif personal.digest(data).hex() != digest:
            self.verdict.add(row.place, "Personal", "these are not the personal data of the record")

    def _check_place(self, row: ExportedRow, facts: JsonObject, position: int) -> None:
        """Whether the row may be in this file, and here in it."""
        manifest = self._manifest
        if facts["ledger"] != manifest.ledger:
            self.verdict.add(row.place, "Record", f"is of the ledger {facts['ledger']!r}, not {manifest.ledger!r}")
        if not 1 <= position <= manifest.position:
            self.verdict.add(row.place, "Position", f"{position} was not recorded when the file was made")
            return
        if not self._positions.add(position):
            self.verdict.add(row.place, "Position", f"the event at position {position} is in the file twice")
            return
        here = (facts["occurred_at"] if manifest.order is Order.OCCURRED else "", position)
        if self._last is not None and not _follows(self._last, here, manifest.order):
            self.verdict.add(row.place, None, "does not belong here: the rows are not in their order any more")
        self._last = here

    def _check_hashes(self, row: ExportedRow, record: bytes, position: int, *, shows_personal: bool) -> None:
        computed, stated, chained = leaf_hash(record), _hash(row.leaf_hash), _hash(row.chain_hash)
        if chained is None:
            self.verdict.add(row.place, "Chain hash", "is not a SHA-256 in hexadecimal")
            chained = bytes(_HASH_BYTES)
        row_digest = row_hash(computed, chained, shows_personal=shows_personal)
        known = self._is_known(row_digest)
        if computed != stated:
            edited = not known and stated is not None
            self.verdict.add(
                row.place,
                "Record" if edited else "Leaf hash",
                f"the record hashes to {computed.hex()}, and the leaf hash is {row.leaf_hash!r}",
            )
        elif not known:
            self._name_unknown(row, computed, chained, shows_personal=shows_personal)
        self._leaves.update(computed)
        self._rows.update(row_digest)
        if 1 <= position <= self._manifest.position:
            self._places.append(position)
            self._hashes += computed + chained

    def _name_unknown(self, row: ExportedRow, leaf: bytes, chained: bytes, *, shows_personal: bool) -> None:
        """Say which part of a row that is at one with itself was not exported like this."""
        if self._is_known(row_hash(leaf, chained, shows_personal=not shows_personal)):
            what = "were not in the file" if shows_personal else "were taken out"
            self.verdict.add(row.place, "Personal", f"the personal data {what}")
        else:
            self.verdict.add(
                row.place, "Chain hash", "is not what was exported, or the whole row was put in the place of another"
            )

    def _is_known(self, row_digest: bytes) -> bool:
        fingerprint = int.from_bytes(row_digest[:FINGERPRINT_BYTES], sys.byteorder)
        index = bisect_left(self._known, fingerprint)
        return index < len(self._known) and self._known[index] == fingerprint

    def _wanted_positions(self) -> list[Range] | None:
        if sha256(self._proof.positions.encode()).hexdigest() != self._manifest.positions_sha256:
            self.verdict.add("Proof", None, "the list of positions is not the one of the signed manifest")
            return None
        try:
            return parse_ranges(self._proof.positions)
        except InvalidPositions as error:
            self.verdict.add("Proof", None, str(error))
            return None

    def _check_positions(self, wanted: Sequence[Range]) -> None:
        for what, found in (
            ("were taken out", missing(self._positions.ranges(), wanted)),
            ("were put in", missing(wanted, self._positions.ranges())),
        ):
            ranges = list(found)
            if ranges:
                count = sum(last - begin + 1 for begin, last in ranges)
                named = ", ".join(ranges_text(ranges[:20])) + (", ..." if len(ranges) > 20 else "")
                self.verdict.add("Events", None, f"{count} rows {what}: those of the positions {named}")

    def _ascending(self) -> Iterator[tuple[int, bytes, bytes]]:
        """The position, leaf hash and chain hash of each row."""
        places, hashes = self._places, self._hashes
        for index in sorted(range(len(places)), key=places.__getitem__):
            at = index * 2 * _HASH_BYTES
            yield places[index], bytes(hashes[at : at + 32]), bytes(hashes[at + 32 : at + 64])

    def _check_chain(self) -> None:
        before, link = 0, genesis(self._manifest.ledger)
        for position, leaf, chained in self._ascending():
            if position == before + 1:
                self.verdict.chained += 1
                if chain_hash(link, leaf) != chained:
                    where = f"at position {before}" if before else "that a ledger begins with"
                    self.verdict.add(
                        f"Position {position}", "Chain hash", f"does not follow from its record and the link {where}"
                    )
            before, link = position, chained

    def _check_digests(self) -> None:
        manifest = self._manifest
        if sha256(self._proof.fingerprints).hexdigest() != manifest.fingerprints_sha256:
            self.verdict.add("Proof", None, "the fingerprints of the rows are not those of the signed manifest")
        for what, found, signed in (
            ("number of rows", str(self.verdict.rows), str(manifest.rows)),
            ("digest of the leaf hashes", self._leaves.hexdigest(), manifest.leaves_sha256),
            ("digest of the rows", self._rows.hexdigest(), manifest.rows_sha256),
        ):
            if found != signed:
                self.verdict.add("Events", None, f"the {what} is {found}, and the signed manifest says {signed}")

    def _check_tree(self) -> None:
        size = self._manifest.checkpoint_size
        self.verdict.unproven = sum(position > size for position in self._places)
        leaves: Iterable[tuple[int, bytes]] = (
            (position - 1, leaf) for position, leaf, _ in self._ascending() if position <= size
        )
        try:
            verify_multiproof(size, leaves, self._proof.nodes, bytes.fromhex(self._manifest.checkpoint_root))
        except ProofError as error:
            self.verdict.add("Proof", None, f"the rows are not in the tree of the checkpoint: {error}")


def _follows(last: tuple[JsonValue, int], here: tuple[JsonValue, int], order: Order) -> bool:
    before, after = (str(last[0]), last[1]), (str(here[0]), here[1])
    return before > after if order is Order.OCCURRED else before < after


def _hash(text: str | None) -> bytes | None:
    try:
        found = bytes.fromhex(text or "")
    except ValueError:
        return None
    return found if len(found) == _HASH_BYTES and found.hex() == text else None
