"""Reading a stretch of a ledger for its check, in memory that does not grow with the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from adapters.postgres.event_columns import SELECT
from domain.stored_row import StoredRow
from domain.stretch import RUN_UP, Border, Stretch, StretchCheck
from domain.words import Ledger, Position
from projections.database import Connection, Pool, bound

_FIRST, _LEAST_AT_A_TIME, _MOST_AT_A_TIME = 50, 8, 500
_MEMORY = 16 * 1024 * 1024
"""How many rows are in memory at once: as many as fit in, going by the last ones."""

_LEAST = -(2**63)

_ROWS = f"{SELECT} AND position > $2 AND position <= $3 ORDER BY position"

_CHAIN_HASH = "SELECT chain_hash FROM audit.ledger_events WHERE ledger = $1 AND position = $2 LIMIT 1"

_SIZES = "SELECT size FROM audit.checkpoints WHERE ledger = $1 AND size > $2 AND size <= $3"


@dataclass(frozen=True, slots=True)
class StretchTask:
    """From after `start` to `end`; the trees up to `sizes` are wanted, beside those of stored checkpoints."""

    ledger: Ledger
    start: Position
    end: Position
    sizes: Sequence[int]


async def check_stretch(pool: Pool, task: StretchTask) -> Stretch:
    """Raises StoreUnavailable."""
    async with bound(pool, task.ledger, readonly=True) as connection:
        stored = await connection.fetch(_SIZES, task.ledger, task.start, task.end)
        sizes = {*task.sizes, *(row["size"] for row in stored)}
        before = await _before(connection, task)
        check = StretchCheck(task.ledger, before, task.start, task.end, sizes)
        # What stands before the first position is no less wrong than what is missing.
        after = before.position or _LEAST
        cursor = await connection.cursor(_ROWS, task.ledger, after, task.end)
        count = _FIRST
        while rows := await cursor.fetch(count):
            check.take(cast("Sequence[StoredRow]", rows))
            size = sum([len(row[6]) for row in rows]) + 1
            count = min(max(_MEMORY * len(rows) // size, _LEAST_AT_A_TIME), _MOST_AT_A_TIME)
    return check.result()


async def _before(connection: Connection, task: StretchTask) -> Border:
    """What the rows begin from, as it is stored: whether that is right is seen by who checks what is there."""
    position = Position(max(task.start - RUN_UP, 0))
    if not position:
        return Border.beginning(task.ledger)
    return Border(position, await connection.fetchval(_CHAIN_HASH, task.ledger, position), None)
