"""What proves the rows of an export, made where it keeps nobody waiting."""

from array import array
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import NamedTuple, Protocol

from adapters.processes import WorkProcess
from domain.manifest import encode_bytes
from domain.merkle import Node
from domain.multiproof import multiproof_nodes
from domain.positions import Positions, ranges_text
from domain.words import Ledger
from projections.tree import Trees

_RANGES_AT_ONCE = 1_000
_NODES_AT_ONCE = 512
_FINGERPRINT_BYTES_AT_ONCE = 12_000


class PositionsText(NamedTuple):
    """The positions of all rows, ascending."""

    parts: Sequence[str]
    """Joined by commas they are the text that the manifest's digest is of."""
    sha256: str


def positions_text(positions: Positions) -> PositionsText:
    texts = ranges_text(positions.ranges())
    parts = []
    while some := list(islice(texts, _RANGES_AT_ONCE)):
        parts.append(",".join(some))
    return PositionsText(parts, sha256(",".join(parts).encode()).hexdigest())


def proof_nodes(positions: Positions, size: int) -> "array[int]":
    """The nodes of the shared proof of those in a tree of this size: level and number of each, in turn."""
    indexes = (position - 1 for position in positions if position <= size)
    return array("Q", [number for node in multiproof_nodes(size, indexes) for number in node])


@dataclass(frozen=True)
class ProofParts:
    """All that stands in a file beside its rows to check them."""

    manifest_note: str
    checkpoint_note: str
    verifier_key: str
    positions: Sequence[str]
    fingerprints: bytearray
    nodes: "NodeTexts"

    def fingerprint_texts(self) -> Iterator[str]:
        for begin in range(0, len(self.fingerprints), _FINGERPRINT_BYTES_AT_ONCE):
            yield encode_bytes(bytes(self.fingerprints[begin : begin + _FINGERPRINT_BYTES_AT_ONCE]))


class NodeTexts(Protocol):
    """The hashes of a shared proof."""

    def texts(self) -> AsyncIterator[list[str]]:
        """In base64, some at a time, in the order of `multiproof_nodes`."""


@dataclass(frozen=True)
class Nodes:
    """The hashes of a shared proof, read while they are asked for."""

    trees: Trees
    ledger: Ledger
    size: int
    nodes: "array[int]"

    async def texts(self) -> AsyncIterator[list[str]]:
        """In base64, some at a time. Raises StoreUnavailable."""
        levels, numbers = self.nodes[::2], self.nodes[1::2]
        for begin in range(0, len(levels), _NODES_AT_ONCE):
            stretch = slice(begin, begin + _NODES_AT_ONCE)
            some = [Node(level, number) for level, number in zip(levels[stretch], numbers[stretch], strict=True)]
            yield [encode_bytes(found) for found in await self.trees.hashes(self.ledger, self.size, some)]


async def nodes_of(builder: WorkProcess, trees: Trees, ledger: Ledger, size: int, positions: Positions) -> Nodes:
    return Nodes(trees, ledger, size, await builder.call(proof_nodes, positions, size))
