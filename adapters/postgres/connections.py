"""Pools of connections, one for each database role, and what the driver's errors mean to us."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from typing import TypeAlias

import asyncpg

from application.ports import StoreUnavailable
from domain.words import Ledger

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 60

_PASSING = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what the driver raises when the database is away, full or overloaded into StoreUnavailable."""
    try:
        yield
    except _PASSING as error:
        raise StoreUnavailable(f"the database does not answer: {error!r}") from error


@asynccontextmanager
async def open_pool(url: str, role: str, size: int) -> AsyncIterator[Pool]:
    """Connections that act as `role` from their first moment; `url` names the login that may do so."""
    with translated_errors():
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            server_settings={"role": role, "application_name": "certinext-audit", "timezone": "UTC"},
        )
    assert pool is not None
    try:
        yield pool
    finally:
        await pool.close()


async def bind(connection: Connection, ledger: Ledger) -> None:
    """Bind the transaction to one ledger: it sees and changes no other (see the policies and views)."""
    await connection.execute("SELECT set_config('certinext_audit.ledger', $1, true)", ledger)
