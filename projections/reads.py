"""Reading the read tables of one ledger, with word of how fresh they are."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from domain.errors import AuditError, StoreUnavailable
from domain.words import Ledger, Module, Order, Position, Status
from projections import activity_query, exploring_query, exporting, tables_query
from projections.activity_query import Query, Row
from projections.database import ACQUIRE_SECONDS, Connection, Pool, bound, translated_errors
from projections.exploring_query import Histogram, Suggested, Suggestion
from projections.generations import NotBuilt
from projections.tables_query import Bucket
from projections.waiting import Waiting

_FRESHNESS = """
SELECT coalesce((
        SELECT position FROM reading.tracking AS mine
        WHERE mine.ledger = $1 AND mine.projection = shown.projection AND mine.generation = shown.generation
    ), 0) AS position,
    (
        SELECT count(*) FROM reading.set_aside AS mine
        WHERE mine.ledger = $1 AND mine.projection = shown.projection AND mine.generation = shown.generation
    ) AS set_aside
FROM reading.generations AS shown
WHERE projection = $2
"""

_PROJECTORS = """
SELECT shown.projection,
    sum(head.position - coalesce(mine.position, 0))::bigint AS lag,
    coalesce(bool_or(
        head.position > coalesce(mine.position, 0)
        AND coalesce(mine.moved_at, head.recorded_at) < now() - interval '1 minute'
    ), false) AS stuck,
    (
        SELECT count(*) FROM reading.set_aside AS aside
        WHERE aside.projection = shown.projection AND aside.generation = shown.generation
    ) AS set_aside
FROM reading.generations AS shown
LEFT JOIN audit.heads AS head ON true
LEFT JOIN reading.tracking AS mine
    ON mine.ledger = head.ledger AND mine.projection = shown.projection AND mine.generation = shown.generation
GROUP BY shown.projection, shown.generation
ORDER BY shown.projection
"""

_OF_ANOTHER_SHAPE = (asyncpg.UndefinedColumnError, asyncpg.UndefinedTableError, asyncpg.InvalidCachedStatementError)
"""What a query meets in a table that another version of the service made, and at the switch from it."""


class TookTooLong(AuditError):
    """A query that the database gave up, since it would have looked through too much."""


@dataclass(frozen=True)
class Freshness:
    """What a read table holds."""

    position: Position
    """The last event applied: the table says all about events up to it."""
    set_aside: int
    """How many events could not be applied and are missing."""


@dataclass(frozen=True)
class ProjectorState:
    projection: str
    lag: int
    """Events recorded and not applied yet, over all ledgers."""
    stuck: bool
    """Whether it is behind somewhere and has not moved for a minute."""
    set_aside: int


@dataclass(frozen=True)
class Wait:
    """Read your writes: wait until a position is applied, for so long at most."""

    position: Position
    seconds: float = 10.0


AT_ONCE = Wait(Position(0))
"""No wait: what the tables hold now."""


class Reads:
    """Answers from the read tables, each from one short transaction that is bound to the caller's ledger.

    All of its methods raise StoreUnavailable, TookTooLong, NotYetProjected if a wait was in vain, and NotBuilt
    without tables.
    """

    def __init__(self, pool: Pool, projector_pool: Pool) -> None:
        self._pool = pool
        self._projector_pool = projector_pool
        self._waiting = Waiting(pool)

    async def newest_first(
        self, ledger: Ledger, query: Query, before: tuple[datetime, Position] | None, limit: int, wait: Wait
    ) -> tuple[list[Row], Freshness]:
        async with self.fresh(ledger, "activity", wait) as (connection, freshness):
            return await activity_query.newest_first(connection, query, before, limit), freshness

    async def by_position(
        self,
        ledger: Ledger,
        query: Query,
        after: Position,
        limit: int,
        wait: Wait,
        most_bytes: int = activity_query.MOST_BYTES,
    ) -> tuple[list[Row], Position, Freshness]:
        async with self.fresh(ledger, "activity", wait) as (connection, freshness):
            rows, goes_on = await activity_query.by_position(
                connection, query, after, freshness.position, limit, most_bytes
            )
            return rows, goes_on, freshness

    async def applied(self, ledger: Ledger) -> Position:
        """The last event of a ledger that is in the table `activity`."""
        async with self.fresh(ledger, "activity", AT_ONCE) as (_, freshness):
            return freshness.position

    async def head(self, ledger: Ledger) -> Position:
        """The last event of a ledger, whether or not it is in the tables yet."""
        with translated_errors():
            position = await self._projector_pool.fetchval("SELECT position FROM audit.heads WHERE ledger = $1", ledger)
        return Position(position or 0)

    async def event(
        self, ledger: Ledger, event_id: str, only_actor: str | None, wait: Wait
    ) -> tuple[tuple[Row, asyncpg.Record] | None, Freshness]:
        """The event as queries show it, and its row of the ledger; None if the table has none."""
        async with self.fresh(ledger, "activity", wait) as (connection, freshness):
            row = await activity_query.by_event_id(connection, event_id, only_actor)
            if row is None:
                return None, freshness
            evidence = await connection.fetchrow(
                "SELECT record, personal, leaf_hash, chain_hash FROM audit.ledger_events WHERE position = $1",
                row.position,
            )
            return ((row, evidence) if evidence is not None else None), freshness

    async def position_of(
        self, ledger: Ledger, event_id: str, only_actor: str | None, wait: Wait
    ) -> tuple[Position | None, Freshness]:
        """The position of an event; None if the table has none of this id."""
        async with self.fresh(ledger, "activity", wait) as (connection, freshness):
            row = await activity_query.by_event_id(connection, event_id, only_actor)
            return (row.position if row else None), freshness

    async def freshness(self, ledger: Ledger, wait: Wait) -> Freshness:
        """What `activity` holds."""
        async with self.fresh(ledger, "activity", wait) as (_, freshness):
            return freshness

    async def export_page(
        self,
        ledger: Ledger,
        query: Query,
        order: Order,
        after: exporting.Keyset | None,
        most: int = exporting.PAGE_ROWS,
    ) -> exporting.ExportPage:
        """The next page of an export, which goes on behind a keyset. Raises LedgerDamaged, too."""
        async with self.fresh(ledger, "activity", AT_ONCE) as (connection, _):
            return await exporting.page(connection, query, order, after, most)

    async def count(self, ledger: Ledger, query: Query) -> int:
        """How many events fit."""
        async with self.fresh(ledger, "activity", AT_ONCE) as (connection, _):
            return await activity_query.count(connection, query)

    async def users(
        self,
        ledger: Ledger,
        prefixes: Sequence[str],
        kinds: Sequence[str],
        seen: tuple[datetime | None, datetime | None],
        after: str | None,
        limit: int,
        wait: Wait,
    ) -> tuple[list[asyncpg.Record], Freshness]:
        async with self.fresh(ledger, "users", wait) as (connection, freshness):
            rows = await tables_query.users(connection, prefixes, kinds, seen, after, limit)
            return rows, freshness

    async def modules(
        self, ledger: Ledger, wanted: Sequence[Module], activities: Sequence[str], wait: Wait
    ) -> tuple[list[asyncpg.Record], Freshness]:
        async with self.fresh(ledger, "modules", wait) as (connection, freshness):
            return await tables_query.modules(connection, wanted, activities), freshness

    async def statuses(
        self,
        ledger: Ledger,
        bucket: Bucket,
        wanted: Sequence[Status],
        of_modules: Sequence[Module],
        span: tuple[datetime | None, datetime | None],
        begin: datetime | None,
        limit: int,
        wait: Wait,
    ) -> tuple[list[asyncpg.Record], Freshness]:
        async with self.fresh(ledger, "statuses", wait) as (connection, freshness):
            rows = await tables_query.statuses(connection, bucket, wanted, of_modules, span, begin, limit)
            return rows, freshness

    async def histogram(self, ledger: Ledger, query: Query, most: int, wait: Wait) -> tuple[Histogram, Freshness]:
        async with self.fresh(ledger, "activity", wait) as (connection, freshness):
            return await exploring_query.histogram(connection, query, most), freshness

    async def suggestions(
        self, ledger: Ledger, of: Suggested, beginning: str, only_actor: str | None, limit: int
    ) -> Sequence[Suggestion]:
        async with self.fresh(ledger, "activity", AT_ONCE) as (connection, _):
            return await exploring_query.suggestions(connection, of, beginning, only_actor, limit)

    async def projectors(self) -> list[ProjectorState]:
        """How each projector stands, over all ledgers; this also shows that the database answers."""
        with translated_errors():
            rows = await self._projector_pool.fetch(_PROJECTORS)
        return [ProjectorState(row["projection"], row["lag"] or 0, row["stuck"], row["set_aside"]) for row in rows]

    @asynccontextmanager
    async def fresh(self, ledger: Ledger, projection: str, wait: Wait) -> AsyncIterator[tuple[Connection, Freshness]]:
        """A connection in a transaction of its own, and how fresh a projection is in it."""
        if wait.position:
            await self._wait_for(ledger, projection, wait)
        try:
            async with bound(self._pool, ledger, readonly=True) as connection:
                yield connection, await _freshness(connection, ledger, projection)
        except _OF_ANOTHER_SHAPE as error:
            raise NotBuilt(f"the projection {projection} is being rebuilt for this version of the service") from error
        except StoreUnavailable as error:
            if isinstance(error.__cause__, asyncpg.QueryCanceledError):
                raise TookTooLong("it would look through too much: narrow it, by time first of all") from error
            raise

    async def _wait_for(self, ledger: Ledger, projection: str, wait: Wait) -> None:
        with translated_errors():
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                freshness = await _freshness(connection, ledger, projection)
        if freshness.position < wait.position:
            await self._waiting.until(ledger, projection, wait.position, freshness.position, wait.seconds)


async def _freshness(connection: Connection, ledger: Ledger, projection: str) -> Freshness:
    row = await connection.fetchrow(_FRESHNESS, ledger, projection)
    if row is None:
        raise NotBuilt(f"the projection {projection} has no tables yet")
    return Freshness(Position(row["position"]), row["set_aside"])
