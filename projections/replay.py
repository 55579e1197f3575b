"""Replaying the ledger into tables beside those that are shown, exactly up to a position."""

from collections.abc import Sequence

from domain.ledger import LedgerEvent
from domain.mapper import RecordMapper
from domain.words import Ledger, Position
from projections.batches import BATCH, Batches, LedgerReader
from projections.database import Pool, bind
from projections.projection import LedgerProjection, Projection
from projections.projector import SPAN, Projector

REPLAY = 1_000_000_000
"""The generation of the tables that a replay fills: none that is ever shown."""


class _ReaderUntil:
    """Reads no further than it is told."""

    def __init__(self, reader: LedgerReader) -> None:
        self._reader = reader
        self.until = Position(0)

    async def read(self, ledger: Ledger, after: Position, limit: int) -> Sequence[LedgerEvent]:
        return await self._reader.read(ledger, after, min(limit, self.until - after)) if after < self.until else ()


class Replay:
    """One projection of one ledger, replayed by one task."""

    def __init__(self, projection: Projection, ledger: Ledger, pool: Pool, reader: _ReaderUntil, batches: Batches):
        self.projection = projection
        self.position = Position(0)
        """Up to which it is replayed."""
        self.compared = Position(-(2**63))
        """Up to which its tables with a row for each event are compared, and emptied: also what is before the first."""
        self._ledger = ledger
        self._pool = pool
        self._reader = reader
        self._projector = Projector(projection, REPLAY, pool, batches)

    async def advance(self, until: Position) -> bool:
        """Replay some more, no further than to a position; False if there are no events any more."""
        before = self.position
        if isinstance(self.projection, LedgerProjection):
            self.position = await self._extend(self.projection, Position(min(until, before + SPAN)))
        else:
            # Whole batches but for the last, so that all projections read the same ones.
            self._reader.until = until if until - before < BATCH else Position(until - until % BATCH)
            self.position = await self._projector.advance(self._ledger, before)
        return self.position > before

    async def _extend(self, projection: LedgerProjection, until: Position) -> Position:
        async with self._pool.acquire() as connection, connection.transaction():
            await bind(connection, self._ledger)
            last = await connection.fetchval(
                "SELECT max(position) FROM audit.ledger_events WHERE ledger = $1", self._ledger
            )
            until = Position(min(until, last or 0))
            if until > self.position:
                await projection.extend(connection, REPLAY, self._ledger, self.position, until)
        return max(until, self.position)


def replays_of(
    projections: Sequence[Projection], ledger: Ledger, pool: Pool, reader: LedgerReader, mapper: RecordMapper
) -> Sequence[Replay]:
    """One for each projection; they share what is read."""
    bounded = _ReaderUntil(reader)
    batches = Batches(bounded, mapper)
    return [Replay(projection, ledger, pool, bounded, batches) for projection in projections]
