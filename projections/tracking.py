"""How far each projector has come in each ledger: its tracking, moved in the transaction that moves its table."""

from eventsourcing.persistence import IntegrityError, Tracking

from projections.database import Connection

_POSITION = """
SELECT position FROM reading.tracking WHERE ledger = $1 AND projection = $2 AND generation = $3
"""

# The condition is the compare-and-set: who was overtaken changes nothing.
_MOVE = """
UPDATE reading.tracking SET position = $4
WHERE ledger = $1 AND projection = $2 AND generation = $3 AND position = $5 AND position < $4
RETURNING position
"""

# Only who starts at the beginning, or does not say where, may find no position kept.
_BEGIN = """
INSERT INTO reading.tracking AS mine (ledger, projection, generation, position) VALUES ($1, $2, $3, $4)
ON CONFLICT (ledger, projection, generation) DO UPDATE SET position = EXCLUDED.position, moved_at = now()
WHERE mine.position < EXCLUDED.position AND mine.position = coalesce($5, mine.position)
RETURNING position
"""


async def max_tracking_id(connection: Connection, projection: str, generation: int, ledger: str) -> int | None:
    """The position applied last; None if none was."""
    position: int | None = await connection.fetchval(_POSITION, ledger, projection, generation)
    return position


async def insert_tracking(
    connection: Connection, projection: str, generation: int, tracking: Tracking, after: int | None = None
) -> None:
    """Move a projector's position forward, from `after` if given.

    Raises IntegrityError if it is there already, or no longer where `after` says.
    """
    moved = await connection.fetchval(
        _MOVE if after else _BEGIN, tracking.application_name, projection, generation, tracking.notification_id, after
    )
    if moved is None:
        raise IntegrityError(
            f"{projection} in ledger {tracking.application_name} is not at {after} before {tracking.notification_id}"
        )
