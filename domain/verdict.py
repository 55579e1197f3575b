"""What came of a verification, and what it tells on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from domain.stretch import Border
from domain.tampering import Tampering
from domain.values import JsonObject
from domain.words import Ledger, Position

OnProgress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being done, and how much of how much of it is."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a verification."""

    ledger: Ledger
    from_position: Position
    to_position: Position
    tampering: tuple[Tampering, ...]
    left_out: int = 0
    """How much more was found than is listed."""
    checked: tuple[str, ...] = ()
    """What was checked, in words."""
    not_checked: tuple[str, ...] = ()
    """What was not, in words."""
    end: Border | None = None
    """Where the next one may go on; None if anything is wrong."""

    @property
    def intact(self) -> bool:
        return not self.tampering

    @property
    def word(self) -> str:
        return "intact" if self.intact else "tampered"

    def as_json(self) -> JsonObject:
        """The report on it."""
        return {
            "verdict": self.word,
            "from_position": self.from_position,
            "to_position": self.to_position,
            "tampering": [one.as_json() | {"text": one.text} for one in self.tampering],
            "left_out": self.left_out,
            "checked": [*self.checked],
            "not_checked": [*self.not_checked],
        }


@dataclass(frozen=True, slots=True)
class TablesChecked:
    """What came of comparing the read tables with the ledger."""

    tampering: Sequence[Tampering]
    checked: Sequence[str]
    not_checked: Sequence[str]
