"""The use of tokens that were revoked, and acts of accounts that were closed."""

from collections.abc import Iterable, Iterator

from domain.event import AuditEvent
from domain.findings.finding import (
    MOST_EVIDENCE,
    Found,
    Memory,
    Rule,
    Severity,
    actor_of,
    entity_of,
    evidence,
    occurred,
    position,
    succeeded,
)

_CLOSING = frozenset({
    "token.revoked",
    "token.expired",
    "user.disabled",
    "user.deleted",
    "bot.deactivated",
    "bot.removed",
})  # fmt: skip
_OPENING = frozenset({"token.issued", "user.created", "user.enabled", "bot.registered", "bot.activated"})
_ACCOUNTS = frozenset({"user", "bot"})


class UseOfClosedAccess(Rule):
    """Nothing is to succeed with a token that was revoked or has expired, or by a user or a bot that was
    deactivated. What succeeds between a closing and the next opening is one finding."""

    name = "use_of_closed_access"
    severity = Severity.CRITICAL
    title = "A revoked token or a deactivated account was used"
    controls = ("NIST SP 800-53 AC-2", "NIST SP 800-53 AC-3", "PCI DSS 10.2.1.5", "CA/B BR 5.4.1 (3.1)")

    def subjects(self, event: AuditEvent) -> Iterable[str]:
        if not succeeded(event):
            return []
        if event.activity.name in _CLOSING | _OPENING:
            return [":".join(entity_of(event)), *_used(event)]
        return list(_used(event))

    def judge(self, event: AuditEvent, memory: Memory) -> Found:
        if not succeeded(event):
            return
        for subject in _used(event):
            yield from self._judge_use(event, subject, memory)
        if event.activity.name in _CLOSING | _OPENING:
            subject = ":".join(entity_of(event))
            known = memory.get(self.name, subject)
            if known.get("since", "") <= occurred(event):
                closed = evidence(event) if event.activity.name in _CLOSING else None
                memory.put(
                    self.name,
                    subject,
                    {"since": occurred(event), "closed": closed, "by": event.activity.name},
                )

    def _judge_use(self, event: AuditEvent, subject: str, memory: Memory) -> Found:
        known = memory.get(self.name, subject)
        closed = known.get("closed")
        if closed is None or occurred(event) <= closed[2]:
            return
        known.setdefault("key", position(event))
        known["count"] = known.get("count", 0) + 1
        known["uses"] = [*known.get("uses", []), evidence(event)][: MOST_EVIDENCE - 1]
        memory.put(self.name, subject, known)
        kind, _, id_ = subject.partition(":")
        times = "once" if known["count"] == 1 else f"{known['count']} times"
        address = actor_of(event).get("ip")
        words = f"the {kind} {id_} was used {times} after {known['by']}" + (f", last from {address}" if address else "")
        yield self.found(known["key"], event, (kind, id_), words, [closed, *known["uses"]])


def _used(event: AuditEvent) -> Iterator[str]:
    """The token that was used and the account that acted."""
    if event.activity.name == "token.used":
        yield ":".join(entity_of(event))
    actor = actor_of(event)
    if actor["kind"] in _ACCOUNTS:
        yield f"{actor['kind']}:{actor['id']}"
