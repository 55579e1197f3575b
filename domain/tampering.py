"""What verification finds where a ledger is not as it was recorded: stable codes, and words for auditors."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.json_value import JsonObject
from domain.words import Position


class TamperingKind(StrEnum):
    """What is wrong, in a code that stays the same for ever."""

    MISSING = "event-missing"
    TAIL_CUT = "tail-cut"
    SUPERFLUOUS = "event-superfluous"
    INSERTED = "event-inserted"
    BEYOND_HEAD = "event-beyond-head"
    HEAD_MISSING = "head-missing"
    HEAD_ALTERED = "head-altered"
    UNREADABLE = "record-unreadable"
    NOT_CANONICAL = "record-not-canonical"
    RECORD_ALTERED = "record-altered"
    LEAF_HASH_ALTERED = "leaf-hash-altered"
    CHAIN_HASH_ALTERED = "chain-hash-altered"
    CHAIN_BROKEN = "chain-broken"
    FOREIGN = "event-of-another-ledger"
    MOVED = "event-moved"
    COLUMN_ALTERED = "column-altered"
    PERSONAL_ALTERED = "personal-data-altered"
    PERSONAL_MISSING = "personal-data-missing"
    PERSONAL_ADDED = "personal-data-added"
    TIME_ORDER = "time-order"
    VERSION_GAP = "entity-version"
    REWRITTEN = "history-rewritten"
    CHECKPOINT_FORGED = "checkpoint-forged"
    TABLE_ALTERED = "table-altered"
    TABLE_AHEAD = "table-ahead"


@dataclass(frozen=True, slots=True)
class Tampering:
    """One thing that is wrong, from one position to another."""

    kind: TamperingKind
    position: Position
    """The first position that it is about."""
    message: str
    """What is wrong there, in words that quote nothing of what is stored."""
    last_position: Position
    table: str | None = None
    """The read table that it is about; None for the ledger itself."""

    @classmethod
    def at(cls, kind: TamperingKind, position: int, message: str, last: int | None = None) -> "Tampering":
        return cls(kind, Position(position), message, Position(position if last is None else last))

    @property
    def text(self) -> str:
        """One sentence for people, that begins with the place."""
        return f"{self._place}: {self.message}"

    @property
    def _place(self) -> str:
        if self.table is not None and not self.position:
            return f"table {self.table}"
        where = f"table {self.table}, " if self.table is not None else ""
        if self.last_position > self.position:
            return f"{where}positions {self.position} to {self.last_position}"
        return f"{where}position {self.position}"

    def as_json(self) -> JsonObject:
        return {
            "kind": self.kind,
            "position": self.position,
            "last_position": self.last_position,
            "table": self.table,
            "message": self.message,
        }


_BETTER = {TamperingKind.CHAIN_BROKEN: TamperingKind.CHAIN_HASH_ALTERED}
"""What the next event may tell of the last."""


class Tamperings:
    """What was found, in the order of positions: neighbours of the same kind as one, and no more than are of use."""

    MOST = 1000

    def __init__(self) -> None:
        self._found: list[Tampering] = []
        self.left_out = 0
        """How many more were found than are kept."""

    def add(self, tampering: Tampering) -> None:
        """Of one thing that was found before, it says better what it is."""
        last = self._found[-1] if self._found else None
        if last is not None and tampering.kind is _BETTER.get(last.kind) and last.position == tampering.position:
            self._found[-1] = tampering
        elif last is not None and _continues(last, tampering):
            self._found[-1] = replace(last, last_position=tampering.last_position)
        elif len(self._found) < self.MOST:
            self._found.append(tampering)
        else:
            self.left_out += 1

    def extend(self, found: Iterable[Tampering]) -> None:
        for tampering in found:
            self.add(tampering)

    def __bool__(self) -> bool:
        return bool(self._found)

    def all(self) -> tuple[Tampering, ...]:
        return tuple(sorted(self._found, key=lambda one: (one.table or "", one.position)))


def _continues(last: Tampering, following: Tampering) -> bool:
    return (last.kind, last.message, last.table, last.last_position + 1) == (
        following.kind,
        following.message,
        following.table,
        following.position,
    )
