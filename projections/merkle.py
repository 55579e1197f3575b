"""The read table `tiles`: the Merkle tree of each ledger, in tiles of 256 hashes, numbered as C2SP tlog-tiles does.

Only full tiles are kept, each written once. What is right of them follows from the ledger's last leaf hashes and
from the roots of full tiles: see `tree.py`.
"""

import asyncio
from collections.abc import Sequence

import asyncpg

from domain.errors import AuditError
from domain.merkle import HASH_BYTES, root_hash
from domain.words import Ledger, Position
from projections.database import Connection
from projections.projection import Table

WIDTH = 256
"""How many hashes a tile has. At level 0 these are of leaves, above that each is the root of a tile below."""

_TILES = Table(
    "tiles",
    """
    level  smallint NOT NULL,
    index  bigint NOT NULL,
    hashes bytea NOT NULL,
    root   bytea NOT NULL
    """,
    "level, index",
)

_FROM_LEAVES = f"""
SELECT (position - 1) / {WIDTH} AS index, string_agg(leaf_hash, ''::bytea ORDER BY position) AS hashes
FROM audit.ledger_events
WHERE ledger = $1 AND position > $2 * {WIDTH} AND position <= $3 * {WIDTH}
GROUP BY 1 ORDER BY 1
"""

_FROM_TILES = f"""
SELECT index / {WIDTH} AS index, string_agg(root, ''::bytea ORDER BY index) AS hashes
FROM {{table}}
WHERE ledger = $1 AND level = $4 AND index >= $2 * {WIDTH} AND index < $3 * {WIDTH}
GROUP BY 1 ORDER BY 1
"""

_ADD = """
INSERT INTO {table} (ledger, level, index, hashes, root)
SELECT $1, $2, * FROM unnest($3::bigint[], $4::bytea[], $5::bytea[])
"""


class LedgerIncomplete(AuditError):
    """Hashes that must be there are not: somebody has removed events, or altered their hashes."""


def split(hashes: bytes) -> list[bytes]:
    """The hashes that stand one behind the other."""
    return [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]


class MerkleProjection:
    """Keeps `tiles`."""

    name = "merkle"
    tables: Sequence[Table] = (_TILES,)

    async def extend(
        self, connection: Connection, generation: int, ledger: Ledger, after: Position, last: Position
    ) -> None:
        """Add the tiles that become full with the events after a position up to another.

        Raises LedgerIncomplete.
        """
        table = _TILES.versioned(generation)
        level, begin, end = 0, after // WIDTH, last // WIDTH
        while begin < end:
            if level == 0:
                rows = await connection.fetch(_FROM_LEAVES, ledger, begin, end)
            else:
                rows = await connection.fetch(_FROM_TILES.format(table=table), ledger, begin, end, level - 1)
            _check(ledger, level, rows, range(begin, end))
            await connection.execute(
                _ADD.format(table=table),
                ledger,
                level,
                [row["index"] for row in rows],
                [row["hashes"] for row in rows],
                await _roots(rows),
            )
            level, begin, end = level + 1, begin // WIDTH, end // WIDTH


def _check(ledger: Ledger, level: int, rows: Sequence[asyncpg.Record], wanted: range) -> None:
    full = {row["index"] for row in rows if len(row["hashes"]) == WIDTH * HASH_BYTES}
    missing = next((index for index in wanted if index not in full), None)
    if missing is not None:
        leaves = WIDTH ** (level + 1)
        raise LedgerIncomplete(
            f"the ledger {ledger} does not have all hashes of the events {missing * leaves + 1} to "
            f"{(missing + 1) * leaves}"
        )


async def _roots(rows: Sequence[asyncpg.Record]) -> list[bytes]:
    """A tenth of a millisecond each, between which others get their turn."""
    roots = []
    for row in rows:
        roots.append(root_hash(split(row["hashes"])))
        await asyncio.sleep(0)
    return roots
