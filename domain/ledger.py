"""What a ledger does to events: numbers, stamps and links them. Pure, so that every store does the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

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


@dataclass(frozen=True)
class LedgerEvent(Notification):
    """An event in its place in the ledger: one row of it, all that is stored.

    Of the library's notification, `id` is the position and `state` the record.
    """

    command_id: str
    recorded_at: datetime
    personal: bytes | None
    leaf_hash: bytes
    chain_hash: bytes

    @classmethod
    def made(cls, **fields: object) -> "LedgerEvent":
        """One from all of its fields, in a third of the time that the check of a frozen one takes.

        The library makes its domain events in the same way.
        """
        event = object.__new__(cls)
        object.__setattr__(event, "__dict__", fields)
        return event

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
        yield LedgerEvent.made(
            id=position,
            originator_id=draft.originator_id,
            originator_version=version,
            topic=draft.topic,
            state=record,
            command_id=draft.command_id,
            recorded_at=stamp,
            personal=draft.personal,
            leaf_hash=leaf,
            chain_hash=previous,
        )
        stamp += _TICK
