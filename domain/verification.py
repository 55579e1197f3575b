"""The verification of a ledger: stretches joined from its beginning on, against its head and kept checkpoints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from domain.checkpoint import Checkpoint
from domain.frontier import Frontier
from domain.ledger import Head
from domain.stretch import Border, Stretch
from domain.tampering import Tampering, TamperingKind, Tamperings
from domain.verdict import Verdict
from domain.words import Ledger, Position

STRETCH = 1 << 14
"""How many events are checked in one go, a power of two: then the trees over stretches join."""

_TREE_STAYS = frozenset(
    {
        TamperingKind.RECORD_ALTERED,
        TamperingKind.LEAF_HASH_ALTERED,
        TamperingKind.CHAIN_HASH_ALTERED,
        TamperingKind.COLUMN_ALTERED,
        TamperingKind.PERSONAL_ALTERED,
        TamperingKind.PERSONAL_MISSING,
        TamperingKind.PERSONAL_ADDED,
        TamperingKind.CHECKPOINT_FORGED,
    }
)
"""What leaves the tree as it was, so that it cannot be why a checkpoint does not fit."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What a ledger says that it holds, all read at one moment."""

    head: Head | None
    last: Position
    """The greatest position at which an event stands; 0 without events."""

    @property
    def end(self) -> Position:
        """How far it is verified."""
        return self.last if self.head is None else self.head.position


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """A checkpoint whose signature holds, and where it was kept, in words."""

    checkpoint: Checkpoint
    where: str

    @property
    def size(self) -> int:
        return self.checkpoint.size


@dataclass(frozen=True, slots=True)
class Trusted:
    """What is taken as verified before: all up to a border, and the tree over that if it is known."""

    border: Border
    tree: Frontier | None

    @classmethod
    def nothing(cls, ledger: Ledger) -> "Trusted":
        return cls(Border.beginning(ledger), Frontier())


def spans(start: Position, end: Position) -> Iterator[tuple[Position, Position]]:
    """The stretches from after `start` to `end`, each (before its first, its last): aligned, so that trees join."""
    while start < end:
        size = min(start & -start, STRETCH) if start else STRETCH
        following = Position(min(start + size, end))
        yield start, following
        start = following


class LedgerCheck:
    """Joins stretches that were checked apart, which must come in their order. Owned by one task.

    Memory does not grow with the ledger.
    """

    def __init__(
        self, ledger: Ledger, extent: Extent, given: Sequence[KeptCheckpoint], trusted: Trusted | None = None
    ) -> None:
        """`given` are checkpoints that were kept outside the database: a few."""
        begins = trusted or Trusted.nothing(ledger)
        self._ledger = ledger
        self._extent = extent
        self._given = given
        self._from = begins.border.position
        self._border = begins.border
        self._in_doubt = begins.border.chain_hash is None
        self._tree = begins.tree and Frontier(begins.tree.size, begins.tree.subtrees)
        self._agreed = self._from
        """The size of the last checkpoint that fits."""
        self._first_misfit: Tampering | None = None
        self.compared = 0
        """How many checkpoints were compared with the tree."""
        self._not_compared = sum(1 for one in given if one.size < self._from)
        self._found = Tamperings()
        self._left_out = 0

    @property
    def sizes(self) -> list[int]:
        """The sizes at which the trees of the given checkpoints are wanted."""
        return sorted({one.size for one in self._given if self._from < one.size <= self._extent.end})

    @property
    def clean(self) -> bool:
        """Whether nothing was found yet."""
        return not self._found and self._first_misfit is None

    def join(self, stretch: Stretch, stored: Sequence[KeptCheckpoint]) -> None:
        """Add the next stretch; `stored` are the checkpoints in the database whose sizes lie in it."""
        if not self._in_doubt and stretch.start.chain_hash != self._border.chain_hash:
            message = "the chain hash is not the one that was verified before"
            self._found.add(Tampering.at(TamperingKind.CHAIN_BROKEN, stretch.start.position, message))
        self._found.extend(stretch.tampering)
        self._left_out += stretch.left_out
        self._compare(stretch, stored)
        self._border = stretch.end
        self._in_doubt = stretch.ends_in_doubt

    def add(self, tampering: Tampering) -> None:
        """What was found in another way."""
        self._found.add(tampering)

    def verdict(self, checked: Sequence[str] = (), not_checked: Sequence[str] = ()) -> Verdict:
        """All that was found, once the last stretch is joined."""
        judged = Tamperings()
        judged.extend(self._with_tail_named())
        for tampering in (*self._at_the_end(), *self._misfit(), *self._too_large()):
            judged.add(tampering)
        found = judged.all()
        unknown = (f"{self._not_compared} checkpoints, where the tree is not known",) if self._not_compared else ()
        return Verdict(
            self._ledger,
            Position(self._from + 1) if self._extent.end > self._from else self._from,
            self._extent.end,
            found,
            self._left_out + self._found.left_out + judged.left_out,
            tuple(checked),
            (*not_checked, *unknown),
            None if found else self._border,
        )

    def _compare(self, stretch: Stretch, stored: Sequence[KeptCheckpoint]) -> None:
        """Compare the checkpoints in a stretch with the tree, and let that grow."""
        begin, end = stretch.start.position, stretch.end.position
        given = [one for one in self._given if begin < one.size <= end]
        for one in sorted((*given, *stored), key=lambda kept: kept.size):
            part = stretch.trees.get(one.size)
            if self._tree is None or part is None:
                # Without a part of its own in a whole stretch, it was signed since that was read.
                self._not_compared += self._tree is None or stretch.tree is None
                continue
            tree = Frontier(self._tree.size, self._tree.subtrees)
            tree.merge(part)
            self._judge(one, tree.root())
        if stretch.tree is None:
            self._tree = None
        elif self._tree is not None:
            self._tree.merge(stretch.tree)

    def _judge(self, kept: KeptCheckpoint, root: bytes) -> None:
        self.compared += 1
        if root == kept.checkpoint.root:
            self._agreed = Position(kept.size)
        elif self._first_misfit is None:
            self._first_misfit = rewritten(self._agreed + 1, kept)

    def _with_tail_named(self) -> Iterator[Tampering]:
        """What was found; events that are missing up to the head are a tail that was cut."""
        for tampering in self._found.all():
            if tampering.kind is TamperingKind.MISSING and tampering.last_position == self._extent.end:
                message = f"the end of the ledger was cut off: its head says that it has {self._extent.end} events"
                yield replace(tampering, kind=TamperingKind.TAIL_CUT, message=message)
            else:
                yield tampering

    def _at_the_end(self) -> Iterator[Tampering]:
        head, last = self._extent.head, self._extent.last
        if self._from > self._extent.end:
            message = f"the end of the ledger was cut off: it was verified up to position {self._from} before"
            yield Tampering.at(TamperingKind.TAIL_CUT, self._extent.end + 1, message, self._from)
        if head is None and last:
            yield Tampering.at(TamperingKind.HEAD_MISSING, last, "the ledger has events, but no head")
        if head is None:
            return
        if last > head.position:
            message = f"events stand behind the head, which says that there are {head.position}"
            yield Tampering.at(TamperingKind.BEYOND_HEAD, head.position + 1, message, last)
            return
        border = self._border
        if self._in_doubt or border.position != head.position or self._found:
            return
        if (head.chain_hash, head.recorded_at) != (border.chain_hash, border.recorded_at):
            message = "the head of the ledger is not what its last event comes to"
            yield Tampering.at(TamperingKind.HEAD_ALTERED, head.position, message)

    def _misfit(self) -> Iterator[Tampering]:
        """The first checkpoint that does not fit, unless what was found explains that."""
        misfit = self._first_misfit
        if misfit is not None and not any(
            one.kind not in _TREE_STAYS and misfit.position <= one.position <= misfit.last_position
            for one in self._found.all()
        ):
            yield misfit

    def _too_large(self) -> Iterator[Tampering]:
        """The largest checkpoint of more events than there are."""
        largest = max(self._given, key=lambda one: one.size, default=None)
        if largest is not None and largest.size > max(self._extent.end, self._extent.last):
            message = (
                f"the end of the ledger was cut off: the checkpoint of size {largest.size} in {largest.where} "
                f"was signed when there were so many events, and now there are {self._extent.end}"
            )
            yield Tampering.at(TamperingKind.TAIL_CUT, self._extent.end + 1, message, largest.size)


def rewritten(first: int, kept: KeptCheckpoint) -> Tampering:
    """A checkpoint that was signed for another tree; `first` is the first position that may be why."""
    message = (
        f"history was rewritten: the checkpoint of size {kept.size} in {kept.where} was signed for other events, "
        "the first of which is one of these"
    )
    return Tampering.at(TamperingKind.REWRITTEN, first, message, kept.size)
