"""The right edge of a growing Merkle tree: all that its root and its growth depend on."""

from collections.abc import Iterable, Iterator, Sequence

from domain.merkle import EMPTY_ROOT, ProofError, node_hash, paired


class Frontier:
    """The roots of the full subtrees that a tree is made of, largest first: one for each bit of its size.

    It takes any number of leaves in constant memory. Owned by one task.
    """

    def __init__(self, size: int = 0, subtrees: Sequence[bytes] = ()) -> None:
        """The empty tree, or one that goes on from `subtrees`. Raises ProofError if they are not those of a size."""
        if len(subtrees) != size.bit_count():
            raise ProofError(f"a tree of {size} leaves has {size.bit_count()} full subtrees, not {len(subtrees)}")
        self._size = size
        self._subtrees = list(subtrees)

    @property
    def size(self) -> int:
        return self._size

    @property
    def subtrees(self) -> tuple[bytes, ...]:
        return tuple(self._subtrees)

    def append(self, leaf_hash: bytes) -> None:
        self.append_subtree(0, leaf_hash)

    def append_subtree(self, level: int, root: bytes) -> None:
        """Add 2^level leaves at once, by the root over them. Raises ProofError where no such subtree can stand."""
        place = self._size >> level
        if place << level != self._size:
            raise ProofError(f"after {self._size} leaves no subtree of {1 << level} leaves can begin")
        self._size += 1 << level
        while place & 1:
            root = node_hash(self._subtrees.pop(), root)
            place >>= 1
        self._subtrees.append(root)

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add many leaves, level by level, in half the time that one by one takes."""
        nodes = list(leaf_hashes)
        place, edge = self._size, list[bytes]()
        self._size += len(nodes)
        while nodes:
            if place & 1:
                nodes.insert(0, self._subtrees.pop())
            if len(nodes) % 2:
                edge.append(nodes.pop())
            nodes, place = paired(nodes), place >> 1
        self._subtrees.extend(reversed(edge))

    def merge(self, following: "Frontier") -> None:
        """Add the leaves of a tree that was built apart from those which follow ours.

        Raises ProofError if our size is no multiple of the size of its largest full subtree.
        """
        for level, root in following.levels():
            self.append_subtree(level, root)

    def levels(self) -> Iterator[tuple[int, bytes]]:
        """The subtrees with their levels, largest first."""
        levels = [level for level in range(self._size.bit_length()) if self._size >> level & 1]
        return zip(reversed(levels), self._subtrees, strict=True)

    def root(self) -> bytes:
        return joined(self._subtrees) if self._subtrees else EMPTY_ROOT

    def root_before(self, rest: bytes) -> bytes:
        """The root of the tree that ends with a subtree, not a full one, of which `rest` is the root."""
        return joined([*self._subtrees, rest])


def joined(subtrees: Sequence[bytes]) -> bytes:
    """The root over subtrees that stand side by side, each larger than the next."""
    *larger, root = subtrees
    for subtree in reversed(larger):
        root = node_hash(subtree, root)
    return root
