"""Comparing the read tables with what a replay of the ledger gives, while everybody goes on.

The replay fills tables beside those that are shown, with the very projections. Where a row belongs to one event it is
compared and thrown away while the replay goes on, so that only the sums need room.
"""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from domain.mapper import RecordMapper
from domain.tampering import Tampering, TamperingKind, Tamperings
from domain.verdict import OnProgress, TablesChecked
from domain.words import Ledger, Position
from projections import generations
from projections.batches import BATCH, LedgerReader
from projections.database import Connection, Pool, bind, translated_errors
from projections.lease import Lease
from projections.projection import Projection
from projections.replay import REPLAY, Replay, replays_of
from projections.table_difference import differences

_COMPARE_AFTER = 40_000
_GREATEST = Position(2**63 - 1)

_SHOWN = """
SELECT shown.generation, coalesce(mine.position, 0) AS position
FROM reading.generations AS shown LEFT JOIN reading.tracking AS mine
    ON mine.ledger = $2 AND mine.projection = shown.projection AND mine.generation = shown.generation
WHERE shown.projection = $1
"""

_HOLD = """
SELECT position FROM reading.tracking WHERE ledger = $1 AND projection = $2 AND generation = $3 FOR UPDATE
"""

_SET_ASIDE = """
SELECT min(position) FROM (
    SELECT position FROM reading.set_aside
    WHERE ledger = $1 AND projection = $2 AND generation IN ($3, $4) AND position <= $5
    GROUP BY position HAVING count(*) = 1
) AS different
"""


class PostgresTableCheck:
    """Checks one ledger at a time, of all processes; another one is told that it is not checked now."""

    def __init__(
        self, projections: Sequence[Projection], pool: Pool, reader: LedgerReader, mapper: RecordMapper
    ) -> None:
        self._projections = projections
        self._pool = pool
        self._reader = reader
        self._mapper = mapper

    async def check(self, ledger: Ledger, on_progress: OnProgress) -> TablesChecked:
        """Raises StoreUnavailable."""
        lease = Lease(self._pool, "comparing the read tables", secrets.token_hex(16))
        with translated_errors():
            if not await lease.hold():
                return TablesChecked((), (), ["the read tables, which another verification compares now"])
            try:
                async with lease.kept():
                    return await self._check(ledger, on_progress)
            finally:
                await lease.release()

    async def _check(self, ledger: Ledger, on_progress: OnProgress) -> TablesChecked:
        found = Tamperings()
        checked, not_checked = [], []
        async with self._tables_of_replay():
            replays = replays_of(self._projections, ledger, self._pool, self._reader, self._mapper)
            await self._replay_together(ledger, replays, found, on_progress)
            for replay in replays:
                compared = await self._finish(ledger, replay, found)
                names = " and ".join(table.name for table in replay.projection.tables)
                if compared is None:
                    not_checked.append(f"the read table {names}: it holds nothing yet")
                else:
                    checked.append(f"the read table {names} up to position {compared}")
            last = max(replay.position for replay in replays)
            on_progress("Read tables", last, last)
        return TablesChecked(found.all(), checked, not_checked)

    @asynccontextmanager
    async def _tables_of_replay(self) -> AsyncIterator[None]:
        """Empty tables for the replay, which are gone afterwards; what one that was interrupted left is removed."""
        await self._drop()
        async with self._pool.acquire() as connection, connection.transaction():
            for projection in self._projections:
                await generations.create_tables(connection, projection, REPLAY)
        try:
            yield
        finally:
            await self._drop()

    async def _drop(self) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            for projection in self._projections:
                await generations.drop(connection, projection, REPLAY)

    async def _replay_together(
        self, ledger: Ledger, replays: Sequence[Replay], found: Tamperings, on_progress: OnProgress
    ) -> None:
        """Replay side by side, so that events are read once, until each table is within a batch of the one shown."""
        behind = list(replays)
        while behind:
            goals = [(replay, await self._goal(ledger, replay.projection)) for replay in behind]
            on_progress("Read tables", min(one.position for one in behind), max(goal for _, goal in goals))
            behind = []
            for replay, goal in goals:
                if goal - replay.position > BATCH and await replay.advance():
                    await self._compare_events(ledger, replay, found)
                    behind.append(replay)

    async def _goal(self, ledger: Ledger, projection: Projection) -> Position:
        row = await self._pool.fetchrow(_SHOWN, projection.name, ledger)
        return Position(row["position"] if row is not None else 0)

    async def _compare_events(self, ledger: Ledger, replay: Replay, found: Tamperings) -> None:
        """Compare and empty the tables that have a row for each event, once there are enough of them."""
        if replay.position - max(replay.compared, 0) < _COMPARE_AFTER:
            return
        async with self._pool.acquire() as connection, connection.transaction():
            await bind(connection, ledger)
            for table in replay.projection.tables:
                if table.key == "position":
                    span = (replay.compared, replay.position)
                    found.extend(await differences(connection, ledger, table, REPLAY, span))
                    await connection.execute(f"TRUNCATE {table.versioned(REPLAY)}")
        replay.compared = replay.position

    async def _finish(self, ledger: Ledger, replay: Replay, found: Tamperings) -> Position | None:
        """Hold the table that is shown still, replay the rest and compare all; up to where, None if it is empty."""
        name = replay.projection.name
        while True:
            row = await self._pool.fetchrow(_SHOWN, name, ledger)
            if row is None:
                return None
            async with self._pool.acquire() as connection, connection.transaction():
                held = await connection.fetchval(_HOLD, ledger, name, row["generation"])
                again = await connection.fetchrow(_SHOWN, name, ledger)
                if again is None or again["generation"] != row["generation"]:
                    continue  # A rebuild has just shown another one.
                if held is None:
                    return None
                goal = Position(held)
                await replay.finish(goal)
                aside = await connection.fetchval(_SET_ASIDE, ledger, name, row["generation"], REPLAY, goal)
                await bind(connection, ledger)
                found.extend(await self._compare_held(connection, ledger, replay, goal, aside))
                return goal

    async def _compare_held(
        self, connection: Connection, ledger: Ledger, replay: Replay, goal: Position, aside: int | None
    ) -> Sequence[Tampering]:
        name = replay.projection.name
        if replay.position < goal:
            message = f"it holds events up to position {goal}, and the ledger none after {replay.position}"
            return [Tampering(TamperingKind.TABLE_AHEAD, Position(replay.position + 1), message, goal, name)]
        if aside is not None:
            message = "the event is set aside, though it can be applied, or the other way round"
            return [Tampering(TamperingKind.TABLE_ALTERED, Position(aside), message, Position(aside), name)]
        found: list[Tampering] = []
        for table in replay.projection.tables:
            # Also rows of events that there are not: nobody adds any while it is held.
            span = (replay.compared, _GREATEST) if table.key == "position" else None
            found += await differences(connection, ledger, table, REPLAY, span)
        return found
