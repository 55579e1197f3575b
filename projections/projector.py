"""A projector: applies events to one generation of a projection, each exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import structlog
from eventsourcing.persistence import Tracking

from domain.event import AuditEvent
from domain.words import Ledger, Position
from projections.batches import Batch, Batches
from projections.database import Connection, Pool, bind
from projections.projection import EventProjection, LedgerProjection, Projection
from projections.tracking import insert_tracking, max_tracking_id

_FAULT_OF_AN_EVENT = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    RecursionError,
)
"""What goes wrong in the same way whenever it is tried. Any other error says nothing about the events."""

_SET_ASIDE = """
INSERT INTO reading.set_aside (ledger, projection, generation, position, error)
SELECT $1, $2, $3, * FROM unnest($4::bigint[], $5::text[])
"""

SPAN = 64 * 256
"""How many positions a projection of the ledger itself is brought forward together."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Projector:
    projection: Projection
    generation: int
    pool: Pool
    batches: Batches

    async def position(self, ledger: Ledger) -> Position:
        async with self.pool.acquire() as connection:
            position = await max_tracking_id(connection, self.projection.name, self.generation, ledger)
        return Position(position or 0)

    async def advance(self, ledger: Ledger, after: Position) -> Position:
        """Apply the batch after a position and return its end, or the position itself if nothing follows.

        The table and the tracking move in one transaction. Raises IntegrityError of eventsourcing, and changes
        nothing, if another process was quicker.
        """
        if isinstance(self.projection, LedgerProjection):
            return await self._extend(self.projection, ledger, after)
        batch = await self.batches.after(ledger, after)
        if batch is None:
            return after
        try:
            await self._apply(ledger, after, batch.events, batch.unreadable, batch.last)
        except _FAULT_OF_AN_EVENT as error:
            # The kind of error only: its text may quote the events, and who reads the log may not read these.
            log.warning("projection_goes_one_by_one", projection=self.projection.name, error=type(error).__name__)
            await self._apply_one_by_one(ledger, after, batch)
        return batch.last

    async def _extend(self, projection: LedgerProjection, ledger: Ledger, after: Position) -> Position:
        async with self.pool.acquire() as connection, connection.transaction():
            head = await connection.fetchval("SELECT position FROM audit.heads WHERE ledger = $1", ledger)
            last = Position(min(head or 0, after + SPAN))
            if last <= after:
                return after
            await insert_tracking(connection, projection.name, self.generation, Tracking(ledger, last), after)
            await bind(connection, ledger)
            await projection.extend(connection, self.generation, ledger, after, last)
        return last

    async def _apply(
        self,
        ledger: Ledger,
        after: Position,
        events: Sequence[AuditEvent],
        unreadable: Sequence[tuple[Position, str]],
        last: Position,
    ) -> None:
        assert isinstance(self.projection, EventProjection)
        async with self.pool.acquire() as connection, connection.transaction():
            # First, so that of two processes the slower one waits here and then learns that it was overtaken.
            await insert_tracking(connection, self.projection.name, self.generation, Tracking(ledger, last), after)
            if events:
                await self.projection.apply(connection, self.generation, ledger, events)
            if unreadable:
                await self._set_aside(connection, ledger, unreadable)

    async def _apply_one_by_one(self, ledger: Ledger, after: Position, batch: Batch) -> None:
        """Find the events that cannot be applied, and set them aside with their errors."""
        by_position = {Position(int(str(event.facts["position"]))): event for event in batch.events}
        errors = dict(batch.unreadable)
        for position in sorted([*by_position, *errors]):
            events = [by_position[position]] if position in by_position else []
            unreadable = [(position, errors[position])] if position in errors else []
            try:
                await self._apply(ledger, after, events, unreadable, position)
            except _FAULT_OF_AN_EVENT as error:
                log.error(  # noqa: TRY400 - a traceback would quote the event.
                    "event_set_aside", projection=self.projection.name, ledger=ledger, position=position
                )
                await self._apply(ledger, after, [], [(position, repr(error))], position)
            after = position

    async def _set_aside(self, connection: Connection, ledger: Ledger, errors: Sequence[tuple[Position, str]]) -> None:
        await connection.execute(
            _SET_ASIDE,
            ledger,
            self.projection.name,
            self.generation,
            [position for position, _ in errors],
            [error.replace("\0", "") for _, error in errors],
        )
