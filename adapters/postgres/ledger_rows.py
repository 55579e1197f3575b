"""The statements on events and heads, and how rows become events and back; the transaction is bound to the ledger."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import asyncpg

from adapters.postgres.event_columns import COLUMNS, SELECT
from domain.ledger import Head, LedgerEvent
from domain.words import Ledger, Position
from projections.database import Connection

MOST_READ_BYTES = 32 * 1024 * 1024


def reading(columns: Sequence[str]) -> str:
    """The events after a position, in order: at most so many, and no more once they have so many bytes together."""
    return f"""
    SELECT {", ".join(columns)} FROM (
        SELECT *, sum(bytes) OVER (ORDER BY position) - bytes AS bytes_before
        FROM (
            SELECT *, octet_length(record) + coalesce(octet_length(personal), 0) AS bytes
            FROM audit.ledger_events WHERE ledger = $1 AND position > $2 ORDER BY position LIMIT $3
        ) AS following
    ) AS measured
    WHERE bytes_before < $4 ORDER BY position
    """


READ = reading(COLUMNS)

# In one round trip: the transaction is bound to the ledger, and then its head is looked for.
_LOCK_HEAD = """
SELECT head.position, head.chain_hash, head.recorded_at, clock_timestamp() AS now
FROM (SELECT set_config('certinext_audit.ledger', $1, true) AS ledger OFFSET 0) AS bound
CROSS JOIN LATERAL (SELECT * FROM audit.heads WHERE ledger = bound.ledger FOR UPDATE) AS head
"""

_BEGIN_LEDGER = """
INSERT INTO audit.heads (ledger, position, chain_hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING
"""

_MOVE_HEAD = """
UPDATE audit.heads SET position = $2, chain_hash = $3, recorded_at = $4 WHERE ledger = $1
"""

# One look into the index for each entity, however many versions it has.
_VERSIONS = """
SELECT originator_id, last.version
FROM unnest($2::text[]) AS wanted (originator_id)
CROSS JOIN LATERAL (
    SELECT originator_version AS version FROM audit.ledger_events
    WHERE ledger = $1 AND originator_id = wanted.originator_id
    ORDER BY originator_version DESC LIMIT 1
) AS last
"""


async def lock_head(connection: Connection, ledger: Ledger) -> tuple[Head, datetime]:
    """Bind the transaction to the ledger and wait for our turn on it; its end, and the database's time then."""
    row = await connection.fetchrow(_LOCK_HEAD, ledger)
    if row is None:
        await connection.execute(_BEGIN_LEDGER, ledger, Head.empty(ledger).chain_hash)
        row = await connection.fetchrow(_LOCK_HEAD, ledger)
        assert row is not None
    return Head(Position(row["position"]), row["chain_hash"], row["recorded_at"]), row["now"]


async def move_head(connection: Connection, ledger: Ledger, last: LedgerEvent) -> None:
    await connection.execute(_MOVE_HEAD, ledger, last.position, last.chain_hash, last.recorded_at)


async def versions(connection: Connection, ledger: Ledger, originators: Collection[str]) -> Mapping[str, int]:
    """The last version of each entity that has any."""
    # Sorted, so that neighbours in the index are looked up one after the other.
    rows = await connection.fetch(_VERSIONS, ledger, sorted(originators))
    return dict(map(tuple, rows))


async def recorded_under(
    connection: Connection, ledger: Ledger, command_ids: Collection[str]
) -> Mapping[str, LedgerEvent]:
    """The events of these command ids that are in the ledger."""
    rows = await connection.fetch(f"{SELECT} AND command_id = ANY($2)", ledger, list(command_ids))
    return {row["command_id"]: event_of(row) for row in rows}


def event_of(row: asyncpg.Record) -> LedgerEvent:
    """From a row of COLUMNS."""
    event: LedgerEvent = LedgerEvent._make(row)
    return event
