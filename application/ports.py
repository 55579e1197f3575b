"""What the use cases need from the outside, each as a promise that its implementations keep."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from domain.checkpoint import SignedCheckpoint, TreeStanding, UsedKey
from domain.credential import Credential
from domain.entities.history import Bodies, Segment
from domain.ledger import Head, LedgerEvent
from domain.merkle import Node
from domain.quarantined import Quarantined, QuarantineFilter
from domain.receipt import CommandConflict, Receipt
from domain.record import Draft
from domain.signed_note import VerifierKey
from domain.words import Ledger, Position


class EventStore(Protocol):
    """The ledgers.

    Atomicity: a batch is recorded whole or not at all. Durability: once `append` returns, its receipts are on
    disk. Order: positions are 1, 2, 3, ... without gaps, in the order of commits, so a reader that has seen
    position n has seen all before it. Concurrency: any number of processes may append to one ledger.
    """

    async def append(self, ledger: Ledger, drafts: Sequence[Draft]) -> list[Receipt | CommandConflict]:
        """Record drafts in their order; the answers are in the same order.

        A draft whose `command_id` is in the ledger, or earlier in the batch, is not recorded again: its answer
        is the first one's receipt, or a conflict if the content differs. Neither disturbs the others.

        Raises StoreUnavailable if the store cannot be reached. Whether anything was recorded is then unknown,
        and appending the same drafts again is safe.
        """

    async def read(self, ledger: Ledger, after: Position, limit: int) -> Sequence[LedgerEvent]:
        """The events after a position, in order, at most `limit` of them, for whoever checks how they are linked.

        Raises StoreUnavailable.
        """


class EntityRecords(Protocol):
    """The records of single entities of one ledger, as they are there; several may ask at the same time.

    Nothing is checked: a record may have been tampered with. All methods raise StoreUnavailable.
    """

    @property
    def ledger(self) -> Ledger:
        """The one that they are of."""

    async def head(self, position: Position | None) -> Head:
        """The place at a position, which must not be after the last event, or of the last event itself.

        Of a ledger without events it is the place before the first one.
        """

    async def segments(self, originator_id: str, after: int, segments: int, until: Position) -> Sequence[Segment]:
        """The records of an entity after a version, the last one of a segment, and up to a position; in order.

        Fewer segments than asked for, or a last one that is not whole, say that there are no more.
        """

    async def beginnings(self, originator_ids: Sequence[str], until: Position) -> Sequence[Segment]:
        """The first segment of each of these entities that has any records, in their order."""

    async def bodies(self, originator_id: str, after: int, segments: int, until: Position) -> Sequence[Bodies]:
        """The same with no more than it takes to see that records are still those that were checked before."""


class EntityHistory(Protocol):
    """The histories of single entities, of all ledgers."""

    def reading(self, ledger: Ledger) -> AbstractAsyncContextManager[EntityRecords]:
        """The records of one ledger, for one question, however many readings that takes. Raises StoreUnavailable."""


class Clock(Protocol):
    def __call__(self) -> datetime:
        """The time now, in UTC."""


class CredentialStore(Protocol):
    """The credentials of all ledgers; keys themselves are not in it."""

    async def add(self, credential: Credential, key_hash: bytes) -> None:
        """Keep a credential with the hash of its key. Raises StoreUnavailable."""

    async def find(self, ledger: Ledger, credential_id: str) -> tuple[Credential, bytes] | None:
        """A credential and the hash of its key. Raises StoreUnavailable."""

    async def all(self, ledger: Ledger) -> Sequence[Credential]:
        """Those of a ledger, oldest first, expired and revoked ones among them. Raises StoreUnavailable."""

    async def revoke(self, ledger: Ledger, credential_id: str, at: datetime) -> bool:
        """End a credential's life; False if there is none that lives. Raises StoreUnavailable."""


class QuarantineStore(Protocol):
    """What could not be understood, of all ledgers. Nothing is ever removed, and bytes never change."""

    async def keep(
        self, ledger: Ledger, source: str, refused: Sequence[tuple[Quarantined, bytes]], most: int
    ) -> list[str | None]:
        """Keep these, all or none; the ids under which they are kept are in the same order.

        What this source has sent before is not kept again, but counted under its first id. What is new is not kept
        (None) if that would make more than `most` in the ledger; many processes at once may exceed that a little.
        Once this returns, all is on disk. Raises StoreUnavailable.
        """

    async def find(self, ledger: Ledger, quarantined_id: str) -> tuple[Quarantined, bytes] | None:
        """One of them with its bytes; the id must be a UUID. Raises StoreUnavailable."""

    async def page(
        self, ledger: Ledger, wanted: QuarantineFilter, before: str | None, limit: int
    ) -> Sequence[Quarantined]:
        """Those of a ledger that are wanted, newest first, from behind the id `before` on. Raises StoreUnavailable."""

    async def retried(self, ledger: Ledger, quarantined_id: str, at: datetime, position: Position) -> None:
        """Note the event that it has become; a later note changes nothing. Raises StoreUnavailable."""

    async def waiting_in(self, ledger: Ledger) -> int:
        """How many of a ledger wait. Raises StoreUnavailable."""

    async def waiting(self) -> int:
        """How many of all ledgers have not become an event. Raises StoreUnavailable."""


class TreeReader(Protocol):
    """The Merkle trees of the ledgers."""

    async def standing(self, *, everything: bool) -> Sequence[TreeStanding]:
        """How far the trees are built, of all ledgers, or of those with more than was signed or with an alarm.

        Raises StoreUnavailable.
        """

    async def hashes(self, ledger: Ledger, size: int, nodes: Sequence[Node]) -> list[bytes]:
        """The hashes of nodes of the tree of this size. Raises StoreUnavailable, or AuditError if it has none."""


class CheckpointStore(Protocol):
    """The checkpoints of all ledgers, for ever, with the public keys that signed them."""

    async def latest(self, ledger: Ledger) -> SignedCheckpoint | None:
        """The largest. Raises StoreUnavailable."""

    async def add(self, ledger: Ledger, signed: SignedCheckpoint, key: VerifierKey, previous_size: int) -> bool:
        """Keep a checkpoint that goes on from that of `previous_size` (0 for none), and its key if that is new.

        False if there is one already that goes on from there, or one of this size. Once this returns, it is on disk.
        Raises StoreUnavailable.
        """

    async def keys(self, ledger: Ledger) -> Sequence[UsedKey]:
        """The keys that have signed, in the order of their first use. Raises StoreUnavailable."""

    async def raise_alarm(self, ledger: Ledger, reason: str, at: datetime) -> None:
        """Keep word that nothing is signed, and why; the first time stays. Raises StoreUnavailable."""

    async def end_alarm(self, ledger: Ledger) -> None:
        """All is well again, if it was not. Raises StoreUnavailable."""

    async def alarms(self) -> int:
        """In how many ledgers nothing is signed. Raises StoreUnavailable."""


class LastSigned(Protocol):
    """The last checkpoint signed of each ledger, kept where nobody who has the database comes."""

    def read(self, ledger: Ledger) -> str | None:
        """The note; None if none was kept. Raises OSError."""

    def keep(self, ledger: Ledger, note: str) -> None:
        """Replace it in one step; once this returns, it is on disk. Raises OSError."""

    def ledgers(self) -> Collection[Ledger]:
        """Those of which one is kept. Raises OSError."""


class SigningKey(Protocol):
    """An Ed25519 key."""

    @property
    def public_key(self) -> bytes:
        """Its 32 bytes (RFC 8032)."""

    def sign(self, message: bytes) -> bytes:
        """The signature, of 64 bytes."""


class SigningKeys(Protocol):
    """The key that signs checkpoints, which may be another after a rotation."""

    def present(self) -> SigningKey:
        """The key to sign with now, made if there never was one. Raises NoSigningKey."""

    def rotate(self) -> SigningKey:
        """Make another key and sign with it from now on. Raises AuditError if it is not ours to do."""


class Turn(Protocol):
    """The right to do a piece of work that one process does at a time."""

    async def hold(self) -> bool:
        """Take it, or keep it; False while another has it. Raises StoreUnavailable."""

    async def release(self) -> None:
        """Let another have it."""
