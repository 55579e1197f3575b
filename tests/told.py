"""Events in their places, as the domain sees them, from the commands that tests tell."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from domain.catalogue import CATALOGUE
from domain.event import AuditEvent
from domain.ledger import Head, LedgerEvent, link
from domain.mapper import RecordMapper
from domain.record import Draft
from domain.values import JsonObject
from domain.words import DEFAULT_LEDGER
from tests.builders import command_data, draft

RECORDED = datetime(2026, 11, 24, 12, tzinfo=UTC)
_MAPPER = RecordMapper(CATALOGUE)


def recorded(drafts: Sequence[Draft], now: datetime = RECORDED) -> list[LedgerEvent]:
    """A ledger of these drafts."""
    versions: dict[str, count[int]] = {}
    numbered = [(one, next(versions.setdefault(one.originator_id, count(1)))) for one in drafts]
    return list(link(Head.empty(DEFAULT_LEDGER), numbered, now))


def told(*steps: dict[str, Any], now: datetime = RECORDED) -> list[AuditEvent]:
    """The events that these commands become, from position 1 on."""
    return [_MAPPER.to_domain_event(event) for event in recorded([draft(**step) for step in steps], now)]


def step(command: str, entity: str, minute: int = 0, **changes: Any) -> dict[str, Any]:
    """A command about `type:id`, so many minutes after ten o'clock; failed if it has a failure."""
    kind, _, id_ = entity.partition(":")
    told = {
        "command": command,
        "entity": {"type": kind, "id": id_},
        "occurred_at": f"2026-11-24T{10 + minute // 60:02}:{minute % 60:02}:00Z",
        "details": {},
        "correlation_id": None,
        **changes,
    }
    if changes.get("failure"):
        told |= {"status": "failure", "failure": {"code": "denied", "reason": "no"}}
    return told


def sent(command: str, entity: str, minute: int = 0, **changes: Any) -> JsonObject:
    """The same as a module sends it."""
    return command_data(**step(command, entity, minute, **changes))


def actor(id_: str, kind: str = "user", **more: Any) -> dict[str, Any]:
    return {"id": id_, "kind": kind, **more}


ISSUED: dict[str, Any] = {
    "serial": "01",
    "issuer_dn": "CN=CA",
    "sha256_fingerprint": "0a" * 32,
    "not_before": "2026-11-24T10:00:00Z",
    "not_after": "2027-11-24T10:00:00Z",
}
REVOKED: dict[str, Any] = {"crl_reason": "keyCompromise", "revocation_time": "2026-11-24T10:00:00Z"}
