"""Sets of positions and the text that tells them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.positions import InvalidPositions, Positions, missing, parse_ranges, ranges_text

_few = st.sets(st.integers(1, 60) | st.integers(1, 2**60), max_size=40)


def _of(numbers: set[int]) -> Positions:
    positions = Positions()
    assert all(positions.add(number) for number in numbers)
    return positions


@given(_few)
def test_a_set_is_told_and_understood(numbers: set[int]) -> None:
    """Ascending, in ranges."""
    positions = _of(numbers)
    assert list(positions) == sorted(numbers)
    assert not any(positions.add(number) for number in numbers)
    assert parse_ranges(",".join(ranges_text(positions.ranges()))) == list(positions.ranges())


@given(st.sets(st.integers(1, 60), max_size=40), st.sets(st.integers(1, 60), max_size=40))
def test_what_is_missing_is_named(there: set[int], wanted: set[int]) -> None:
    """As a set difference would."""
    found = missing(_of(there).ranges(), _of(wanted).ranges())
    assert [number for begin, last in found for number in range(begin, last + 1)] == sorted(wanted - there)


@pytest.mark.parametrize("text", ["0", "1-1", "2-1", "1,1", "1,2", "3,1", "1-3,2", "x", "01", "1-", ",", "1,,3", " 1"])
def test_there_is_one_way_to_tell_a_set(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidPositions):
        parse_ranges(text)
