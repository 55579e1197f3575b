"""Administration at an hour at which the administrator is never seen."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from domain.event import AuditEvent
from domain.findings.finding import (
    Found,
    Memory,
    Rule,
    Severity,
    actor_of,
    called,
    entity_of,
    evidence,
    moment,
    occurred,
    succeeded,
)
from domain.findings.thresholds import Thresholds
from domain.words import ActorKind, Module

_MODULES = frozenset({Module.ADMINISTRATION, Module.CERTIFICATE_AUTHORITY})
_NOT_ADMINISTERED = frozenset({"ledger", "projection", "finding"})
"""Reading the audit trail by night is what an incident asks for."""

_LONGEST_BREAK = 6
"""Hours between two usual ones are usual as well, if they are no more than so many."""

_SAME_NIGHT = timedelta(hours=12)


class OffHoursAdministration(Rule):
    """Everybody has hours of their own, and a company many time zones: what is usual is learned of each person
    from the days on which they were seen. Who was not seen often enough is not judged."""

    name = "off_hours_administration"
    severity = Severity.MEDIUM
    title = "Somebody administered the system at an hour that is not theirs"
    controls = ("NIST SP 800-53 AC-2(12)", "NIST SP 800-53 AU-6", "PCI DSS 10.2.1.2", "CA/B BR 5.4.1 (3.3)")

    def __init__(self, thresholds: Thresholds) -> None:
        self._days = thresholds.habit_days
        self._percent = thresholds.habit_percent

    def subjects(self, event: AuditEvent) -> Iterable[str]:
        return [str(actor_of(event)["id"])] if _is_of_person(event) else []

    def judge(self, event: AuditEvent, memory: Memory) -> Found:
        if not _is_of_person(event):
            return
        actor, at = str(actor_of(event)["id"]), occurred(event)
        known = memory.get(self.name, actor)
        hour, learned = at[11:13], dict(known.get("hours", {}))
        if _administers(event) and known.get("days", 0) >= self._days and not self._is_usual(int(hour), known):
            self._extend(event, known)
            memory.put(self.name, actor, known)
            acts = len(known["night"])
            words = (
                f"{called(event)} administered the system at {at[11:16]} UTC, an hour at which they are not seen "
                f"({acts} act{'s' * (acts != 1)})"
            )
            yield self.found(known["night"][0][0], event, entity_of(event), words, known["night"])
        count, last = learned.get(hour, (0, ""))
        if last != at[:10]:
            learned[hour] = [count + 1, at[:10]]
            days = known.get("days", 0) + (known.get("last") != at[:10])
            memory.put(self.name, actor, known | {"hours": learned, "days": days, "last": at[:10]})

    def _is_usual(self, hour: int, known: dict[str, Any]) -> bool:
        often = known["days"] * self._percent / 100
        usual = [int(text) for text, (count, _) in known["hours"].items() if count >= often]
        since = min(((hour - other) % 24 for other in usual), default=24)
        until = min(((other - hour) % 24 for other in usual), default=24)
        return min(since, until) <= 1 or since + until <= _LONGEST_BREAK

    def _extend(self, event: AuditEvent, known: dict[str, Any]) -> None:
        """Acts of one night are one finding."""
        night = known.get("night", [])
        if not night or abs(moment(occurred(event)) - moment(night[-1][2])) > _SAME_NIGHT:
            night = []
        known["night"] = [*night, evidence(event)][:50]


def _is_of_person(event: AuditEvent) -> bool:
    return succeeded(event) and actor_of(event)["kind"] == ActorKind.USER


def _administers(event: AuditEvent) -> bool:
    return event.activity.module in _MODULES and event.activity.entity_type not in _NOT_ADMINISTERED
