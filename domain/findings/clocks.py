"""Times that cannot be right: the module's clock against ours."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from domain.event import AuditEvent
from domain.findings.finding import (
    Finding,
    Found,
    Memory,
    Rule,
    Severity,
    evidence,
    moment,
    occurred,
)
from domain.findings.thresholds import Thresholds

_LEARNING = 20
"""The first events of a source only show how late it usually is."""

_WEIGHT = 0.05
_TIMES_USUAL = 3
_MOST = 50


class ClockSkew(Rule):
    """An event from the future proves that a clock is wrong. One from the past may just be late: it counts if it
    is much later than is usual for its source, so that an import of old events, which are all late, is none."""

    name = "clock_skew"
    severity = Severity.MEDIUM
    title = "A source's times do not agree with ours"
    controls = ("NIST SP 800-53 AU-8", "PCI DSS 10.6.1", "CA/B BR 5.4.1 (3.5)")

    def __init__(self, thresholds: Thresholds) -> None:
        self._ahead = thresholds.clock_ahead
        self._late = thresholds.late

    def subjects(self, event: AuditEvent) -> Iterable[str]:
        return [str(event.facts["source"])]

    def judge(self, event: AuditEvent, memory: Memory) -> Found:
        source = str(event.facts["source"])
        known = memory.get(self.name, source)
        lag = (event.timestamp - moment(occurred(event))).total_seconds()
        if lag < -self._ahead.total_seconds():
            yield self._skewed(event, known, source, "ahead", lag)
        elif self._is_late(lag, known):
            yield self._skewed(event, known, source, "late", lag)
        usual = known.get("usual", lag)
        known["usual"] = usual + (max(lag, 0.0) - usual) * _WEIGHT
        known["seen"] = min(known.get("seen", 0) + 1, _LEARNING)
        memory.put(self.name, source, known)

    def _is_late(self, lag: float, known: dict[str, Any]) -> bool:
        if known.get("seen", 0) < _LEARNING:
            return False
        return bool(lag > self._late.total_seconds() + _TIMES_USUAL * max(known["usual"], 0.0))

    def _skewed(self, event: AuditEvent, known: dict[str, Any], source: str, how: str, lag: float) -> Finding:
        """One finding for each source, way and day of recording."""
        day = str(event.facts["recorded_at"])[:10]
        current = known.get(how, {})
        if current.get("day") != day:
            current = {"day": day, "events": [], "count": 0, "most": 0.0}
        known[how] = current = {
            "day": day,
            "events": [*current["events"], evidence(event)][:_MOST],
            "count": current["count"] + 1,
            "most": max(current["most"], abs(lag)),
        }
        furthest = timedelta(seconds=round(current["most"]))
        what = "occurred after they were recorded" if how == "ahead" else "came much later than is usual for it"
        words = f"{current['count']} events of the source {source} {what}, by up to {furthest}"
        return self.found(current["events"][0][0], event, ("credential", source), words, current["events"])
