"""Queries of the read tables `users`, `modules` and `statuses`; the connection must be bound to a ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

import asyncpg

from domain.words import Module, Status
from projections.database import Connection

Bucket: TypeAlias = Literal["hour", "day"]

_USERS = """
SELECT actor_id AS id, full_name, kind, events, failures, first_occurred_at, last_occurred_at, last_position
FROM reading.users
WHERE ($1::text[] IS NULL OR EXISTS (
        SELECT FROM unnest($1::text[]) AS wanted (prefix)
        WHERE starts_with(actor_id_fold, prefix) OR starts_with(full_name_fold, prefix)))
    AND ($2::text[] IS NULL OR kind = ANY($2))
    AND ($3::timestamptz IS NULL OR last_occurred_at >= $3)
    AND ($4::timestamptz IS NULL OR first_occurred_at < $4)
    AND ($5::text IS NULL OR actor_id > $5)
ORDER BY actor_id
LIMIT $6
"""

_MODULES = """
SELECT module, activity, events, failures, first_occurred_at, last_occurred_at
FROM reading.modules
WHERE ($1::text[] IS NULL OR module = ANY($1)) AND ($2::text[] IS NULL OR activity = ANY($2))
ORDER BY module, activity
"""

_STATUSES = """
SELECT date_trunc($1, hour, 'UTC') AS bucket, status, sum(events)::bigint AS events
FROM reading.statuses
WHERE ($2::text[] IS NULL OR status = ANY($2))
    AND ($3::text[] IS NULL OR module = ANY($3))
    AND ($4::timestamptz IS NULL OR hour >= date_trunc('hour', $4, 'UTC'))
    AND ($5::timestamptz IS NULL OR hour < $5)
    AND ($6::timestamptz IS NULL OR hour >= $6)
GROUP BY 1, 2
ORDER BY 1, 2
LIMIT $7
"""


async def users(
    connection: Connection,
    prefixes: Sequence[str],
    kinds: Sequence[str],
    seen: tuple[datetime | None, datetime | None],
    after: str | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Actors by id, from the one after `after` on; `seen` are those who acted in a span of time."""
    folded = [prefix.casefold() for prefix in prefixes]
    return await connection.fetch(_USERS, folded or None, list(kinds) or None, *seen, after, limit)


async def modules(connection: Connection, wanted: Sequence[Module], activities: Sequence[str]) -> list[asyncpg.Record]:
    return await connection.fetch(_MODULES, list(wanted) or None, list(activities) or None)


async def statuses(
    connection: Connection,
    bucket: Bucket,
    wanted: Sequence[Status],
    of_modules: Sequence[Module],
    span: tuple[datetime | None, datetime | None],
    begin: datetime | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Counts by bucket and status, oldest first, from the bucket `begin` on; hours count whole."""
    return await connection.fetch(
        _STATUSES, bucket, list(wanted) or None, list(of_modules) or None, *span, begin, limit
    )
