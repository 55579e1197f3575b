"""Showing commands to one rule, as the projector does, and what it says of them."""

from typing import Any

from domain.event import AuditEvent
from domain.findings.finding import Finding, Memory, Rule, Withdrawal
from tests.told import told


class Judged:
    """What a rule made of a sequence of events."""

    def __init__(self, rule: Rule, events: list[AuditEvent]) -> None:
        self.found: dict[str, Finding] = {}
        self.withdrawn: list[int] = []
        memory = Memory({})
        for event in events:
            if rule.activities is not None and event.activity.name not in rule.activities:
                continue
            subjects = set(rule.subjects(event))
            known = _Watching(memory, rule.name, subjects)
            for one in rule.judge(event, known):
                if isinstance(one, Withdrawal):
                    self.withdrawn.append(one.key)
                    self.found.pop(one.id, None)
                else:
                    assert one.rule == rule.name
                    self.found[one.id] = one

    @property
    def positions(self) -> list[list[int]]:
        """The evidence of what is found in the end."""
        return [[position for position, _, _ in one.evidence] for one in self.found.values()]

    @property
    def words(self) -> list[str]:
        return [one.words for one in self.found.values()]


class _Watching(Memory):
    """Lets a rule remember of an event only what it has asked for: the projector loads no more."""

    def __init__(self, memory: Memory, rule: str, subjects: set[str]) -> None:
        self._memory, self._allowed = memory, {(rule, subject) for subject in subjects}

    def get(self, rule: str, subject: str) -> dict[str, Any]:
        assert (rule, subject) in self._allowed
        return self._memory.get(rule, subject)

    def put(self, rule: str, subject: str, remembered: Any) -> None:
        assert (rule, subject) in self._allowed
        self._memory.put(rule, subject, remembered)


def judged(rule: Rule, *steps: dict[str, Any]) -> Judged:
    return Judged(rule, told(*steps))
