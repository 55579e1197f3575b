"""The check of a stretch of a ledger: events that follow one another, from a border to a border.

Stretches are checked apart from one another, on as many cores as there are; `domain.verification` joins them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from domain.chain import chain_hash, genesis
from domain.frontier import Frontier
from domain.merkle import leaf_hash, paired
from domain.stored_row import Fault, StoredRow, agrees, fault
from domain.tampering import Tampering, TamperingKind, Tamperings
from domain.words import Ledger, Position

_BROKEN = (
    TamperingKind.CHAIN_BROKEN,
    "the event does not follow from the one before it: it was replaced, or what stood before it was",
)
_CHAIN_HASH = "the chain hash is not that of the event, from which the next one follows all the same"
_LEAF_HASH = (TamperingKind.LEAF_HASH_ALTERED, "the leaf hash is not that of the record, which the chain confirms")
_RECORD = (TamperingKind.RECORD_ALTERED, "the record is not the one that was recorded: it does not have the leaf hash")
_TIME = (TamperingKind.TIME_ORDER, "the event was not recorded after the one before it")
_MISSING = "the event is missing"
_SUPERFLUOUS = "an event stands where there is no place for one"
_INSERTED = "the event was inserted: the next one follows from the one before it"


@dataclass(frozen=True, slots=True)
class Border:
    """Between two events: what all before it comes to."""

    position: Position
    """Of the event before it."""
    chain_hash: bytes | None
    """None if it is not known, since that event is missing or wrong."""
    recorded_at: datetime | None
    """None before the first event, or if it is not known."""

    @classmethod
    def beginning(cls, ledger: Ledger) -> "Border":
        return cls(Position(0), genesis(ledger), None)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What came of the check of a stretch."""

    start: Border
    end: Border
    tampering: tuple[Tampering, ...]
    left_out: int
    tree: Frontier | None
    """The tree over the stretch alone; None if there is none, since events are missing or too many."""
    trees: Mapping[int, Frontier] = field(default_factory=dict)
    """The same up to each of the sizes asked for that lies in it."""

    @property
    def ends_in_doubt(self) -> bool:
        """Whether its last event is missing or wrong, so that the next cannot be judged by it."""
        return self.end.chain_hash is None


RUN_UP = 2
"""How many events before a stretch are judged with it, so that it knows what to make of the first of its own."""


class StretchCheck:
    """Takes rows in the order of positions, up to position `end`, and judges those after `start`.

    Memory grows by 32 bytes an event.
    """

    def __init__(
        self, ledger: Ledger, before: Border, start: Position, end: Position, sizes: Collection[int] = ()
    ) -> None:
        """`before` is what is stored where the rows begin, RUN_UP events before `start` if there are so many."""
        self._ledger = ledger
        self._start = before
        self._running_up = before.position < start
        self._start_position = start
        self._end = end
        self._sizes = sizes
        self._next = before.position + 1
        self._previous = before.chain_hash
        self._before_previous: bytes | None = None
        self._instead: bytes | None = None
        """What the chain hash of the last event should be, if it is another."""
        self._last_time = before.recorded_at
        self._leaves: list[bytes] = []
        self._whole = True
        self._found = Tamperings()

    def take(self, rows: Sequence[StoredRow]) -> None:
        done = self._run_up(rows) if self._running_up else 0
        while (done := self._take_good(rows, done)) < len(rows):
            self._judge(rows[done])
            done += 1

    def result(self) -> Stretch:
        if self._running_up:
            self._begin()
        if self._next <= self._end:
            self._miss_until(self._end)
        end = Border(self._end, self._previous, self._last_time)
        levels = _levels(self._leaves)
        begin, count = self._start.position, len(self._leaves)
        trees = {size: _tree(levels, size - begin) for size in self._sizes if begin < size <= begin + count}
        tree = _tree(levels, count) if self._whole else None
        return Stretch(self._start, end, self._found.all(), self._found.left_out, tree, trees)

    def _run_up(self, rows: Sequence[StoredRow]) -> int:
        """Take the rows before the stretch; the number of the first that belongs to it."""
        for number, row in enumerate(rows):
            if row[0] > self._start_position:
                self._begin()
                return number
            self._judge(row)
        return len(rows)

    def _begin(self) -> None:
        """Forget what was found before the stretch: that is told by who checks what is there."""
        if self._next <= self._start_position:
            self._miss_until(self._start_position)
        self._start = Border(self._start_position, self._previous, self._last_time)
        self._running_up, self._whole = False, True
        self._found, self._leaves = Tamperings(), []

    def _take_good(self, rows: Sequence[StoredRow], done: int) -> int:
        """Take rows from number `done` on while they are good; the number of the first that may be bad.

        One loop over local names, since it runs for every event there is.
        """
        previous, last_time = self._previous, self._last_time
        if previous is None or last_time is None or not self._whole:
            return done
        ledger, digest, before, expected = self._ledger, sha256, self._before_previous, self._next
        leaves = []
        for number in range(done, len(rows)):
            row = rows[number]
            leaf, chain, time = row[8], row[9], row[5]
            if not (
                row[0] == expected
                and digest(b"\x00" + row[6]).digest() == leaf
                and digest(b"\x02" + previous + leaf).digest() == chain
                and time > last_time
                and agrees(ledger, row)
            ):
                break
            before, previous, last_time = previous, chain, time
            expected += 1
            leaves.append(leaf)
        self._previous, self._last_time, self._before_previous, self._next = previous, last_time, before, expected
        self._leaves += leaves
        if leaves:
            self._instead = None
        return done + len(leaves)

    def _judge(self, row: StoredRow) -> None:
        """Take one row that may be bad, and say what is wrong with it: one thing, the most telling."""
        position = row[0]
        if position < self._next:
            self._add(position, (TamperingKind.SUPERFLUOUS, _SUPERFLUOUS))
            self._whole = False
            return
        if position > self._next:
            self._miss_until(position - 1)
        self._next = position + 1
        found = leaf_hash(row[6])
        self._look_back(row, found)
        vouched = self._vouched(row, found)
        wrong = self._fault(row, found, vouched)
        if wrong is not None:
            self._add(position, wrong)
        if self._whole:
            self._leaves.append(vouched or row[8])
        self._move(row, found, linked=self._previous is not None and vouched is not None, good=wrong is None)

    def _vouched(self, row: StoredRow, found: bytes) -> bytes | None:
        """The leaf hash, that of the record or the stored one, from which the chain goes on; None for neither.

        If the chain is not known before the event, it is taken at its word.
        """
        if self._previous is None:
            return found if found == row[8] else row[8]
        return next((leaf for leaf in (found, row[8]) if chain_hash(self._previous, leaf) == row[9]), None)

    def _look_back(self, row: StoredRow, found: bytes) -> None:
        """See from what the event follows, if not from the one before it: that tells what is wrong with that one.

        From what its chain hash should have been, it has only lost that. From the last but one, it was inserted.
        """
        if self._instead is not None and chain_hash(self._instead, found) == row[9]:
            self._found.add(Tampering.at(TamperingKind.CHAIN_HASH_ALTERED, row[0] - 1, _CHAIN_HASH))
        if self._previous is None or self._before_previous is None:
            return
        if chain_hash(self._before_previous, found) == row[9]:
            self._add(row[0] - 1, (TamperingKind.INSERTED, _INSERTED))
            self._whole = False
            self._previous = self._before_previous

    def _fault(self, row: StoredRow, found: bytes, vouched: bytes | None) -> Fault | None:
        if found != row[8]:
            return _LEAF_HASH if vouched == found else _RECORD
        wrong = fault(self._ledger, row)
        if wrong is not None:
            return wrong
        if self._previous is not None and chain_hash(self._previous, found) != row[9]:
            return _BROKEN
        if self._last_time is not None and row[5] <= self._last_time:
            return _TIME
        return None

    def _move(self, row: StoredRow, found: bytes, *, linked: bool, good: bool) -> None:
        """Go on behind the event. By one whose chain hash is in doubt the next is not judged."""
        self._instead = None if linked or self._previous is None else chain_hash(self._previous, found)
        self._before_previous = self._previous
        self._previous = row[9] if good or linked else None
        if good:
            self._last_time = row[5]

    def _miss_until(self, last: int) -> None:
        self._found.add(Tampering.at(TamperingKind.MISSING, self._next, _MISSING, last))
        self._previous = self._before_previous = self._instead = None
        self._whole = False
        self._next = last + 1

    def _add(self, position: int, wrong: Fault) -> None:
        kind, message = wrong
        self._found.add(Tampering.at(kind, position, message))


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    """All full subtrees over the leaves, from the leaves up."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        levels.append(paired(levels[-1]))
    return levels


def _tree(levels: Sequence[Sequence[bytes]], count: int) -> Frontier:
    """The tree over the first `count` leaves."""
    bits = [level for level in reversed(range(count.bit_length())) if count >> level & 1]
    return Frontier(count, [levels[level][(count >> level) - 1] for level in bits])
