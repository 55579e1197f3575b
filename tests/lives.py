"""Lives of a few entities, at random: steps in any order, late reports, failures, changes, contradictions."""

from datetime import timedelta
from random import Random
from typing import Any

from domain.record import EventDraft
from domain.values import JsonObject, rfc3339
from domain.words import Ledger
from tests.builders import NOW, draft

_FINGERPRINT = "0a" * 32
_WHEN = "2026-11-24T10:00:00Z"


def lives(random: Random, count: int, ledger: Ledger) -> list[EventDraft]:
    """Drafts about five entities; their times mostly run forward."""
    return [draft(ledger, **_step(random, number, count)) for number in range(count)]


def _step(random: Random, number: int, count: int) -> dict[str, Any]:
    command, kind, details, more = random.choice(_STEPS)(random)
    minute = number if random.random() < 0.75 else random.randrange(count)
    step: dict[str, Any] = {
        "command": command,
        "entity": {"type": kind, "id": f"{kind}-{random.randrange(2)}"},
        "actor": {"id": f"u-{random.randrange(3)}", "kind": random.choice(["user", "bot"])},
        "occurred_at": rfc3339(NOW - timedelta(days=2) + timedelta(minutes=minute // 2)),
        "details": details,
        **more,
    }
    if random.random() < 0.2:
        step |= {"status": "failure", "failure": {"code": "denied", "reason": "no"}}
    if random.random() < 0.2:
        step["also_affected"] = [{"type": "domain", "id": f"d-{random.randrange(3)}"}]
    return step


def _issued(random: Random) -> JsonObject:
    return {
        "serial": str(random.randrange(5)),
        "issuer_dn": "CN=CA",
        "sha256_fingerprint": _FINGERPRINT,
        "not_before": _WHEN,
        "not_after": _WHEN,
        "ca_id": f"ca-{random.randrange(2)}",
    }


def _changed(random: Random, path: str) -> dict[str, Any]:
    values: list[Any] = [None, 1, "x", ["a", "b"]]
    return {"changes": [{"path": path, "old": random.choice(values), "new": random.choice(values)}]}


_STEPS: list[Any] = [
    lambda r: ("IssueCertificate", "certificate", _issued(r), {}),
    lambda _: ("RevokeCertificate", "certificate", {"crl_reason": "superseded", "revocation_time": _WHEN}, {}),
    lambda _: ("SuspendCertificate", "certificate", {}, {}),
    lambda _: ("ReinstateCertificate", "certificate", {}, {}),
    lambda r: ("TagCertificate", "certificate", {"added": [r.choice("abc")], "removed": [r.choice("abc")]}, {}),
    lambda r: ("DeployCertificate", "certificate", {"target": r.choice(["h/1", "h2"]), "bot_id": "b-1"}, {}),
    lambda r: ("RollBackDeployment", "certificate", {"target": r.choice(["h/1", "h2"])}, {}),
    lambda r: ("EditCertificate", "certificate", {}, _changed(r, r.choice(["/owner", "/crl/hours", "/tags", "/a~b"]))),
    lambda _: ("CreateUser", "user", {"email": "a@b.example", "roles": ["viewer", "admin"]}, {}),
    lambda r: ("AssignRole", "user", {"role": r.choice(["admin", "officer"])}, {}),
    lambda r: ("UnassignRole", "user", {"role": r.choice(["admin", "officer"])}, {}),
    lambda r: ("UpdateUser", "user", {}, _changed(r, r.choice(["/team", "/roles"]))),
    lambda _: ("LogInUser", "user", {}, {}),
    lambda r: ("EnrollMfa", "user", {"factor": r.choice(["totp", "push"])}, {}),
    lambda _: ("ResetMfa", "user", {}, {}),
    lambda _: ("DisableUser", "user", {}, {}),
    lambda _: ("DeleteUser", "user", {}, {}),
    lambda _: ("UseToken", "token", {}, {}),
    lambda _: ("IssueToken", "token", {"api_type": "REST"}, {}),
    lambda _: ("RevokeToken", "token", {}, {}),
]
