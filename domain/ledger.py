"""What a ledger does to events: numbers, stamps and links them. Pure, so that every store does the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from eventsourcing.persistence import Notification

from domain.chain import chain_hash, genesis
from domain.merkle import leaf_hash
from domain.record import Draft
from domain.words import Ledger, Position

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a ledger."""

    position: Position
    chain_hash: bytes
    recorded_at: datetime | None
    """The time of the last event; None while there is none."""

    @classmethod
    def empty(cls, ledger: Ledger) -> "Head":
        return cls(Position(0), genesis(ledger), None)


class Recorded(Protocol):
    """What tells of an event in its place in the ledger: all that is stored but how it is linked."""

    @property
    def position(self) -> Position: ...
    @property
    def originator_id(self) -> UUID | str: ...
    @property
    def originator_version(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def record(self) -> bytes: ...
    @property
    def personal(self) -> bytes | None: ...


class _Row(NamedTuple):
    """In the order of the columns that stores keep."""

    id: int
    command_id: str
    originator_id: UUID | str
    originator_version: int
    topic: str
    recorded_at: datetime
    state: bytes
    personal: bytes | None
    leaf_hash: bytes
    chain_hash: bytes


class LedgerEvent(_Row, Notification):
    """An event in its place in the ledger: one row of it, all that is stored.

    Of the library's notification, `id` is the position and `state` the record. A tuple as well, since one is made
    for every event: it takes a third of the time of a frozen dataclass.
    """

    __init__ = object.__init__  # Not the dataclass's, which sets each member.

    @property
    def position(self) -> Position:
        return Position(self.id)

    @property
    def record(self) -> bytes:
        return self.state


def link(head: Head, drafts: Iterable[tuple[Draft, int]], now: datetime) -> Iterator[LedgerEvent]:
    """Number, stamp and link drafts, each with its entity's version, behind `head`; one after the other.

    Each is stamped at least one microsecond after the one before, so that the order of times is the order of
    positions even if the clock has jumped back.
    """
    previous = head.chain_hash
    position = head.position
    stamp = now if head.recorded_at is None else max(now, head.recorded_at + _TICK)
    for draft, version in drafts:
        position = Position(position + 1)
        record = draft.record(version, position, stamp)
        leaf = leaf_hash(record)
        previous = chain_hash(previous, leaf)
        yield LedgerEvent(
            position,
            draft.command_id,
            draft.originator_id,
            version,
            draft.topic,
            stamp,
            record,
            draft.personal,
            leaf,
            previous,
        )
        stamp += _TICK
