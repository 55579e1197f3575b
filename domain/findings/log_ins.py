"""Log-ins that fail again and again."""

from collections.abc import Iterable

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
    moment,
    occurred,
    succeeded,
)
from domain.findings.thresholds import Thresholds


class ManyFailedLogIns(Rule):
    """Somebody tries out passwords; all attempts that follow closely on one another are one finding."""

    name = "many_failed_log_ins"
    severity = Severity.HIGH
    title = "Many log-ins to one account failed"
    controls = ("NIST SP 800-53 AC-7", "PCI DSS 10.2.1.4", "CA/B BR 5.4.1 (3.1)")
    activities = frozenset({"user.logged_in"})

    def __init__(self, thresholds: Thresholds) -> None:
        self._many = thresholds.failed_log_ins
        self._within = thresholds.failed_log_ins_within

    def subjects(self, event: AuditEvent) -> Iterable[str]:
        return [] if succeeded(event) else [entity_of(event)[1]]

    def judge(self, event: AuditEvent, memory: Memory) -> Found:
        if succeeded(event):
            return
        user = entity_of(event)[1]
        known = memory.get(self.name, user)
        now = moment(occurred(event))
        recent = [one for one in known.get("recent", []) if abs(now - moment(one[2])) <= self._within]
        if not recent:
            known = {"count": 0}
        known["count"] = known["count"] + 1 if "key" in known else len(recent) + 1
        known["recent"] = [*recent, evidence(event)][-max(self._many, MOST_EVIDENCE) :]
        if known["count"] >= self._many:
            known.setdefault("key", known["recent"][0][0])
            addresses = {*known.get("from", []), str(actor_of(event).get("ip", "an unknown address"))}
            known["from"] = sorted(addresses)[:5]
            words = f"{known['count']} log-ins of {user} failed in short order, from {', '.join(known['from'])}"
            yield self.found(known["key"], event, ("user", user), words, known["recent"])
        memory.put(self.name, user, known)
