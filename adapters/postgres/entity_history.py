"""The records of single entities; those of long lives are read as columns: rows would cost three times as much."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any

import asyncpg

from domain.chain import genesis
from domain.entities.history import SEGMENT, Bodies, Segment
from domain.ledger import Head
from domain.words import Ledger, Position
from projections.database import Connection, Pool, bound

_HEAD = """
SELECT position, chain_hash, recorded_at FROM audit.ledger_events
WHERE ledger = $1 AND ($2::bigint IS NULL OR position = $2) ORDER BY position DESC LIMIT 1
"""

_TOLD = """
SELECT event.originator_version AS version, event.position, event.topic, event.record, event.personal,
    event.leaf_hash, event.chain_hash, before.chain_hash AS previous
FROM audit.ledger_events AS event
LEFT JOIN audit.ledger_events AS before ON before.ledger = $1 AND before.position = event.position - 1
"""

_SEGMENTS = f"""
SELECT (min(version) - 1) / {SEGMENT} * {SEGMENT} + 1 AS first_version,
    array_agg(version) AS versions, array_agg(position) AS positions, array_agg(topic) AS topics,
    array_agg(record) AS records, array_agg(personal) AS personals,
    array_agg(leaf_hash) AS leaf_hashes, array_agg(chain_hash) AS chain_hashes, array_agg(previous) AS previous
FROM (
    {_TOLD}
    WHERE event.ledger = $1 AND event.originator_id = $2
        AND event.originator_version > $3 AND event.originator_version <= $4 AND event.position <= $5
    ORDER BY event.originator_version
) AS told
GROUP BY (version - 1) / {SEGMENT}
ORDER BY first_version
"""

_BEGINNINGS = f"""
SELECT wanted.id AS originator_id, told.* FROM unnest($2::text[]) WITH ORDINALITY AS wanted (id, number)
CROSS JOIN LATERAL (
    {_TOLD}
    WHERE event.ledger = $1 AND event.originator_id = wanted.id
        AND event.originator_version <= {SEGMENT} AND event.position <= $3
    ORDER BY event.originator_version
) AS told
ORDER BY wanted.number, told.version
"""

_BODIES = f"""
SELECT (min(version) - 1) / {SEGMENT} * {SEGMENT} + 1 AS first_version,
    string_agg(int4send(octet_length(record)), '')
        || string_agg(int4send(coalesce(octet_length(personal), -1)), '') AS lengths,
    string_agg(record, '') AS records, coalesce(string_agg(personal, ''), '') AS personals,
    string_agg(leaf_hash, '') AS leaf_hashes
FROM (
    SELECT originator_version AS version, record, personal, leaf_hash FROM audit.ledger_events
    WHERE ledger = $1 AND originator_id = $2
        AND originator_version > $3 AND originator_version <= $4 AND position <= $5
    ORDER BY originator_version
) AS told
GROUP BY (version - 1) / {SEGMENT}
ORDER BY first_version
"""


class PostgresEntityHistory:
    """Keeps the promises of `application.ports.EntityHistory`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def reading(self, ledger: Ledger) -> AsyncIterator["PostgresEntityRecords"]:
        """In one transaction: to begin and to end one takes as long as to read ten events."""
        async with bound(self._pool, ledger, readonly=True) as connection:
            yield PostgresEntityRecords(connection, ledger)


class PostgresEntityRecords:
    """Keeps the promises of `application.ports.EntityRecords`. Owns the connection while it lives."""

    def __init__(self, connection: Connection, ledger: Ledger) -> None:
        self.ledger = ledger
        self._connection = connection
        self._one_at_a_time = asyncio.Lock()

    async def head(self, position: Position | None) -> Head:
        rows = await self._rows(_HEAD, position)
        if not rows:
            return Head.empty(self.ledger)
        (row,) = rows
        return Head(Position(row["position"]), row["chain_hash"], row["recorded_at"])

    async def segments(self, originator_id: str, after: int, segments: int, until: Position) -> Sequence[Segment]:
        rows = await self._rows(_SEGMENTS, originator_id, after, after + segments * SEGMENT, until)
        return [_segment(self.ledger, originator_id, *row) for row in rows]

    async def beginnings(self, originator_ids: Sequence[str], until: Position) -> Sequence[Segment]:
        rows = await self._rows(_BEGINNINGS, list(originator_ids), until)
        lives = groupby(rows, itemgetter(0))
        return [
            _segment(self.ledger, originator_id, 1, *[*zip(*life, strict=True)][1:]) for originator_id, life in lives
        ]

    async def bodies(self, originator_id: str, after: int, segments: int, until: Position) -> Sequence[Bodies]:
        rows = await self._rows(_BODIES, originator_id, after, after + segments * SEGMENT, until)
        return [Bodies(**dict(row)) for row in rows]

    async def _rows(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        async with self._one_at_a_time:
            return await self._connection.fetch(query, self.ledger, *arguments)


def _segment(ledger: Ledger, originator_id: str, first_version: int, *columns: Any) -> Segment:
    """From the columns of `_TOLD`, in their order."""
    segment = Segment(ledger, originator_id, first_version, *columns)
    if segment.positions[0] != 1:
        return segment
    return replace(segment, previous=[genesis(ledger), *segment.previous[1:]])
