"""What the sender of a command gets for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain import canonical
from domain.ledger import LedgerEvent
from domain.record import Draft
from domain.words import Ledger, Position


class Receipt(NamedTuple):
    """The proof that a command became an event, given only once that is durable.

    A tuple, since one is made for every event: it takes a third of the time of a frozen dataclass.
    """

    event_id: str
    ledger: Ledger
    position: Position
    recorded_at: datetime
    leaf_hash: bytes
    chain_hash: bytes
    duplicate: bool
    """Whether the command had been recorded before: the rest is then the receipt of that time."""

    @classmethod
    def of(cls, event: LedgerEvent, ledger: Ledger, event_id: str, *, duplicate: bool) -> "Receipt":
        return cls(event_id, ledger, event.position, event.recorded_at, event.leaf_hash, event.chain_hash, duplicate)


@dataclass(frozen=True, slots=True)
class CommandConflict:
    """A `command_id` that was used before, for a command of other content."""

    command_id: str
    position: Position
    """Where the first command of that id is."""


def answer_to_repeated(draft: Draft, first: LedgerEvent, ledger: Ledger) -> Receipt | CommandConflict:
    """The answer to a command whose id is that of an event in the ledger."""
    if draft.same_command(first.record, first.personal):
        event_id = str(canonical.decode_object(first.record)["event_id"])
        return Receipt.of(first, ledger, event_id, duplicate=True)
    return CommandConflict(draft.command_id, first.position)
