"""The records of single entities of ledgers in memory: a fake of the port, for tests of what stands on it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import groupby

from adapters.memory.event_store import MemoryEventStore
from domain.chain import genesis
from domain.entities.history import SEGMENT, Bodies, Segment
from domain.ledger import Head, LedgerEvent
from domain.words import Ledger, Position


class MemoryEntityHistory:
    """Keeps the promises of `application.ports.EntityHistory`, over a store in memory."""

    def __init__(self, store: MemoryEventStore) -> None:
        self._store = store

    @asynccontextmanager
    async def reading(self, ledger: Ledger) -> AsyncIterator["MemoryEntityRecords"]:
        yield MemoryEntityRecords(self._store, ledger)


class MemoryEntityRecords:
    """Keeps the promises of `application.ports.EntityRecords`."""

    def __init__(self, store: MemoryEventStore, ledger: Ledger) -> None:
        self.ledger = ledger
        self._store = store

    async def head(self, position: Position | None) -> Head:
        events = await self._all()
        if not events:
            return Head.empty(self.ledger)
        event = events[(position or len(events)) - 1]
        return Head(event.position, event.chain_hash, event.recorded_at)

    async def segments(self, originator_id: str, after: int, segments: int, until: Position) -> Sequence[Segment]:
        events = await self._all()
        chain = {event.position: event.chain_hash for event in events} | {Position(0): genesis(self.ledger)}
        return [
            Segment(
                self.ledger,
                originator_id,
                (part[0].originator_version - 1) // SEGMENT * SEGMENT + 1,
                [event.originator_version for event in part],
                [event.position for event in part],
                [event.topic for event in part],
                [event.record for event in part],
                [event.personal for event in part],
                [event.leaf_hash for event in part],
                [event.chain_hash for event in part],
                [chain.get(Position(event.position - 1)) for event in part],
            )
            for part in _parts(events, originator_id, after, segments, until)
        ]

    async def beginnings(self, originator_ids: Sequence[str], until: Position) -> Sequence[Segment]:
        return [segment for id_ in originator_ids for segment in await self.segments(id_, 0, 1, until)]

    async def bodies(self, originator_id: str, after: int, segments: int, until: Position) -> Sequence[Bodies]:
        return [Bodies.of(segment) for segment in await self.segments(originator_id, after, segments, until)]

    async def _all(self) -> list[LedgerEvent]:
        return list(await self._store.read(self.ledger, Position(0), 2**53))


def _parts(
    events: Sequence[LedgerEvent], originator_id: str, after: int, segments: int, until: Position
) -> Iterator[Sequence[LedgerEvent]]:
    last = after + segments * SEGMENT
    mine = [
        event
        for event in events
        if event.originator_id == originator_id and event.position <= until and after < event.originator_version <= last
    ]
    for _, part in groupby(mine, lambda event: (event.originator_version - 1) // SEGMENT):
        yield list(part)
