"""The lives that the benchmarks of reconstruction replay: a million certificates, and a few very long lives."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from benchmarks.data import DAYS, END
from domain.values import JsonObject, rfc3339

ISSUERS = 20
_FINGERPRINT = "5f" * 32


def certificates(count: int, start: int = 0) -> Iterator[JsonObject]:
    """Issued over the ninety days, one in ten revoked some time later; the events in the order of time."""
    for number in range(start, start + count):
        random = Random(number)
        at = END - timedelta(days=DAYS * (1 - number / max(count + start, 1)))
        yield _command(
            f"issue-{number}",
            "IssueCertificate",
            "certificate",
            f"c-{number:07d}",
            at,
            {
                "serial": f"{number:032x}",
                "issuer_dn": f"CN=Issuing authority {number % ISSUERS}",
                "sha256_fingerprint": _FINGERPRINT,
                "not_before": rfc3339(at),
                "not_after": rfc3339(at + timedelta(days=90)),
                "ca_id": f"ca-{number % ISSUERS}",
            },
        )
        if number >= 100 and random.random() < 0.1:
            revoked: JsonObject = {"crl_reason": "superseded", "revocation_time": rfc3339(at)}
            yield _command(f"revoke-{number}", "RevokeCertificate", "certificate", f"c-{number - 100:07d}", at, revoked)


def users(entities: int, events: int, label: str) -> Iterator[JsonObject]:
    """Entities of so many events each, the events of all of them mixed and in the order of time."""
    for number in range(events):
        at = END - timedelta(days=DAYS * (1 - number / events))
        for user in range(entities):
            id_ = f"{label}-{user:06d}"
            kind = number % 5
            name, details = _STEPS[kind] if number else _FIRST
            yield _command(f"{id_}-{number}", name, "user", id_, at, details)


_FIRST: tuple[str, JsonObject] = ("CreateUser", {"roles": ["viewer"]})
_STEPS: tuple[tuple[str, JsonObject], ...] = (
    ("LogInUser", {"auth_method": "password"}),
    ("AssignRole", {"role": "approver"}),
    ("EnrollMfa", {"factor": "totp"}),
    ("UnassignRole", {"role": "approver"}),
    ("UpdateUser", {}),
)


def _command(command_id: str, name: str, kind: str, id_: str, at: datetime, details: JsonObject) -> JsonObject:
    return {
        "command": name,
        "command_id": command_id,
        "occurred_at": rfc3339(at),
        "actor": {"id": "u-00001", "kind": "user", "full_name": "Asha Rao", "ip": "10.1.2.3"},
        "entity": {"type": kind, "id": id_, "name": id_},
        "status": "success",
        "details": details,
    }
