"""Rebuilding a projection from the ledger, beside the one that is shown, without a pause for anybody."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from domain.errors import AuditError
from domain.words import Ledger, Position
from projections import generations
from projections.batches import Batches
from projections.database import Pool
from projections.lease import Lease
from projections.projection import Projection
from projections.projector import Projector

_CLOSE = 5000
"""How few events behind we switch: these are applied while the old generation is held still."""

_LEDGERS = """
SELECT head.ledger, head.position AS head, coalesce(mine.position, 0) AS position
FROM audit.heads AS head
LEFT JOIN reading.tracking AS mine
    ON mine.ledger = head.ledger AND mine.projection = $1 AND mine.generation = $2
ORDER BY head.ledger
"""


_HOLD = """
SELECT ledger, position FROM reading.tracking WHERE projection = $1 AND generation = $2 ORDER BY ledger FOR UPDATE
"""


class AlreadyRebuilding(AuditError):
    """Another process rebuilds this projection now."""


class Rebuild:
    """One rebuild of one projection, over all ledgers."""

    def __init__(self, projection: Projection, pool: Pool, batches: Batches, holder: str) -> None:
        self._projection = projection
        self._pool = pool
        self._batches = batches
        self._lease = Lease(pool, f"{projection.name} rebuild", holder)

    async def run(self, on_progress: Callable[[int, int], None]) -> int:
        """Fill the next generation, show it, drop the last; how many events it was made from.

        `on_progress` is told how many events of how many are applied. What an interrupted rebuild left behind
        is removed first. Raises AlreadyRebuilding.
        """
        async with self._held():
            return await self._run(on_progress)

    async def into_shape(self, on_progress: Callable[[int, int], None]) -> None:
        """Run if what is shown was made by other definitions than the present ones. Raises AlreadyRebuilding."""
        if await self._is_in_shape():
            return
        async with self._held():
            if not await self._is_in_shape():  # Another may have done it before we had the lease.
                await self._run(on_progress)

    async def _is_in_shape(self) -> bool:
        async with self._pool.acquire() as connection:
            shown = await generations.ensure(connection, self._projection)
            return await generations.in_shape(connection, self._projection, shown)

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        if not await self._lease.hold():
            raise AlreadyRebuilding(f"{self._projection.name} is being rebuilt by another process")
        try:
            async with self._lease.kept():
                yield
        finally:
            await self._lease.release()

    async def _run(self, on_progress: Callable[[int, int], None]) -> int:
        async with self._pool.acquire() as connection:
            old = await generations.ensure(connection, self._projection)
            new = old + 1
            async with connection.transaction():
                for left_over in (old - 1, new):
                    await generations.drop(connection, self._projection, left_over)
                await generations.create_tables(connection, self._projection, new)
        projector = Projector(self._projection, new, self._pool, self._batches)
        await self._fill(projector, on_progress)
        async with self._pool.acquire() as connection:
            await generations.create_indexes(connection, self._projection, new)
        await self._fill(projector, on_progress)
        applied = await self._switch(projector, old)
        async with self._pool.acquire() as connection, connection.transaction():
            await generations.drop(connection, self._projection, old)
        return applied

    async def _fill(self, projector: Projector, on_progress: Callable[[int, int], None]) -> None:
        """Apply until each ledger is close to its end."""
        while True:
            async with self._pool.acquire() as connection:
                rows = await connection.fetch(_LEDGERS, self._projection.name, projector.generation)
            on_progress(sum(row["position"] for row in rows), sum(row["head"] for row in rows))
            behind = [row for row in rows if row["head"] - row["position"] > _CLOSE]
            if not behind:
                return
            for row in behind:
                await projector.advance(Ledger(row["ledger"]), Position(row["position"]))

    async def _switch(self, projector: Projector, old: int) -> int:
        """Hold the old generation still, bring the new one to the same positions, and show it."""
        applied = 0
        async with self._pool.acquire() as connection, connection.transaction():
            for row in await connection.fetch(_HOLD, self._projection.name, old):
                ledger, goal = Ledger(row["ledger"]), Position(row["position"])
                position = await projector.position(ledger)
                while position < goal:
                    position = await projector.advance(ledger, position)
                applied += position
            await generations.show(connection, self._projection, projector.generation)
        return applied
