"""The operations of `eventsourcing`'s recorders on a ledger, as coroutines."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from eventsourcing.persistence import IntegrityError, StoredEvent, Tracking

from adapters.postgres import ledger_rows
from adapters.postgres.copied_events import copying_events
from adapters.postgres.event_columns import SELECT
from domain.ledger import LedgerEvent, link
from domain.words import Ledger, Position
from projections.database import Connection, Pool, bound
from projections.tracking import insert_tracking, max_tracking_id

_GENERATION = 0

_SELECT_EVENTS = f"""
{SELECT} AND originator_id = $2
AND ($3::bigint IS NULL OR originator_version > $3) AND ($4::bigint IS NULL OR originator_version <= $4)
ORDER BY originator_version {{order}} LIMIT $5
"""

_SELECT_NOTIFICATIONS = f"""
{SELECT} AND position >= $2 AND ($3::bigint IS NULL OR position <= $3)
AND (cardinality($4::text[]) = 0 OR topic = ANY($4))
ORDER BY position LIMIT $5
"""

_MAX_NOTIFICATION_ID = "SELECT max(position) FROM audit.ledger_events WHERE ledger = $1"


@dataclass(frozen=True, slots=True)
class _StoredDraft:
    """The draft of an event that was encoded elsewhere: its state is the record, whatever its place."""

    stored: StoredEvent

    @property
    def command_id(self) -> str:
        return f"{self.stored.originator_id}@{self.stored.originator_version}"

    @property
    def event_id(self) -> str:
        return self.command_id

    @property
    def originator_id(self) -> str:
        return str(self.stored.originator_id)

    @property
    def originator_version(self) -> int:
        return self.stored.originator_version

    @property
    def topic(self) -> str:
        return self.stored.topic

    @property
    def personal(self) -> bytes | None:
        return self.stored.personal if isinstance(self.stored, LedgerEvent) else None

    @property
    def size(self) -> int:
        return len(self.stored.state)

    def record(self, version: int, position: Position, recorded_at: datetime) -> bytes:  # noqa: ARG002
        return self.stored.state

    def same_command(self, record: bytes, personal: bytes | None) -> bool:
        return record == self.stored.state and personal == self.personal


class PostgresRecorder:
    """Records events, and how far `name` has come in other applications, in one transaction.

    A notification's id is the position in the ledger. Every method raises StoreUnavailable if the database
    does not answer. The pool's role must be allowed to insert events, and to move the tracking if it is used.
    """

    def __init__(self, pool: Pool, ledger: Ledger, name: str = "recorder") -> None:
        self._pool = pool
        self._ledger = ledger
        self._name = name

    async def insert_events(self, stored_events: Sequence[StoredEvent], tracking: Tracking | None = None) -> list[int]:
        """Record the events, and the tracking with them; the positions are in the events' order.

        Raises IntegrityError, and records nothing, if one of the versions or the tracking is there already.
        """
        with _integrity_errors():
            async with bound(self._pool, self._ledger) as connection:
                positions = await self._append(connection, stored_events) if stored_events else []
                if tracking is not None:
                    await insert_tracking(connection, self._name, _GENERATION, tracking)
        return positions

    async def select_events(
        self,
        originator_id: str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvent]:
        """The events of an entity with versions above `gt` and up to `lte`, by version."""
        query = _SELECT_EVENTS.format(order="DESC" if desc else "ASC")
        async with bound(self._pool, self._ledger) as connection:
            rows = await connection.fetch(query, self._ledger, originator_id, gt, lte, limit)
        return [
            StoredEvent(row["originator_id"], row["originator_version"], row["topic"], row["record"]) for row in rows
        ]

    async def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> list[LedgerEvent]:
        """The events from `start` up to and with `stop`, of the topics if any are named, by position."""
        first = (start or 0) + (not inclusive_of_start)
        async with bound(self._pool, self._ledger) as connection:
            rows = await connection.fetch(_SELECT_NOTIFICATIONS, self._ledger, first, stop, list(topics), limit)
        return [ledger_rows.event_of(row) for row in rows]

    async def max_notification_id(self) -> int | None:
        """The position of the last event; None if there is none."""
        async with bound(self._pool, self._ledger) as connection:
            position: int | None = await connection.fetchval(_MAX_NOTIFICATION_ID, self._ledger)
        return position

    async def insert_tracking(self, tracking: Tracking) -> None:
        """Raises IntegrityError unless it is further than the last one of its application."""
        await self.insert_events([], tracking)

    async def max_tracking_id(self, application_name: str) -> int | None:
        """The notification of an application that was processed last; None if none was."""
        async with bound(self._pool, self._ledger) as connection:
            return await max_tracking_id(connection, self._name, _GENERATION, application_name)

    async def _append(self, connection: Connection, stored_events: Sequence[StoredEvent]) -> list[int]:
        head, now = await ledger_rows.lock_head(connection, self._ledger)
        drafts = [(_StoredDraft(stored), stored.originator_version) for stored in stored_events]
        events = list(link(head, drafts, now))
        async with copying_events(connection, events):
            positions = [event.id for event in events]
        await ledger_rows.move_head(connection, self._ledger, events[-1])
        return positions


@contextmanager
def _integrity_errors() -> Iterator[None]:
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise IntegrityError(error.detail or str(error)) from error
