"""Reading the ledger for projectors, which mostly stand side by side and so share what is read and decoded."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.errors import UnreadableEvent
from domain.event import AuditEvent
from domain.ledger import Recorded
from domain.mapper import RecordMapper
from domain.words import Ledger, Position
from projections.turns import turns

BATCH = 4000
"""How many events are read and applied together."""

_KEPT = 4
"""How many batches: the ledger bounds the bytes of each (its records: 32 MB), and so of all."""


class LedgerReader(Protocol):
    async def read(self, ledger: Ledger, after: Position, limit: int) -> Sequence[Recorded]:
        """The events after a position, in order: at most `limit`, and fewer if they are long, but one if there is any.

        Raises StoreUnavailable.
        """


@dataclass(frozen=True)
class Batch:
    """Events that follow one another, decoded; those that could not be are listed with their error."""

    last: Position
    events: Sequence[AuditEvent]
    unreadable: Sequence[tuple[Position, str]]


class Batches:
    """Owns the few batches read last. Several tasks may ask for the same one: it is read once."""

    def __init__(self, reader: LedgerReader, mapper: RecordMapper) -> None:
        self._reader = reader
        self._mapper = mapper
        self._kept: dict[tuple[Ledger, Position], asyncio.Task[Batch | None]] = {}

    async def after(self, ledger: Ledger, position: Position) -> Batch | None:
        """The batch that follows a position, or None if nothing does.

        It ends at a multiple of BATCH at the latest, so that projectors that drifted apart meet again. Where it does,
        more is likely to follow, and is read while this one is applied.
        """
        batch = await asyncio.shield(self._reading(ledger, position))
        if batch is None:
            self._kept.pop((ledger, position), None)
        elif batch.last % BATCH == 0:
            self._reading(ledger, batch.last)
        return batch

    def _reading(self, ledger: Ledger, position: Position) -> "asyncio.Task[Batch | None]":
        key = (ledger, position)
        task = self._kept.get(key)
        if task is None:
            task = self._kept[key] = asyncio.create_task(self._read(ledger, position))
            task.add_done_callback(lambda done: self._forget_failed(key, done))
            while len(self._kept) > _KEPT:
                self._kept.pop(next(iter(self._kept)))
        return task

    def _forget_failed(self, key: tuple[Ledger, Position], done: "asyncio.Task[Batch | None]") -> None:
        """Those who wait for it are told what went wrong, if anybody does; the next one reads again."""
        if (done.cancelled() or done.exception()) and self._kept.get(key) is done:
            del self._kept[key]

    async def _read(self, ledger: Ledger, position: Position) -> Batch | None:
        stored = await self._reader.read(ledger, position, BATCH - position % BATCH)
        if not stored:
            return None
        events, unreadable = [], []
        async for some in turns(stored):
            for event in some:
                try:
                    events.append(self._decoded(event))
                except UnreadableEvent as error:
                    unreadable.append((event.position, str(error)))
        return Batch(stored[-1].position, events, unreadable)

    def _decoded(self, event: Recorded) -> AuditEvent:
        decoded = self._mapper.event(
            str(event.originator_id), event.originator_version, event.topic, event.record, event.personal
        )
        if decoded.facts.get("position") != event.position:
            raise UnreadableEvent(f"the record says that its position is {decoded.facts.get('position')!r}")
        return decoded
