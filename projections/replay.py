"""Replaying the ledger into tables beside those that are shown, exactly up to a position."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.ledger import Recorded
from domain.mapper import RecordMapper
from domain.words import Ledger, Position
from projections.batches import BATCH, Batches, LedgerReader
from projections.database import Pool, bind
from projections.projection import LedgerProjection, Projection
from projections.projector import Projector

REPLAY = 1_000_000_000
"""The generation of the tables that a replay fills: none that is ever shown."""


@dataclass(frozen=True)
class _ReaderUntil:
    """Reads no further than to a position."""

    reader: LedgerReader
    until: Position

    async def read(self, ledger: Ledger, after: Position, limit: int) -> Sequence[Recorded]:
        return await self.reader.read(ledger, after, min(limit, self.until - after)) if after < self.until else ()


class Replay:
    """One projection of one ledger, replayed by one task."""

    def __init__(
        self,
        projection: Projection,
        ledger: Ledger,
        pool: Pool,
        reader: LedgerReader,
        mapper: RecordMapper,
        shared: Batches,
    ) -> None:
        """`shared` is what several replays read together."""
        self.projection = projection
        self.position = Position(0)
        """Up to which it is replayed."""
        self.compared = Position(-(2**63))
        """Up to which its tables with a row for each event are compared, and emptied: also what is before the first."""
        self._ledger = ledger
        self._pool = pool
        self._reader = reader
        self._mapper = mapper
        self._projector = Projector(projection, REPLAY, pool, shared)

    async def advance(self) -> bool:
        """Replay one batch, of a ledger that is longer by one at least; False if there are no events any more."""
        before = self.position
        if isinstance(self.projection, LedgerProjection):
            self.position = await self._extend(self.projection, Position(before + BATCH))
        else:
            self.position = await self._projector.advance(self._ledger, before)
        return self.position > before

    async def finish(self, goal: Position) -> None:
        """Replay the rest, exactly up to a position, or to the last event if there are not so many.

        It is read apart: what others have read may go further.
        """
        if isinstance(self.projection, LedgerProjection):
            self.position = await self._extend(self.projection, goal)
            return
        batches = Batches(_ReaderUntil(self._reader, goal), self._mapper)
        projector = Projector(self.projection, REPLAY, self._pool, batches)
        while (reached := await projector.advance(self._ledger, self.position)) != self.position:
            self.position = reached

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
    shared = Batches(reader, mapper)
    return [Replay(projection, ledger, pool, reader, mapper, shared) for projection in projections]
