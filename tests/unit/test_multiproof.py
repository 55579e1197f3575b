"""One proof for many leaves, in which each hash stands once."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.merkle import ProofError, inclusion_nodes
from domain.multiproof import multiproof_nodes, verify_multiproof
from tests.unit.test_merkle import LEAVES, MOST, every_bit_changed, hashes, root


@st.composite
def chosen(draw: st.DrawFn) -> tuple[int, list[int]]:
    """A size, and some of its indexes: alone and in runs."""
    size = draw(st.integers(0, MOST))
    runs = draw(st.lists(st.tuples(st.integers(0, MOST), st.sampled_from([1, 1, 2, 9, 300])), max_size=12))
    return size, sorted({index for begin, length in runs for index in range(begin, min(begin + length, size))})


def leaves(indexes: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    return ((index, LEAVES[index]) for index in indexes)


@given(chosen())
def test_the_leaves_prove(asked: tuple[int, list[int]]) -> None:
    size, indexes = asked
    proof = hashes(list(multiproof_nodes(size, indexes)), size)
    verify_multiproof(size, leaves(indexes), iter(proof), root(size))


@given(chosen())
def test_it_holds_what_single_proofs_hold_each_once(asked: tuple[int, list[int]]) -> None:
    """But for what follows from the leaves themselves; from left to right."""
    size, indexes = asked
    nodes = list(multiproof_nodes(size, indexes))
    spans = [node.span(size) for node in nodes]
    assert spans == sorted(set(spans))
    single = {node for index in indexes for node in inclusion_nodes(index, size)}
    needed = {
        node
        for node in single
        if not any(begin <= index < end for index in indexes for begin, end in [node.span(size)])
    }
    if indexes:
        assert set(nodes) == needed
    covered = {index for begin, end in spans for index in range(begin, end)}
    assert covered == set(range(size)) - set(indexes)


@given(chosen(), st.data())
def test_nothing_of_it_may_change(asked: tuple[int, list[int]], data: st.DataObject) -> None:
    """No bit of a hash, a leaf or the root; no hash and no leaf may come or go, and no leaf may move."""
    size, indexes = asked
    proof = hashes(list(multiproof_nodes(size, indexes)), size)
    bit = data.draw(st.integers(0, 255))

    def refused(leaves: Iterable[tuple[int, bytes]], nodes: list[bytes], claimed: bytes) -> None:
        with pytest.raises(ProofError):
            verify_multiproof(size, leaves, iter(nodes), claimed)

    refused(leaves(indexes), proof, every_bit_changed(root(size))[bit])
    refused(leaves(indexes), [*proof, LEAVES[0]], root(size))
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        refused(leaves(indexes), [*proof[:at], every_bit_changed(proof[at])[bit], *proof[at + 1 :]], root(size))
        refused(leaves(indexes), [*proof[:at], *proof[at + 1 :]], root(size))
    if indexes:
        at = data.draw(st.integers(0, len(indexes) - 1))
        mine = list(leaves(indexes))
        refused(
            [*mine[:at], (indexes[at], every_bit_changed(LEAVES[indexes[at]])[bit]), *mine[at + 1 :]], proof, root(size)
        )
        refused([*mine[:at], *mine[at + 1 :]], proof, root(size))
        moved = indexes[at] ^ 1 << data.draw(st.integers(0, 10))
        refused([*mine[:at], (moved, LEAVES[indexes[at]]), *mine[at + 1 :]], proof, root(size))


@pytest.mark.parametrize(
    ("indexes", "words"),
    [([3, 3], "does not follow 3"), ([3, 2], "does not follow 3"), ([0, 9], "no leaf 9"), ([*range(6)], "no leaf 5")],
)
def test_indexes_ascend_within_the_tree(indexes: list[int], words: str) -> None:
    with pytest.raises(ProofError, match=words):
        list(multiproof_nodes(5, indexes))
    with pytest.raises(ProofError, match=words):
        verify_multiproof(5, leaves(indexes), iter([LEAVES[0]] * 9), root(5))


def test_it_streams() -> None:
    """A billion leaves with three of them asked for: what is made is a few hashes, and nothing waits for the end."""
    asked = iter([0, 500_000_000, 999_999_999])
    nodes = multiproof_nodes(10**9, asked)
    first = next(nodes)
    assert (first, next(asked)) == ((0, 1), 999_999_999)
    assert len(list(multiproof_nodes(10**9, [0, 500_000_000, 999_999_999]))) < 90
    assert list(multiproof_nodes(1_000_000, range(1_000_000))) == []
