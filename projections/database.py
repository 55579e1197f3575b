"""The database as projections see it, and the one place that says what its driver's errors mean."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias

import asyncpg

from domain.errors import StoreUnavailable
from domain.words import Ledger

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

ACQUIRE_SECONDS = 10
"""How long anything waits for a connection of a pool before it is told that the database is unavailable."""

PASSING = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
"""What is raised when the database is away, full, overloaded or failing over: it says nothing about the data."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what the driver raises when the database cannot serve us now into StoreUnavailable."""
    try:
        yield
    except PASSING as error:
        raise StoreUnavailable(f"the database does not answer: {error!r}") from error


def heed_cancellation() -> None:
    """Raise CancelledError if the task was cancelled. The driver loses that if the connection breaks just then, and
    raises what is PASSING: who goes on after such an error would go on for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def bind(connection: Connection, ledger: Ledger) -> None:
    """Bind the transaction to one ledger: it sees and changes no other (see the policies and views)."""
    await connection.execute("SELECT set_config('certinext_audit.ledger', $1, true)", ledger)


@asynccontextmanager
async def bound(pool: Pool, ledger: Ledger, *, readonly: bool = False) -> AsyncIterator[Connection]:
    """A connection in a transaction that is bound to one ledger. Raises StoreUnavailable."""
    with translated_errors():
        async with (
            pool.acquire(timeout=ACQUIRE_SECONDS) as connection,
            connection.transaction(readonly=readonly),
        ):
            await bind(connection, ledger)
            yield connection
