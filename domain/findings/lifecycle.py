"""Steps in the life of an entity that cannot follow the last one."""

from collections.abc import Iterable
from typing import Any

from domain.catalogue import CATALOGUE
from domain.entities.contradiction import Contradiction, Kind, contradictions
from domain.entities.life import Life, evolve_course
from domain.event import AuditEvent
from domain.findings.finding import (
    Finding,
    Found,
    Memory,
    Rule,
    Severity,
    Withdrawal,
    called,
    entity_of,
    evidence,
    occurred,
    position,
    succeeded,
)

_ENDING = frozenset(activity.entity_type for activity in CATALOGUE if activity.effect.ends)
"""The types of entities whose lives can end."""

_USES = frozenset({"token.used"})
"""What another rule judges: the use of what was closed."""

_MOST = 20


class StepCannotFollow(Rule):
    """After its last step nothing may happen to an entity, and before its first nothing can."""

    name = "step_cannot_follow"
    severity = Severity.MEDIUM
    title = "A step in the life of an entity cannot follow the last one"
    controls = ("NIST SP 800-53 AU-6", "PCI DSS 10.2.1.7", "CA/B BR 5.4.1 (1.1, 2.1)")
    activities = frozenset(
        activity.name
        for activity in CATALOGUE
        if activity.name not in _USES and (activity.effect.state is not None or activity.entity_type in _ENDING)
    )

    def subjects(self, event: AuditEvent) -> Iterable[str]:
        return [":".join(entity_of(event))] if succeeded(event) else []

    def judge(self, event: AuditEvent, memory: Memory) -> Found:
        if not succeeded(event):
            return
        subject = ":".join(entity_of(event))
        known = memory.get(self.name, subject)
        life: Life = {key: tuple(register) for key, register in known.get("course", {}).items()}
        doubts = list(contradictions(life, event))
        if doubts:
            yield self._doubted(event, doubts[0])
        if event.activity.effect.begins:
            yield from self._explained(event, known)
        elif doubts and doubts[0].kind is Kind.NEVER_BEGUN:
            known["waiting"] = [*known.get("waiting", []), evidence(event)][-_MOST:]
        course = evolve_course(life, event)
        if course is not life or doubts:
            known["course"] = {key: [*register] for key, register in course.items()}
            memory.put(self.name, subject, known)

    def _doubted(self, event: AuditEvent, doubt: Contradiction) -> Finding:
        kind, id_ = entity_of(event)
        words = f"{called(event)} did to the {kind} {id_} what cannot be: {doubt.words}"
        severity = Severity.HIGH if doubt.kind is Kind.AFTER_END else None
        return self.found(position(event), event, (kind, id_), words, [evidence(event)], severity)

    def _explained(self, event: AuditEvent, known: dict[str, Any]) -> Found:
        """A beginning that was reported only after what followed it."""
        for doubted in known.pop("waiting", []):
            if doubted[2] >= occurred(event):
                yield Withdrawal(self.name, doubted[0], tuple(evidence(event)))
