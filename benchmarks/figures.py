"""What a benchmark found: our figure, a peer's on the same data in the same run, and their ratio."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from rich.table import Table

Measures = Mapping[str, float]
"""Numbers by their units, as `events/s` or `p99 ms`."""


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    work: str
    ours: Measures
    against: str = ""
    theirs: Measures = field(default_factory=dict)
    ratio: float | None = None
    """Ours to the peer's, the more the better; None where there is nothing to compare."""
    wanted: float | None = None
    """The ratio that is asked for at least; None where the figure only informs."""

    @property
    def verdict(self) -> str:
        if self.wanted is None or self.ratio is None:
            return "-"
        return "met" if self.ratio >= self.wanted else "MISSED"

    def line(self) -> str:
        """In short, for those who wait for the table."""
        ratio = "" if self.ratio is None else f", ratio {self.ratio:.2f}"
        return f"{self.work}: {_text(self.ours)}{ratio}"

    def as_json(self) -> dict[str, Any]:
        return {
            "work": self.work,
            "ours": dict(self.ours),
            "against": self.against,
            "theirs": dict(self.theirs),
            "ratio": self.ratio,
            "wanted": self.wanted,
            "verdict": self.verdict,
        }


def table(figures: Sequence[Figure]) -> Table:
    drawn = Table("work", "ours", "against", "peer's", "ratio", "wanted", "verdict")
    for figure in figures:
        drawn.add_row(
            figure.work,
            _text(figure.ours),
            figure.against,
            _text(figure.theirs),
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            "" if figure.wanted is None else f">= {figure.wanted:g}",
            figure.verdict,
            style="bold red" if figure.verdict == "MISSED" else None,
        )
    return drawn


def per_second(count: int, seconds: float) -> Measures:
    return {"events/s": count / seconds}


def compared(work: str, ours: Measures, against: str, theirs: Measures, wanted: float | None = None) -> Figure:
    """Two rates of events side by side."""
    return Figure(work, ours, against, theirs, ours["events/s"] / theirs["events/s"], wanted)


def at_most(work: str, unit: str, ours: float, bound: float) -> Figure:
    """One measure that shall not be above its bound; the ratio is how often it goes into it."""
    return Figure(work, {unit: ours}, "the most that is asked for", {unit: bound}, bound / ours, 1)


def latencies(seconds: Sequence[float]) -> Measures:
    """The median and the 99th percentile, in milliseconds."""
    return {"p50 ms": median(seconds) * 1000, "p99 ms": quantiles(seconds, n=100, method="inclusive")[98] * 1000}


def _text(measures: Measures) -> str:
    """As `12,345 events/s, p50 1.20 ms`."""
    return ", ".join(_with_unit(value, unit) for unit, value in measures.items())


def _with_unit(value: float, unit: str) -> str:
    *before, unit = unit.split()
    number = f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
    return " ".join([*before, number, unit])
