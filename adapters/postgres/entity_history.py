"""The records of single entities, read as columns: a row for each would cost three times as much."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from domain.chain import genesis
from domain.entities.history import SEGMENT, Bodies, Segment
from domain.ledger import Head
from domain.words import Ledger, Position
from projections.database import Pool, bound

_HEAD = """
SELECT position, chain_hash, recorded_at FROM audit.ledger_events
WHERE ledger = $1 AND ($2::bigint IS NULL OR position = $2) ORDER BY position DESC LIMIT 1
"""

_SEGMENTS = f"""
SELECT (min(version) - 1) / {SEGMENT} * {SEGMENT} + 1 AS first_version,
    array_agg(version) AS versions, array_agg(position) AS positions, array_agg(topic) AS topics,
    array_agg(record) AS records, array_agg(personal) AS personals,
    array_agg(leaf_hash) AS leaf_hashes, array_agg(chain_hash) AS chain_hashes, array_agg(previous) AS previous
FROM (
    SELECT event.originator_version AS version, event.position, event.topic, event.record, event.personal,
        event.leaf_hash, event.chain_hash, before.chain_hash AS previous
    FROM audit.ledger_events AS event
    LEFT JOIN audit.ledger_events AS before ON before.ledger = $1 AND before.position = event.position - 1
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
    SELECT 1 AS first_version,
        array_agg(version) AS versions, array_agg(position) AS positions, array_agg(topic) AS topics,
        array_agg(record) AS records, array_agg(personal) AS personals,
        array_agg(leaf_hash) AS leaf_hashes, array_agg(chain_hash) AS chain_hashes, array_agg(previous) AS previous
    FROM (
        SELECT event.originator_version AS version, event.position, event.topic, event.record, event.personal,
            event.leaf_hash, event.chain_hash, before.chain_hash AS previous
        FROM audit.ledger_events AS event
        LEFT JOIN audit.ledger_events AS before ON before.ledger = $1 AND before.position = event.position - 1
        WHERE event.ledger = $1 AND event.originator_id = wanted.id
            AND event.originator_version <= {SEGMENT} AND event.position <= $3
        ORDER BY event.originator_version
    ) AS events
    HAVING count(*) > 0
) AS told
ORDER BY wanted.number
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

    async def head(self, ledger: Ledger, position: Position | None) -> Head:
        async with bound(self._pool, ledger, readonly=True) as connection:
            row = await connection.fetchrow(_HEAD, ledger, position)
        if row is None:
            return Head.empty(ledger)
        return Head(Position(row["position"]), row["chain_hash"], row["recorded_at"])

    async def segments(
        self, ledger: Ledger, originator_id: str, after: int, segments: int, until: Position
    ) -> Sequence[Segment]:
        rows = await self._rows(_SEGMENTS, ledger, originator_id, after, segments, until)
        return [_segment(ledger, originator_id, **dict(row)) for row in rows]

    async def beginnings(self, ledger: Ledger, originator_ids: Sequence[str], until: Position) -> Sequence[Segment]:
        async with bound(self._pool, ledger, readonly=True) as connection:
            rows = await connection.fetch(_BEGINNINGS, ledger, list(originator_ids), until)
        return [_segment(ledger, **dict(row)) for row in rows]

    async def bodies(
        self, ledger: Ledger, originator_id: str, after: int, segments: int, until: Position
    ) -> Sequence[Bodies]:
        rows = await self._rows(_BODIES, ledger, originator_id, after, segments, until)
        return [Bodies(**dict(row)) for row in rows]

    async def _rows(
        self, query: str, ledger: Ledger, originator_id: str, after: int, segments: int, until: Position
    ) -> list[asyncpg.Record]:
        last = after + segments * SEGMENT
        async with bound(self._pool, ledger, readonly=True) as connection:
            return await connection.fetch(query, ledger, originator_id, after, last, until)


def _segment(ledger: Ledger, originator_id: str, **columns: Any) -> Segment:
    if columns["positions"][0] == 1:
        columns["previous"][0] = genesis(ledger)
    return Segment(ledger, originator_id, **columns)
