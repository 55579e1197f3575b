"""Pools of connections, one for each database role."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog

from adapters.postgres.roles import PROJECTOR, READER, WRITER, settings_of
from projections.database import Pool, translated_errors

__all__ = ["PROJECTOR", "READER", "WRITER"]  # Beside what is defined here.

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 60
CLOSE_SECONDS = 5
"""How long statements may go on when a pool closes: what was accepted had its time before."""

log = structlog.get_logger()


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
            reset=_reset,
            server_settings=settings_of(role),
        )
    try:
        yield pool
    finally:
        await _close(pool)


async def _close(pool: Pool) -> None:
    """Close a pool within seconds, whatever its statements wait for: a lock of somebody's, or a server that hangs."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()  # Which drops its connections if it is cut short.
    except TimeoutError:
        log.warning("connections_terminated", after_seconds=CLOSE_SECONDS)


async def _reset(connection: asyncpg.Connection) -> None:
    """Spare a round trip: nothing of ours outlives a transaction, as the library's own reset takes for granted."""
    if connection.is_in_transaction():
        await connection.reset()


async def shared_secret(pool: Pool, name: str) -> bytes:
    """A secret that all processes of the service share, made when the database was migrated first."""
    with translated_errors():
        secret: bytes = await pool.fetchval("SELECT secret FROM audit.secrets WHERE name = $1", name)
    return secret
