"""Requests that were approved by who had asked, and certificates that nobody had approved."""

from collections.abc import Iterable
from typing import Any

from domain.event import AuditEvent
from domain.findings.finding import (
    Found,
    Memory,
    Rule,
    Severity,
    Withdrawal,
    actor_of,
    called,
    detail,
    entity_of,
    evidence,
    occurred,
    position,
    succeeded,
)

_REQUESTED, _APPROVED, _ISSUED = "certificate.requested", "certificate_request.approved", "certificate.issued"
_MOST = 20


class RequestApprovedByRequester(Rule):
    """Nobody is to approve what they have asked for themselves."""

    name = "request_approved_by_requester"
    severity = Severity.HIGH
    title = "A request was approved by its requester"
    controls = ("NIST SP 800-53 AC-5", "PCI DSS 10.2.1.2", "CA/B BR 5.4.1 (2.3)")
    activities = frozenset({_REQUESTED, _APPROVED})

    def subjects(self, event: AuditEvent) -> Iterable[str]:
        return [entity_of(event)[1]] if succeeded(event) else []

    def judge(self, event: AuditEvent, memory: Memory) -> Found:
        if not succeeded(event):
            return
        _, request = entity_of(event)
        known = memory.get(self.name, request)
        if event.activity.name == _REQUESTED:
            known["asked"] = [_people(event), evidence(event)]
            approvals = known.get("approvals", [])
        else:
            approvals = [[_people(event), evidence(event)]]
            known["approvals"] = [*known.get("approvals", []), *approvals][-_MOST:]
        memory.put(self.name, request, known)
        if "asked" not in known:
            return
        asked_by, asked = known["asked"]
        for approved_by, approved in approvals:
            if set(asked_by) & set(approved_by):
                words = f"{called(event)} asked for {request} and approved it as well"
                yield self.found(approved[0], event, ("certificate_request", request), words, [asked, approved])


class IssuedWithoutApproval(Rule):
    """A certificate is to be issued for a request that was approved before."""

    name = "issued_without_approval"
    severity = Severity.HIGH
    title = "A certificate was issued without an approved request"
    controls = ("NIST SP 800-53 AC-3", "PCI DSS 10.2.1.2", "CA/B BR 5.4.1 (2.3, 2.4)")
    activities = frozenset({_APPROVED, _ISSUED})

    def subjects(self, event: AuditEvent) -> Iterable[str]:
        request = _request_of(event)
        return [request] if succeeded(event) and request is not None else []

    def judge(self, event: AuditEvent, memory: Memory) -> Found:
        if not succeeded(event):
            return
        request = _request_of(event)
        if request is None:
            words = f"{called(event)} issued {entity_of(event)[1]} and named no request for it"
            yield self.found(position(event), event, entity_of(event), words, [evidence(event)])
            return
        known = memory.get(self.name, request)
        if event.activity.name == _APPROVED:
            yield from self._explained(event, known)
        elif "approved" not in known or known["approved"] > occurred(event):
            known["issued"] = [*known.get("issued", []), evidence(event)][-_MOST:]
            words = f"{called(event)} issued {entity_of(event)[1]}, whose request {request} nobody had approved"
            yield self.found(position(event), event, entity_of(event), words, [evidence(event)])
        else:
            return
        memory.put(self.name, request, known)

    def _explained(self, event: AuditEvent, known: dict[str, Any]) -> Found:
        """An approval that was reported only after the certificate."""
        known["approved"] = min(occurred(event), known.get("approved", occurred(event)))
        waiting = known.pop("issued", [])
        for issued in waiting:
            if issued[2] >= occurred(event):
                yield Withdrawal(self.name, issued[0], tuple(evidence(event)))
        if left := [issued for issued in waiting if issued[2] < occurred(event)]:
            known["issued"] = left


def _request_of(event: AuditEvent) -> str | None:
    if event.activity.name == _APPROVED:
        return entity_of(event)[1]
    request = detail(event, "request_id")
    return None if request is None else str(request)


def _people(event: AuditEvent) -> list[str]:
    actor = actor_of(event)
    return [str(actor[name]) for name in ("id", "on_behalf_of") if actor.get(name) is not None]
