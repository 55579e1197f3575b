"""Rows of evidence, one behind the other in a few long texts.

So they cross from process to process as cheaply as may be.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from struct import pack, unpack

from domain.exported import Evidence

NOTHING = -1
"""The length of personal data that are not there."""

_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """Numbers are big-endian; whoever makes one sees to it that the lengths fit."""

    positions: bytes
    """8 bytes each."""
    record_lengths: bytes
    """4 bytes each, as those of the personal data are."""
    records: bytes
    personal_lengths: bytes
    personal: bytes
    leaf_hashes: bytes
    """32 bytes each."""
    chain_hashes: bytes

    @classmethod
    def of(cls, rows: Iterable[Evidence]) -> "EvidencePage":
        found = list(rows)
        count = len(found)
        positions, records, personal, leaves, chains = zip(*found, strict=True) if found else ((),) * 5
        return cls(
            pack(f"!{count}q", *positions),
            pack(f"!{count}i", *map(len, records)),
            b"".join(records),
            pack(f"!{count}i", *[NOTHING if one is None else len(one) for one in personal]),
            b"".join([one or b"" for one in personal]),
            b"".join(leaves),
            b"".join(chains),
        )

    @property
    def size(self) -> int:
        """How many rows it has."""
        return len(self.positions) // 8

    @property
    def longest(self) -> int:
        """How many bytes the longest text has."""
        return max(unpack(f"!{2 * self.size}i", self.record_lengths + self.personal_lengths), default=0)

    def numbers(self) -> tuple[int, ...]:
        """The positions."""
        return unpack(f"!{self.size}q", self.positions)

    def rows(self) -> Iterator[Evidence]:
        records = _cut(self.records, unpack(f"!{self.size}i", self.record_lengths))
        hashes = range(0, len(self.leaf_hashes), _HASH_BYTES)
        leaves, chains = ([of[at : at + _HASH_BYTES] for at in hashes] for of in (self.leaf_hashes, self.chain_hashes))
        return map(Evidence, self.numbers(), records, self._personal(), leaves, chains)

    def split(self, count: int) -> "tuple[EvidencePage, EvidencePage]":
        """The first rows, and the others."""
        rows = list(self.rows())
        return EvidencePage.of(rows[:count]), EvidencePage.of(rows[count:])

    def _personal(self) -> Sequence[bytes | None]:
        lengths = unpack(f"!{self.size}i", self.personal_lengths)
        if NOTHING not in lengths:
            return _cut(self.personal, lengths)
        cut = _cut(self.personal, [max(length, 0) for length in lengths])
        return [None if length == NOTHING else one for length, one in zip(lengths, cut, strict=True)]


def _cut(texts: bytes, lengths: Iterable[int]) -> list[bytes]:
    return [texts[begin:end] for begin, end in pairwise(accumulate(lengths, initial=0))]
