"""What the tests of projections act on: a database, its pools, and ways to append, project and wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg

from adapters.bootstrap import PROJECTIONS
from adapters.postgres.connections import PROJECTOR, READER, WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.ledger_records import PostgresLedgerRecords
from domain.catalogue import CATALOGUE
from domain.mapper import RecordMapper
from domain.record import Draft
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections import generations
from projections.batches import Batches
from projections.database import Connection, Pool, bind
from projections.projection import Projection
from projections.projector import Projector
from projections.reads import Reads
from projections.rebuild import Rebuild
from projections.runner import Runner
from tests.patience import PATIENCE

_BEHIND = """
SELECT count(*) FROM audit.heads AS head CROSS JOIN reading.generations AS shown
LEFT JOIN reading.tracking AS mine USING (ledger, projection, generation)
WHERE head.position > coalesce(mine.position, 0)
"""

_KILL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'certinext-audit' AND pid <> ALL($1::integer[])
"""


@dataclass
class Stage:
    url: str
    store: PostgresEventStore
    writer: Pool
    """One connection, which is spared when the others are killed."""
    pool: Pool
    """The projectors'."""
    reader: Pool
    reads: Reads
    owner: "asyncpg.Connection[asyncpg.Record]"
    """A superuser's connection, to look at the tables and to do harm."""

    async def append(self, drafts: Sequence[Draft], ledger: Ledger = DEFAULT_LEDGER) -> None:
        for start in range(0, len(drafts), 2000):
            await self.store.append(ledger, drafts[start : start + 2000])

    async def forge(self, drafts: Sequence[Draft], ledger: Ledger = DEFAULT_LEDGER) -> None:
        """Append what may be no event at all, for which there are no receipts."""
        await self.store._append_new(ledger, {draft.command_id: draft for draft in drafts}, look_up=False)

    def batches(self) -> Batches:
        """A cache of its own, as another process has it."""
        return Batches(PostgresLedgerRecords(self.pool), RecordMapper(CATALOGUE))

    def runner(self, holder: str, projections: Sequence[Projection] = PROJECTIONS) -> Runner:
        return Runner(projections, self.pool, self.batches(), holder)

    def rebuild(self, projection: Projection, holder: str = "rebuilder") -> Rebuild:
        return Rebuild(projection, self.pool, self.batches(), holder)

    async def projector(self, projection: Projection) -> Projector:
        """The projector of the generation shown, which is made if there is none."""
        async with self.pool.acquire() as connection:
            generation = await generations.ensure(connection, projection)
        return Projector(projection, generation, self.pool, self.batches())

    async def project(self, projections: Iterable[Projection] = PROJECTIONS, ledger: Ledger = DEFAULT_LEDGER) -> None:
        """Bring the tables to the end of a ledger, without a runner."""
        for projection in projections:
            projector = await self.projector(projection)
            position = await projector.position(ledger)
            while (reached := await projector.advance(ledger, position)) != position:
                position = reached

    async def caught_up(self) -> bool:
        """Whether all projections have tables, and have come to the end of all ledgers."""
        shown = await self.owner.fetchval("SELECT count(*) FROM reading.generations")
        return shown == len(PROJECTIONS) and not await self.owner.fetchval(_BEHIND)

    async def tracked(self, projection: str, ledger: Ledger = DEFAULT_LEDGER) -> Position:
        found = await self.owner.fetchval(
            "SELECT max(position) FROM reading.tracking WHERE projection = $1 AND ledger = $2", projection, ledger
        )
        return Position(found or 0)

    async def set_aside(self, projection: str | None = None) -> dict[Position, str]:
        """The errors by position."""
        rows = await self.owner.fetch(
            "SELECT position, error FROM reading.set_aside WHERE $1::text IS NULL OR projection = $1", projection
        )
        return {row["position"]: row["error"] for row in rows}

    async def kill_projectors(self) -> None:
        """End all connections of the service's pools on the server's side, but for the writer's."""
        spared = await self.writer.fetchval("SELECT pg_backend_pid()")
        await self.owner.fetchval(_KILL, [spared])

    async def rows(self, view: str, ledger: Ledger = DEFAULT_LEDGER) -> list[tuple[object, ...]]:
        """All that a read table says of a ledger."""
        async with self.owner.transaction():
            await bind(self.owner, ledger)
            found = await self.owner.fetch(f"SELECT * FROM reading.{view}")
        return sorted((tuple(row) for row in found), key=repr)

    async def tables(self) -> set[str]:
        """The names of the versioned tables that there are."""
        found = await self.owner.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'reading' AND tablename ~ '_[0-9]+$'"
        )
        return {row["tablename"] for row in found}


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Stage]:
    async with (
        open_pool(url, WRITER, 1) as writer,
        open_pool(url, PROJECTOR, 10) as projector,
        open_pool(url, READER, 4) as reader,
    ):
        owner = await asyncpg.connect(url)
        try:
            store = PostgresEventStore(writer, lambda _: None)
            yield Stage(url, store, writer, projector, reader, Reads(reader, projector), owner)
        finally:
            await owner.close()


@asynccontextmanager
async def running(*runners: Runner) -> AsyncIterator[None]:
    """Runners at work until the block ends; one that fails fails the test."""
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    try:
        yield
        assert not [task for task in tasks if task.done()]
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def reading(stage: Stage, ledger: Ledger = DEFAULT_LEDGER) -> AsyncIterator[Connection]:
    """A reader's transaction, bound to a ledger."""
    async with stage.reader.acquire() as connection, connection.transaction(readonly=True):
        await bind(connection, ledger)
        yield connection


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE) -> None:
    """Wait until a condition holds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the database has no event to wait for.
            await asyncio.sleep(0.005)
