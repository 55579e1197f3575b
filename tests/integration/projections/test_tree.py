"""The tree of a ledger, from its tiles and its right edge: the same as over all leaves at once."""

import asyncio
from collections.abc import Iterator, MutableMapping
from random import Random
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs
from tlog_scales.reader import TilesReader

from adapters.embedded import EmbeddedDatabase
from benchmarks.synthetic import append_synthetic, leaf
from domain.frontier import Frontier
from domain.merkle import (
    Node,
    consistency_nodes,
    inclusion_nodes,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from domain.multiproof import verify_multiproof
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections import projector, tree
from projections.merkle import LedgerIncomplete, MerkleProjection
from projections.tree import TreeIncomplete, Trees
from tests.builders import draft
from tests.integration.projections.forged import of_topic, with_record
from tests.integration.projections.stage import Stage, eventually, opened, reading, running
from tests.integration.projections.test_activity_plans import plan_of, recording

MERKLE = MerkleProjection()
SIZE = 256 * 256 * 2 + 256 * 3 + 57
"""Two tiles of level 1, and a part of one at each level."""

OTHER = Ledger("other")
EDGES = sorted({1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 131_071, 131_072, 131_329, SIZE - 1, SIZE})


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    return [leaf(position) for position in range(1, SIZE + 1)]


@pytest.fixture(scope="module")
def roots(leaves: list[bytes]) -> dict[int, bytes]:
    """The roots at some sizes, of a frontier that has seen every leaf."""
    grown, found = Frontier(), {}
    for size in EDGES:
        grown.extend(leaves[grown.size : size])
        found[size] = grown.root()
    return found


@pytest.fixture(scope="module")
def tall_url(server: EmbeddedDatabase) -> Iterator[str]:
    """A database with a tall tree; to be read only."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE tall TEMPLATE template_audit STRATEGY FILE_COPY")
        append_synthetic(server.url("tall"), DEFAULT_LEDGER, 1, SIZE)
        append_synthetic(server.url("tall"), OTHER, 1, 300)
        with capture_logs():
            asyncio.run(_project(server.url("tall")))
        yield server.url("tall")
        connection.execute("DROP DATABASE tall WITH (FORCE)")


async def _project(url: str) -> None:
    async with opened(url) as stage:
        for ledger in (DEFAULT_LEDGER, OTHER):
            await stage.project([MERKLE], ledger)
        await stage.owner.execute("VACUUM ANALYZE")


@pytest.fixture
async def tall(tall_url: str) -> Any:
    async with opened(tall_url) as stage:
        yield stage


def trees(stage: Stage) -> Trees:
    return Trees(stage.reader, stage.pool)


@pytest.mark.parametrize("size", EDGES)
async def test_the_root_at_any_size(tall: Stage, roots: dict[int, bytes], size: int) -> None:
    """Also at those that no tile ends at, and that the ledger has long passed."""
    assert await trees(tall).hashes(DEFAULT_LEDGER, size, [Node.over(0, size)]) == [roots[size]]


@pytest.mark.parametrize("size", EDGES)
async def test_leaves_prove_at_any_size(tall: Stage, roots: dict[int, bytes], leaves: list[bytes], size: int) -> None:
    """At both ends, around the edges of tiles, and in between."""
    random = Random(size)
    for index in {0, size - 1, *(random.randrange(size) for _ in range(5)), *(edge for edge in EDGES if edge < size)}:
        path = await trees(tall).hashes(DEFAULT_LEDGER, size, inclusion_nodes(index, size))
        verify_inclusion(leaves[index], index, size, path, roots[size])


async def test_each_size_continues_those_before(tall: Stage, roots: dict[int, bytes]) -> None:
    for at, size in enumerate(EDGES):
        for first in EDGES[: at + 1]:
            path = await trees(tall).hashes(DEFAULT_LEDGER, size, consistency_nodes(first, size))
            verify_consistency(first, size, path, roots[first], roots[size])


@pytest.mark.parametrize("size", [1, 700, 131_329, SIZE])
async def test_many_leaves_prove_together(
    tall: Stage, leaves: list[bytes], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read in several steps."""
    monkeypatch.setattr(tree, "_NODES_AT_ONCE", 50)
    random = Random(size)
    root = root_hash(leaves[:size])
    for count in (0, 1, 40, 4000):
        run = range(size // 3, min(size // 3 + count, size))
        indexes = sorted({*(random.randrange(size) for _ in range(count)), *run})
        proof = [node async for node in trees(tall).multiproof(DEFAULT_LEDGER, size, indexes)]
        verify_multiproof(size, ((index, leaves[index]) for index in indexes), iter(proof), root)


class Tiles:
    """Our tiles under the paths of C2SP tlog-tiles, of the tree of SIZE."""

    def __init__(self, rows: list[tuple[Any, ...]], leaves: list[bytes]) -> None:
        self.full = {(level, index): hashes for level, index, hashes, _ in rows}
        self.below = {0: leaves}
        for level, _, _, root in sorted(rows):
            self.below.setdefault(level + 1, []).append(root)

    def get(self, *path: str) -> bytes | None:
        _, level, *elements = path
        width = int(elements.pop()) if ".p" in "".join(elements) else 0
        index = int("".join(element.strip("x.p") for element in elements))
        if width:
            return b"".join(self.below[int(level)][index * 256 : index * 256 + width])
        found: bytes = self.full[int(level), index]
        return found


async def test_another_implementation_reads_our_tiles(
    tall: Stage, roots: dict[int, bytes], leaves: list[bytes]
) -> None:
    """And finds the same root and proofs; there is one tile for each number that the specification gives."""
    rows = await tall.rows("tiles")
    reader = TilesReader(Tiles(rows, leaves))
    reader.set_size(SIZE)
    assert reader.calculate_root_hash() == roots[SIZE]
    for index in (0, 70_000, SIZE - 1):
        theirs = reader.get_inclusion_proof(index, SIZE)
        theirs.check(leaves[index], roots[SIZE])
        assert theirs.node_hashes == await trees(tall).hashes(DEFAULT_LEDGER, SIZE, inclusion_nodes(index, SIZE))
    between = reader.get_consistency_proof(65_537, SIZE)
    assert between.node_hashes == await trees(tall).hashes(DEFAULT_LEDGER, SIZE, consistency_nodes(65_537, SIZE))
    assert {row[:2] for row in rows} == {*((0, index) for index in range(SIZE // 256)), (1, 0), (1, 1)}


async def test_ledgers_have_trees_of_their_own(tall: Stage, leaves: list[bytes]) -> None:
    hashes = await trees(tall).hashes(OTHER, 300, [Node.over(0, 300)])
    assert hashes == [root_hash(leaves[:300])]
    with pytest.raises(TreeIncomplete, match="ledger other is not built up to the size 301"):
        await trees(tall).hashes(OTHER, 301, [Node.over(0, 301)])
    with pytest.raises(TreeIncomplete, match="ledger third"):
        await trees(tall).hashes(Ledger("third"), 1, [Node(0, 0)])


async def test_a_path_costs_a_few_looks_into_indexes(tall: Stage) -> None:
    """However large the ledger: a tile at each level, and at the edge less than a tile of rows."""
    async with reading(tall) as connection:
        recorder, recorded = recording(connection)
        await tree.hashes_of(recorded, DEFAULT_LEDGER, SIZE, inclusion_nodes(77_777, SIZE))
        assert len(recorder.asked) == 1
        plan = await plan_of(connection, recorder)
    assert plan.kinds <= {"Index Scan", "Index Only Scan", "Function Scan", "Bitmap Index Scan", "Bitmap Heap Scan"}
    assert plan.rows_read < 1000


async def test_tiles_are_written_once_however_events_arrive(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, leaves: list[bytes]
) -> None:
    """In steps that end within tiles, at their ends, and over several of them."""
    monkeypatch.setattr(projector, "SPAN", 1000)
    position = 0
    for last in (1, 255, 256, 257, 900, 5120, 5121):
        append_synthetic(stage.url, DEFAULT_LEDGER, position + 1, last)
        await stage.project([MERKLE])
        position = last
        assert await stage.tracked("merkle") == last
        rows = await stage.rows("tiles")
        assert len(rows) == last // 256
        assert await trees(stage).hashes(DEFAULT_LEDGER, last, [Node.over(0, last)]) == [root_hash(leaves[:last])]
    assert await stage.owner.fetchval("SELECT count(DISTINCT xmin::text) FROM reading.tiles_1") >= 5


async def test_what_cannot_be_decoded_is_in_the_tree_like_the_rest(stage: Stage) -> None:
    """Nothing is set aside: the tree is over bytes, whatever they say."""
    await stage.forge([draft(), of_topic("CertificateEaten"), with_record(b"\xff"), *(draft() for _ in range(254))])
    async with running(stage.runner("one")):
        await eventually(stage.caught_up)
    assert await stage.set_aside("merkle") == {}
    assert {2, 3} <= set(await stage.set_aside("activity"))
    hashes = [
        row["leaf_hash"] for row in await stage.owner.fetch("SELECT leaf_hash FROM audit.events ORDER BY position")
    ]
    assert await trees(stage).hashes(DEFAULT_LEDGER, 257, [Node.over(0, 257)]) == [root_hash(hashes)]


@pytest.mark.parametrize("harm", ["DELETE FROM audit.events", "UPDATE audit.events SET leaf_hash = '\\x00'"])
async def test_no_tile_is_made_of_what_is_not_there(
    stage: Stage, harm: str, logs: list[MutableMapping[str, Any]]
) -> None:
    """A ledger with a hole stops its tree there, and the log says where; other ledgers go on."""
    append_synthetic(stage.url, DEFAULT_LEDGER, 1, 600)
    append_synthetic(stage.url, OTHER, 1, 300)
    await stage.owner.execute("ALTER TABLE audit.events DISABLE TRIGGER ALL")
    await stage.owner.execute(f"{harm} WHERE ledger = 'default' AND position = 300")
    with pytest.raises(LedgerIncomplete, match="ledger default does not have all hashes of the events 257 to 512"):
        await stage.project([MERKLE])
    assert (await stage.rows("tiles"), await stage.tracked("merkle")) == ([], 0)

    async def other_is_there_and_the_hole_told_of() -> bool:
        told = any(entry["event"] == "projector_failed" and "257 to 512" in entry["exception"] for entry in logs)
        return told and await stage.tracked("merkle", OTHER) == 300

    async with running(stage.runner("one", [MERKLE])):
        await eventually(other_is_there_and_the_hole_told_of)


async def test_the_signer_is_told_which_ledgers_have_grown(stage: Stage) -> None:
    """Those without a checkpoint of their last event, and those with an alarm."""
    for ledger, last in ((DEFAULT_LEDGER, 300), (OTHER, 20)):
        append_synthetic(stage.url, ledger, 1, last)
    await stage.project([MERKLE])

    async def standing(*, everything: bool = False) -> list[tuple[str, Position, int]]:
        found = await trees(stage).standing(everything=everything)
        return [(one.ledger, one.head, one.size) for one in found]

    assert await standing() == [("default", 300, 300), ("other", 20, 0)]
    await stage.owner.execute("INSERT INTO audit.checkpoints VALUES ('default', 300, 0, '', '', '', now())")
    assert await standing() == [("other", 20, 0)]
    assert await standing(everything=True) == [("default", 300, 300), ("other", 20, 0)]
    await stage.owner.execute("INSERT INTO audit.signing_alarms VALUES ('default', 'a reason', now())")
    assert await standing() == [("default", 300, 300), ("other", 20, 0)]
