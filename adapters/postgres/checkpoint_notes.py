"""The notes of a ledger's checkpoints, for its verification."""

from collections.abc import Sequence

from domain.checkpoint import UsedKey
from domain.words import Ledger
from projections import checkpoints
from projections.database import Pool, bound

_BETWEEN = """
SELECT size, note FROM audit.checkpoints WHERE ledger = $1 AND size > $2 AND size <= $3 ORDER BY size
"""


class PostgresCheckpointNotes:
    """Keeps the promises of `application.kept_checkpoints.CheckpointNotes`."""

    def __init__(self, pool: Pool) -> None:
        """The pool's role may read checkpoints and keys."""
        self._pool = pool

    async def between(self, ledger: Ledger, after: int, until: int) -> Sequence[tuple[int, str]]:
        async with bound(self._pool, ledger, readonly=True) as connection:
            rows = await connection.fetch(_BETWEEN, ledger, after, until)
        return [(row["size"], row["note"]) for row in rows]

    async def largest(self, ledger: Ledger) -> tuple[int, str] | None:
        async with bound(self._pool, ledger, readonly=True) as connection:
            found = await checkpoints.latest(connection, ledger)
        return None if found is None else (found.size, found.note)

    async def keys(self, ledger: Ledger) -> Sequence[UsedKey]:
        async with bound(self._pool, ledger, readonly=True) as connection:
            return await checkpoints.keys(connection, ledger)
