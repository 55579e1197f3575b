"""Pools of connections, one for each database role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from projections.database import Pool, translated_errors

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 60

WRITER = "certinext_audit_writer"
PROJECTOR = "certinext_audit_projector"
READER = "certinext_audit_reader"


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
            server_settings={
                "role": role,
                "application_name": "certinext-audit",
                "timezone": "UTC",
                # The best plan depends on the values: how often an actor acts, how wide a span of time is.
                "plan_cache_mode": "force_custom_plan",
            },
        )
    try:
        yield pool
    finally:
        await pool.close()


async def shared_secret(pool: Pool, name: str) -> bytes:
    """A secret that all processes of the service share, made when the database was migrated first."""
    with translated_errors():
        secret: bytes = await pool.fetchval("SELECT secret FROM audit.secrets WHERE name = $1", name)
    return secret
