"""Sets of positions, in little memory."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from domain.errors import AuditError

_BLOCK_BITS = 13
_BLOCK_BYTES = 1 << (_BLOCK_BITS - 3)
_RANGE = re.compile(r"([1-9][0-9]{0,18})(?:-([1-9][0-9]{0,18}))?")
_BITS = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))
_SOME = re.compile(rb"[^\x00]", re.DOTALL)

Range = tuple[int, int]
"""The first position and the last."""


class InvalidPositions(AuditError):
    """A text that tells no set of positions."""


class Positions:
    """A set of positions: a bit each, in blocks that are made where there is one."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}

    def add(self, position: int) -> bool:
        """Whether it is new."""
        block = self._blocks.get(position >> _BLOCK_BITS)
        if block is None:
            block = self._blocks[position >> _BLOCK_BITS] = bytearray(_BLOCK_BYTES)
        index, bit = position >> 3 & _BLOCK_BYTES - 1, 1 << (position & 7)
        if block[index] & bit:
            return False
        block[index] |= bit
        return True

    def __iter__(self) -> Iterator[int]:
        """Ascending."""
        for number in sorted(self._blocks):
            block = self._blocks[number]
            for found in _SOME.finditer(block):
                first = (number << _BLOCK_BITS) + (found.start() << 3)
                for bit in _BITS[block[found.start()]]:
                    yield first + bit

    def ranges(self) -> Iterator[Range]:
        """The runs without a gap, ascending."""
        begin = last = None
        for position in self:
            if last is None or position != last + 1:
                if begin is not None and last is not None:
                    yield begin, last
                begin = position
            last = position
        if begin is not None and last is not None:
            yield begin, last


def ranges_text(ranges: Iterable[Range]) -> Iterator[str]:
    """As `1-500`, `502`: joined by commas they tell the set."""
    return (str(begin) if begin == last else f"{begin}-{last}" for begin, last in ranges)


def parse_ranges(text: str) -> list[Range]:
    """The inverse. Raises InvalidPositions for what does not ascend or is not written in the one way."""
    ranges: list[Range] = []
    for part in text.split(",") if text else ():
        found = _RANGE.fullmatch(part)
        begin, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not begin or begin > last or (ranges and begin <= ranges[-1][1] + 1) or (found and found[1] == found[2]):
            raise InvalidPositions(f"{part[:50]!r} is no position, nor a range of them that follows")
        ranges.append((begin, last))
    return ranges


def missing(ranges: Iterable[Range], of: Iterable[Range]) -> Iterator[Range]:
    """What is in `of` and not in `ranges`; both ascend."""
    there = chain(ranges, iter(lambda: (1 << 64, 1 << 64), None))
    begin, last = next(there)
    for wanted, until in of:
        while wanted <= until:
            while last < wanted:
                begin, last = next(there)
            if begin > wanted:
                yield wanted, min(until, begin - 1)
            wanted = last + 1  # noqa: PLW2901 - goes through the range.
