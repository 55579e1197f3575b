"""One proof for many leaves of a tree, in which each hash stands once.

It holds the roots of the largest subtrees without any of the leaves, from left to right. So it is made and checked
while leaves stream by, in memory for one path.
"""

from collections.abc import Iterable, Iterator

from domain.frontier import Frontier
from domain.merkle import Node, ProofError, check_hashes

_RUN = 1024


def multiproof_nodes(size: int, indexes: Iterable[int]) -> Iterator[Node]:
    """The nodes that prove the leaves at these indexes, which ascend, in a tree of this size.

    Raises ProofError at an index that does not ascend, or that is not in the tree.
    """
    expected = 0
    for index in indexes:
        if index != expected:
            _check(index, expected, size)
            yield from _gap(expected, index, size)
        expected = index + 1
    if expected > size:
        raise ProofError(f"there is no leaf {expected - 1} in a tree of {size} leaves")
    yield from _gap(expected, size, size)


def verify_multiproof(size: int, leaves: Iterable[tuple[int, bytes]], nodes: Iterable[bytes], root: bytes) -> None:
    """Check that leaves, by ascending index, are those of the tree with this root. Raises ProofError.

    `nodes` are the hashes of `multiproof_nodes`, in its order. The root must be that of a tree of this size, as a
    signed checkpoint says.
    """
    tree, rest, run = Frontier(), iter(nodes), list[bytes]()
    expected = 0
    for index, leaf_hash in leaves:
        if index != expected or len(run) == _RUN:
            tree.extend(run)
            run.clear()
        if index != expected:
            _check(index, expected, size)
            for node in _gap(expected, index, size):
                tree.append_subtree(node.level, _next(rest))
        check_hashes(leaf_hash)
        run.append(leaf_hash)
        expected = index + 1
    tree.extend(run)
    if expected > size:
        raise ProofError(f"there is no leaf {expected - 1} in a tree of {size} leaves")
    computed = _ended(tree, size, rest)
    if next(rest, None) is not None:
        raise ProofError("the proof has more hashes than the leaves need")
    if computed != root:
        raise ProofError(f"the leaves with their proof give the root {computed.hex()}, not {root.hex()}")


def _ended(tree: Frontier, size: int, rest: Iterator[bytes]) -> bytes:
    """The root, once what follows the last leaf is added."""
    for node in _gap(tree.size, size, size):
        begin, end = node.span(size)
        if end - begin != 1 << node.level:
            return tree.root_before(_next(rest))
        tree.append_subtree(node.level, _next(rest))
    return tree.root()


def _check(index: int, expected: int, size: int) -> None:
    if index < expected:
        raise ProofError(f"the index {index} does not follow {expected - 1}: indexes ascend, each once")
    if index >= size:
        raise ProofError(f"there is no leaf {index} in a tree of {size} leaves")


def _gap(begin: int, end: int, size: int) -> Iterator[Node]:
    """The largest subtrees of which the leaves from `begin` up to `end`, which is a leaf or the tree's, are made."""
    while begin < end:
        if end == size and (begin == 0 or end - begin <= begin & -begin):
            yield Node.over(begin, end)
            return
        largest = (end - begin).bit_length() - 1
        level = min(largest, (begin & -begin).bit_length() - 1) if begin else largest
        yield Node(level, begin >> level)
        begin += 1 << level


def _next(hashes: Iterator[bytes]) -> bytes:
    for found in hashes:
        check_hashes(found)
        return found
    raise ProofError("the proof has fewer hashes than the leaves need")
