"""The Merkle tree over a ledger's records, and its proofs: RFC 9162, section 2.1 (hashes as in RFC 6962).

Indexes count from 0 here. A hash is 32 bytes. The functions that check return None or raise ProofError.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from domain.errors import AuditError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves."""


class ProofError(AuditError, ValueError):
    """A proof that does not hold, or one that is asked for of leaves or sizes that there are not."""


class Node(NamedTuple):
    """A node of a tree: it stands for the leaves [number * 2^level, (number + 1) * 2^level), as far as there are any.

    At the right edge of a tree, where several names would mean the same leaves, it is named by the lowest level.
    """

    level: int
    number: int

    def span(self, size: int) -> tuple[int, int]:
        """The first leaf that it stands for, and the one after the last, in a tree of this size."""
        return self.number << self.level, min((self.number + 1) << self.level, size)

    @classmethod
    def over(cls, begin: int, end: int) -> "Node":
        """The node that stands for these leaves; there must be one."""
        level = (end - begin - 1).bit_length()
        return cls(level, begin >> level)


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data): 32 bytes (RFC 6962, section 2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right): 32 bytes (RFC 6962, section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def root_hash(leaf_hashes: Iterable[bytes]) -> bytes:
    """The hash of the tree over these leaves (RFC 9162, section 2.1.1)."""
    nodes = list(leaf_hashes)
    while len(nodes) > 1:
        above = paired(nodes)
        if len(nodes) % 2:
            above.append(nodes[-1])
        nodes = above
    return nodes[0] if nodes else EMPTY_ROOT


def paired(nodes: Sequence[bytes]) -> list[bytes]:
    """The parents of nodes that lie side by side from an even index on; one that is left over has none."""
    digest = sha256
    return [digest(b"\x01" + left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=False)]


def inclusion_path(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion proof of the leaf at an index, from the leaf up (RFC 9162, section 2.1.3.1).

    Raises ProofError if there is no such leaf.
    """
    size = len(leaf_hashes)
    return [root_hash(leaf_hashes[slice(*node.span(size))]) for node in inclusion_nodes(index, size)]


def consistency_path(leaf_hashes: Sequence[bytes], first_size: int) -> list[bytes]:
    """The proof that the tree over the first leaves is the beginning of this one (RFC 9162, section 2.1.4.1).

    It is empty if the first tree is empty or the whole. Raises ProofError if there are not so many leaves.
    """
    size = len(leaf_hashes)
    return [root_hash(leaf_hashes[slice(*node.span(size))]) for node in consistency_nodes(first_size, size)]


def inclusion_nodes(index: int, size: int) -> list[Node]:
    """The nodes of which `inclusion_path` is made, whatever the leaves are. Raises ProofError as it does."""
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size} leaves")
    return list(_siblings(Node(0, index), size))


def consistency_nodes(first_size: int, size: int) -> list[Node]:
    """The nodes of the larger tree of which `consistency_path` is made. Raises ProofError as it does."""
    if not 0 <= first_size <= size:
        raise ProofError(f"a tree of {first_size} leaves is no beginning of a tree of {size} leaves")
    if first_size in (0, size):
        return []
    level = (first_size & -first_size).bit_length() - 1
    last = Node(level, (first_size >> level) - 1)
    """The largest full subtree that ends where the first tree ends; if it is all of that, its hash is known."""
    return [*([last] if last.number else []), *_siblings(last, size)]


def _siblings(node: Node, size: int) -> Iterator[Node]:
    """What a node must be hashed with, one after the other, to come to the root."""
    level, number = node
    last = (size - 1) >> level
    while last:
        sibling = number ^ 1
        if sibling <= last:
            yield Node.over(*Node(level, sibling).span(size))
        level, number, last = level + 1, number >> 1, last >> 1


def verify_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf is at an index of the tree with this root (RFC 9162, section 2.1.3.2). Raises ProofError.

    The root must be that of a tree of this size, as a signed checkpoint says: of sizes whose paths are of the same
    shape, the path alone does not tell them apart.
    """
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size} leaves")
    check_hashes(leaf_hash, *path, root)
    computed = leaf_hash
    for stands_left, hash_ in _sides(index, size - 1, path):
        computed = node_hash(hash_, computed) if stands_left else node_hash(computed, hash_)
    if computed != root:
        raise ProofError(f"leaf {index} with its path gives the root {computed.hex()}, not {root.hex()}")


def verify_consistency(size1: int, size2: int, path: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Check that the first tree is the beginning of the second (RFC 9162, section 2.1.4.2). Raises ProofError.

    Roots must be those of trees of these sizes, as signed checkpoints say. Every tree begins with the empty one.
    """
    if not 0 <= size1 <= size2:
        raise ProofError(f"a tree of {size1} leaves is no beginning of a tree of {size2} leaves")
    check_hashes(*path, root1, root2)
    if size1 in (0, size2):
        _verify_without_path(size1, size2, path, root1, root2)
        return
    place, last = size1 - 1, size2 - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    begin, *rest = path if place and path else (root1, *path)
    first = second = begin
    for stands_left, hash_ in _sides(place, last, rest):
        if stands_left:
            first = node_hash(hash_, first)
        second = node_hash(hash_, second) if stands_left else node_hash(second, hash_)
    for size, computed, root in ((size1, first, root1), (size2, second, root2)):
        if computed != root:
            raise ProofError(f"the path gives the root {computed.hex()} at size {size}, not {root.hex()}")


def _sides(place: int, last: int, path: Sequence[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Each hash of a path from a place among `last` + 1 nodes up, with whether it stands left of what is computed.

    Raises ProofError if the path does not end at the root.
    """
    for hash_ in path:
        if last == 0:
            raise ProofError("the path has more hashes than lead to the root")
        stands_left = place % 2 == 1 or place == last
        while stands_left and place % 2 == 0 and place:
            place, last = place >> 1, last >> 1
        yield stands_left, hash_
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError("the path has fewer hashes than lead to the root")


def _verify_without_path(size1: int, size2: int, path: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    if path:
        raise ProofError(f"nothing needs proof between sizes {size1} and {size2}, but the path has {len(path)} hashes")
    if size1 == size2 and root1 != root2:
        raise ProofError(f"two trees of {size1} leaves have the roots {root1.hex()} and {root2.hex()}")
    if size1 == 0 and root1 != EMPTY_ROOT:
        raise ProofError(f"the root of the empty tree is {EMPTY_ROOT.hex()}, not {root1.hex()}")


def check_hashes(*hashes: bytes) -> None:
    """Raises ProofError if one is not of 32 bytes."""
    for hash_ in hashes:
        if len(hash_) != HASH_BYTES:
            raise ProofError(f"a hash has {HASH_BYTES} bytes, not {len(hash_)}")
