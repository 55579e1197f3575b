"""Keys that leave their stores, or are destroyed, where nobody was meant to see it."""

from collections.abc import Iterable, Iterator
from typing import Any

from domain.event import AuditEvent
from domain.findings.finding import (
    Found,
    Memory,
    Rule,
    Severity,
    Withdrawal,
    called,
    detail,
    entity_of,
    evidence,
    occurred,
    position,
    succeeded,
)

_ACTS = frozenset({"key.exported", "key.destroyed"})
_BEGINNINGS = frozenset({"key_ceremony.started", "workflow_run.started"})
_ENDINGS = frozenset({"key_ceremony.completed", "workflow_run.completed"})
_FRAMES = frozenset({"key_ceremony", "workflow_run"})
_MOST = 20


class KeyOutsideCeremony(Rule):
    """A key is to be exported or destroyed in a ceremony or a workflow run: both share a correlation id with the
    act, or the act names them among what it also affected."""

    name = "key_outside_ceremony"
    severity = Severity.CRITICAL
    title = "A key was exported or destroyed outside a ceremony or workflow"
    controls = ("NIST SP 800-53 AU-12", "NIST SP 800-53 AC-5", "PCI DSS 10.2.1.7", "CA/B BR 5.4.1 (1.1)")
    activities = _ACTS | _BEGINNINGS | _ENDINGS

    def subjects(self, event: AuditEvent) -> Iterable[str]:
        return list(_frames_of(event)) if succeeded(event) else []

    def judge(self, event: AuditEvent, memory: Memory) -> Found:
        if not succeeded(event):
            return
        if event.activity.name in _ACTS:
            yield from self._judge_act(event, memory)
            return
        for frame in _frames_of(event):
            known = memory.get(self.name, frame)
            if event.activity.name in _BEGINNINGS:
                known["begun"] = min(occurred(event), known.get("begun", occurred(event)))
            else:
                known["ended"] = max(occurred(event), known.get("ended", occurred(event)))
            yield from self._explained(event, known)
            memory.put(self.name, frame, known)

    def _judge_act(self, event: AuditEvent, memory: Memory) -> Found:
        frames = {frame: memory.get(self.name, frame) for frame in _frames_of(event)}
        if any(_encloses(known, occurred(event)) for known in frames.values()):
            return
        kind, id_ = entity_of(event)
        done = event.activity.name.removeprefix("key.")
        plainly = " in the clear" if detail(event, "wrapped") is False else ""
        words = f"{called(event)} {done} the key {id_}{plainly}, in no ceremony and no workflow"
        yield self.found(position(event), event, (kind, id_), words, [evidence(event)])
        for frame, known in frames.items():
            known["acts"] = [*known.get("acts", []), evidence(event)][-_MOST:]
            memory.put(self.name, frame, known)

    def _explained(self, event: AuditEvent, known: dict[str, Any]) -> Found:
        """A ceremony that was reported only after what was done in it."""
        acts = known.pop("acts", [])
        for act in acts:
            if _encloses(known, act[2]):
                yield Withdrawal(self.name, act[0], tuple(evidence(event)))
        if left := [act for act in acts if not _encloses(known, act[2])]:
            known["acts"] = left


def _frames_of(event: AuditEvent) -> Iterator[str]:
    story = event.facts.get("correlation_id")
    if story is not None:
        yield f"story:{story}"
    if event.activity.name not in _ACTS:
        yield ":".join(entity_of(event))
    others = event.facts.get("also_affected")
    for other in others if isinstance(others, list) else ():
        if isinstance(other, dict) and other["type"] in _FRAMES:
            yield f"{other['type']}:{other['id']}"


def _encloses(frame: dict[str, Any], at: str) -> bool:
    return "begun" in frame and frame["begun"] <= at <= frame.get("ended", at)
