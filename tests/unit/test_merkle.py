"""The Merkle tree: every leaf proves, every tree continues each of its beginnings, and nothing else does."""

from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.frontier import Frontier
from domain.merkle import (
    EMPTY_ROOT,
    Node,
    ProofError,
    consistency_nodes,
    consistency_path,
    inclusion_nodes,
    inclusion_path,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)

MOST = 1100
LEAVES = [leaf_hash(b"%d" % number) for number in range(MOST)]
SIZES = st.integers(0, MOST)

# RFC 6962's own example leaves, as certificate-transparency implementations publish them, and their roots.
KNOWN_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@cache
def hash_of(begin: int, end: int) -> bytes:
    """The tree over some leaves, by the definition of RFC 9162, section 2.1.1, word by word."""
    if end - begin == 1:
        return LEAVES[begin]
    half = 1 << (end - begin - 1).bit_length() - 1
    return sha256(b"\x01" + hash_of(begin, begin + half) + hash_of(begin + half, end)).digest()


def root(size: int) -> bytes:
    return hash_of(0, size) if size else EMPTY_ROOT


def hashes(nodes: Sequence[Node], size: int) -> list[bytes]:
    return [hash_of(*node.span(size)) for node in nodes]


def every_bit_changed(hash_: bytes) -> list[bytes]:
    number = int.from_bytes(hash_)
    return [(number ^ 1 << bit).to_bytes(32) for bit in range(256)]


def changed(hashes: Sequence[bytes], bit: int) -> list[list[bytes]]:
    """The hashes with one bit of one of them changed, each in turn."""
    return [[*hashes[:at], every_bit_changed(hashes[at])[bit], *hashes[at + 1 :]] for at in range(len(hashes))]


def refused(verify: Callable[..., None], *arguments: object) -> bool:
    try:
        verify(*arguments)
    except ProofError:
        return True
    return False


def test_known_trees_have_their_known_roots() -> None:
    """The vectors that implementations of certificate transparency share."""
    leaves = [leaf_hash(bytes.fromhex(data)) for data in KNOWN_LEAVES]
    assert [root_hash(leaves[:size]).hex() for size in range(1, 9)] == KNOWN_ROOTS
    assert root_hash([]) == EMPTY_ROOT == sha256().digest()


@given(SIZES)
def test_the_root_is_that_of_the_definition(size: int) -> None:
    """However it is computed: at once, or by a frontier that grows."""
    assert root_hash(LEAVES[:size]) == root(size)
    tree = Frontier()
    for leaf in LEAVES[:size]:
        tree.append(leaf)
    assert (tree.root(), tree.size) == (root(size), size)


@settings(max_examples=40)
@given(SIZES)
@example(0)
@example(1)
@example(256)
@example(MOST)
def test_every_leaf_of_a_tree_proves(size: int) -> None:
    """At its index, with the path that the definition gives; no path is longer than the tree is high."""
    for index in range(size):
        path = hashes(inclusion_nodes(index, size), size)
        assert len(path) <= (size - 1).bit_length()
        verify_inclusion(LEAVES[index], index, size, path, root(size))


@given(st.data())
def test_a_path_is_made_of_the_nodes_that_it_names(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    assert inclusion_path(LEAVES[:size], index) == hashes(inclusion_nodes(index, size), size)
    assert consistency_path(LEAVES[:size], first) == hashes(consistency_nodes(first, size), size)


@settings(max_examples=40)
@given(SIZES)
@example(0)
@example(512)
@example(MOST)
def test_a_tree_continues_each_of_its_beginnings(size: int) -> None:
    """The empty one among them, and itself."""
    for first in range(size + 1):
        path = hashes(consistency_nodes(first, size), size)
        verify_consistency(first, size, path, root(first), root(size))


@given(st.data())
def test_no_bit_of_an_inclusion_proof_may_change(data: st.DataObject) -> None:
    """Of the leaf, of the root, of each hash of the path, and of the index; nor may a hash come or go."""
    size = data.draw(st.integers(1, MOST))
    index, bit = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 255))
    path = inclusion_nodes(index, size)
    good = hashes(path, size)
    for leaf in every_bit_changed(LEAVES[index]):
        assert refused(verify_inclusion, leaf, index, size, good, root(size))
    for other_root in every_bit_changed(root(size)):
        assert refused(verify_inclusion, LEAVES[index], index, size, good, other_root)
    for other_path in [*changed(good, bit), good[:-1] if good else [root(size)], [*good, LEAVES[0]], [*good[1:], b""]]:
        assert refused(verify_inclusion, LEAVES[index], index, size, other_path, root(size))
    for other_index in [*(index ^ 1 << bit for bit in range(12)), -1, -index - 1]:
        assert refused(verify_inclusion, LEAVES[index], other_index, size, good, root(size))


@given(st.data())
def test_no_bit_of_a_consistency_proof_may_change(data: st.DataObject) -> None:
    """Of both roots, and of each hash of the path; nor may a hash come or go, or the smaller size change."""
    size = data.draw(st.integers(2, MOST))
    first, bit = data.draw(st.integers(1, size - 1)), data.draw(st.integers(0, 255))
    good = hashes(consistency_nodes(first, size), size)
    for other_root in every_bit_changed(root(first)):
        assert refused(verify_consistency, first, size, good, other_root, root(size))
    for other_root in every_bit_changed(root(size)):
        assert refused(verify_consistency, first, size, good, root(first), other_root)
    for other_path in [*changed(good, bit), good[:-1], [*good, LEAVES[0]], [*good[1:], b""]]:
        assert refused(verify_consistency, first, size, other_path, root(first), root(size))
    for other_first in [*(first ^ 1 << bit for bit in range(12)), -1]:
        assert refused(verify_consistency, other_first, size, good, root(first), root(size))


@given(st.data())
def test_a_size_of_another_shape_is_refused(data: st.DataObject) -> None:
    """A size at which the way from this leaf to the root turns otherwise; the others are bound by the signature."""
    size = data.draw(st.integers(1, MOST))
    index = data.draw(st.integers(0, size - 1))
    good = hashes(inclusion_nodes(index, size), size)
    for bit in range(12):
        other = size ^ 1 << bit
        if index >= other or turns(index, other) != turns(index, size):
            assert refused(verify_inclusion, LEAVES[index], index, other, good, root(size))


def turns(index: int, size: int) -> list[bool]:
    """For each hash of the path whether it stands left."""
    spans = [node.span(size) for node in inclusion_nodes(index, size)]
    return [end <= index for _, end in spans]


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (6, 5)])
def test_what_is_not_in_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ProofError, match=f"no leaf {index} in a tree of {size} leaves"):
        inclusion_path(LEAVES[:size], index)
    with pytest.raises(ProofError, match=f"no leaf {index} in a tree of {size} leaves"):
        verify_inclusion(LEAVES[0], index, size, [], root(size))


@pytest.mark.parametrize(("first", "size"), [(6, 5), (-1, 5), (1, 0)])
def test_what_is_no_beginning_has_no_proof(first: int, size: int) -> None:
    with pytest.raises(ProofError, match=f"{first} leaves is no beginning of a tree of {size} leaves"):
        consistency_path(LEAVES[:size], first)
    with pytest.raises(ProofError, match=f"{first} leaves is no beginning of a tree of {size} leaves"):
        verify_consistency(first, size, [], root(5), root(5))


@pytest.mark.parametrize("size", [0, 1, 7])
def test_where_nothing_needs_proof_nothing_else_passes(size: int) -> None:
    """Two trees of one size are the same, and the empty tree has its own root."""
    verify_consistency(size, size, [], root(size), root(size))
    for path, first, second in ([LEAVES[0]], root(size), root(size)), ([], LEAVES[8], root(size)):
        with pytest.raises(ProofError):
            verify_consistency(size, size, path, first, second)
    with pytest.raises(ProofError):
        verify_consistency(0, 7, [], root(1), root(7))


@given(st.lists(st.integers(0, 200), max_size=8))
def test_a_frontier_grows_by_any_number_of_leaves(steps: list[int]) -> None:
    """In constant memory, and it can be stopped and gone on with anywhere."""
    tree = Frontier()
    for step in steps:
        begin = tree.size
        tree.extend(LEAVES[(number % MOST)] for number in range(begin, begin + step))
        assert len(tree.subtrees) == tree.size.bit_count()
        tree = Frontier(tree.size, tree.subtrees)
    assert tree.root() == root_hash([LEAVES[number % MOST] for number in range(tree.size)])


@given(st.lists(st.integers(0, 3), max_size=20), st.integers(0, 64))
def test_trees_built_apart_join(chunks: list[int], last: int) -> None:
    """As several processes build them: chunks of one size, and at last a shorter one."""
    whole, leaves = Frontier(), list[bytes]()
    for salt, size in [*((salt, 64) for salt in chunks), (4, last)]:
        part = Frontier()
        part.extend(LEAVES[salt * 64 : salt * 64 + size])
        whole.merge(part)
        leaves += LEAVES[salt * 64 : salt * 64 + size]
    assert whole.root() == root_hash(leaves)


def test_a_subtree_stands_only_where_its_size_divides() -> None:
    tree = Frontier()
    tree.append(LEAVES[0])
    with pytest.raises(ProofError, match="after 1 leaves no subtree of 4"):
        tree.append_subtree(2, LEAVES[0])
    with pytest.raises(ProofError, match="a tree of 5 leaves has 2 full subtrees, not 1"):
        Frontier(5, [LEAVES[0]])


@given(st.integers(1, MOST), st.integers(0, 10), st.data())
def test_a_node_has_one_name(size: int, level: int, data: st.DataObject) -> None:
    """For its leaves, in a tree of this size."""
    number = data.draw(st.integers(0, (size - 1) >> level))
    begin, end = Node(level, number).span(size)
    assert Node.over(begin, end).span(size) == (begin, end)
    names = {Node.over(begin, end)} | {Node.over(*Node.over(begin, end).span(size))}
    assert len(names) == 1


def test_every_two_sizes_have_two_roots() -> None:
    """A tree that ends one leaf earlier is another tree."""
    assert all(root(one) != root(other) for one, other in pairwise(range(MOST)))
