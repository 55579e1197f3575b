"""What the use cases need from the outside, each as a promise that its implementations keep."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.credential import Credential
from domain.ledger import LedgerEvent
from domain.receipt import CommandConflict, Receipt
from domain.record import Draft
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
        """The events after a position, in order, at most `limit` of them. Raises StoreUnavailable."""


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
