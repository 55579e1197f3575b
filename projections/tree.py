"""Reading the Merkle tree of a ledger at any size: from full tiles, and at the right edge from the ledger."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from domain.checkpoint import TreeStanding
from domain.errors import AuditError
from domain.frontier import joined
from domain.merkle import Node, root_hash
from domain.multiproof import multiproof_nodes
from domain.words import Ledger, Position
from projections.database import Connection, Pool, bound, translated_errors
from projections.merkle import WIDTH, split

_TILE_LEVELS = WIDTH.bit_length() - 1
_NODES_AT_ONCE = 512

# Full tiles by their numbers; the last tile of a level from the roots of the full ones below it; that of the leaves
# from the ledger. LIMIT keeps the planner from anything but one look into the index for each tile.
_TILES = f"""
SELECT wanted.level, wanted.index, tile.hashes
FROM unnest($2::smallint[], $3::bigint[]) AS wanted (level, index)
CROSS JOIN LATERAL (
    SELECT hashes FROM reading.tiles AS tile WHERE tile.level = wanted.level AND tile.index = wanted.index LIMIT 1
) AS tile
UNION ALL
SELECT edge.level, edge.index, tiles.hashes
FROM unnest($4::smallint[], $5::bigint[], $6::bigint[]) AS edge (level, index, width)
CROSS JOIN LATERAL (
    SELECT string_agg(root, ''::bytea ORDER BY index) AS hashes FROM (
        SELECT root, index FROM reading.tiles AS tile
        WHERE tile.level = edge.level - 1 AND tile.index >= edge.index * {WIDTH}
            AND tile.index < edge.index * {WIDTH} + edge.width
        ORDER BY index LIMIT edge.width
    ) AS below
) AS tiles
UNION ALL
SELECT 0, ($7::bigint - 1) / {WIDTH}, string_agg(leaf_hash, ''::bytea ORDER BY position)
FROM audit.ledger_events
WHERE ledger = $1 AND position >= $7 AND position <= $8
"""

_STANDING = """
SELECT head.ledger, head.position AS head, coalesce(mine.position, 0) AS size
FROM audit.heads AS head
LEFT JOIN reading.generations AS shown ON shown.projection = 'merkle'
LEFT JOIN reading.tracking AS mine
    ON mine.ledger = head.ledger AND mine.projection = shown.projection AND mine.generation = shown.generation
WHERE $1 OR head.position > coalesce(
    (SELECT size FROM audit.checkpoints AS signed WHERE signed.ledger = head.ledger ORDER BY size DESC LIMIT 1), 0
) OR EXISTS (SELECT FROM audit.signing_alarms AS alarm WHERE alarm.ledger = head.ledger)
ORDER BY head.ledger
"""


class TreeIncomplete(AuditError):
    """The tree is not built up to the size asked for."""


class _Tile(NamedTuple):
    """One tile of a tree of some size."""

    level: int
    number: int

    @classmethod
    def of(cls, node: Node) -> "_Tile":
        """That of whose hashes a full subtree is made."""
        level, below = divmod(node.level, _TILE_LEVELS)
        return cls(level, (node.number << below) // WIDTH)

    def width(self, size: int) -> int:
        """How many hashes it has in a tree of this size; less than WIDTH at the right edge only."""
        return min(WIDTH, (size >> _TILE_LEVELS * self.level) - self.number * WIDTH)


@dataclass(frozen=True)
class Trees:
    """The trees of all ledgers. Methods raise StoreUnavailable, and TreeIncomplete beyond what is built."""

    pool: Pool
    """The reader's."""
    projector_pool: Pool

    async def standing(self, *, everything: bool) -> Sequence[TreeStanding]:
        """How far the trees are built, of the ledgers with news for the signer, or of all."""
        with translated_errors():
            rows = await self.projector_pool.fetch(_STANDING, everything)
        return [TreeStanding(Ledger(row["ledger"]), Position(row["head"]), row["size"]) for row in rows]

    async def hashes(self, ledger: Ledger, size: int, nodes: Sequence[Node]) -> list[bytes]:
        """The hashes of nodes of the tree of this size, in one short transaction."""
        async with bound(self.pool, ledger, readonly=True) as connection:
            return await hashes_of(connection, ledger, size, nodes)

    async def multiproof(self, ledger: Ledger, size: int, indexes: Iterable[int]) -> AsyncIterator[bytes]:
        """The hashes of `domain.multiproof.multiproof_nodes`, while they are asked for, each some in one transaction.

        What is in a tree of a size never changes, so they fit together.
        """
        nodes = multiproof_nodes(size, indexes)
        while some := list(islice(nodes, _NODES_AT_ONCE)):
            for found in await self.hashes(ledger, size, some):
                yield found


async def hashes_of(connection: Connection, ledger: Ledger, size: int, nodes: Sequence[Node]) -> list[bytes]:
    """The hashes of nodes of the tree of this size; the transaction is bound to the ledger. Raises TreeIncomplete."""
    subtrees = [list(_full_subtrees(*node.span(size))) for node in nodes]
    tiles = await _fetch(connection, ledger, size, {_Tile.of(subtree) for found in subtrees for subtree in found})
    return [_folded(found, tiles) for found in subtrees]


async def _fetch(
    connection: Connection, ledger: Ledger, size: int, wanted: set[_Tile]
) -> Mapping[_Tile, Sequence[bytes]]:
    full = sorted(tile for tile in wanted if tile.width(size) == WIDTH)
    edges = [tile for tile in wanted if tile.level and tile.width(size) < WIDTH]
    at_leaves = next((tile.number * WIDTH for tile in wanted if not tile.level and tile.width(size) < WIDTH), size)
    rows = await connection.fetch(
        _TILES,
        ledger,
        [tile.level for tile in full],
        [tile.number for tile in full],
        [tile.level for tile in edges],
        [tile.number for tile in edges],
        [tile.width(size) for tile in edges],
        at_leaves + 1,
        size,
    )
    found = {_Tile(row["level"], row["index"]): split(row["hashes"] or b"") for row in rows}
    for tile in wanted:
        if len(found.get(tile, ())) != tile.width(size):
            raise TreeIncomplete(f"the tree of the ledger {ledger} is not built up to the size {size} yet")
    return found


def _full_subtrees(begin: int, end: int) -> Iterator[Node]:
    """What a node is made of: itself, or at the right edge of the tree the full subtrees below it, largest first."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        yield Node(level, begin >> level)
        begin += 1 << level


def _folded(subtrees: Sequence[Node], tiles: Mapping[_Tile, Sequence[bytes]]) -> bytes:
    roots = []
    for subtree in subtrees:
        below = subtree.level % _TILE_LEVELS
        start = (subtree.number << below) % WIDTH
        roots.append(root_hash(tiles[_Tile.of(subtree)][start : start + (1 << below)]))
    return joined(roots)
