"""Events of many kinds, from a seed: actors who change their names, failures, stories, late reports."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from domain.record import EventDraft
from domain.values import JsonObject, rfc3339
from domain.words import DEFAULT_LEDGER, Ledger
from tests.builders import NOW, draft

_KINDS: tuple[tuple[str, str, JsonObject], ...] = (
    ("LogInUser", "user", {"auth_method": "password"}),
    ("LogOutUser", "user", {}),
    ("RevokeCertificate", "certificate", {"crl_reason": "superseded", "revocation_time": "2026-11-24T10:00:00Z"}),
    ("RequestCertificate", "certificate", {}),
    ("CreateCertificateAuthority", "certificate_authority", {}),
    ("RotateKey", "key", {}),
    ("RegisterBot", "bot", {}),
    ("ChangeSetting", "setting", {}),
)
_FIRST_NAMES = ("Asha", "Björn", "Chloë", "İpek", "Straße", "Ὀδυσσεύς")


def drafts(random: Random, count: int, ledger: Ledger = DEFAULT_LEDGER) -> list[EventDraft]:
    return [one(random, ledger) for _ in range(count)]


def one(random: Random, ledger: Ledger = DEFAULT_LEDGER) -> EventDraft:
    command, entity_type, details = random.choice(_KINDS)
    number = random.randrange(200)
    changes: dict[str, Any] = {
        "command": command,
        "occurred_at": rfc3339(NOW - timedelta(seconds=random.randrange(90 * 86_400))),
        "actor": dict(_actor(random)),
        "entity": {"type": entity_type, "id": f"{entity_type[0]}-{number}", "name": f"name {number}.example.com"},
        "details": details,
        "correlation_id": f"order-{random.randrange(2000)}" if random.random() < 0.5 else None,
        "also_affected": _also_affected(random) if random.random() < 0.2 else None,
    }
    if random.random() < 0.1:
        changes |= {
            "status": "failure",
            "failure": {"code": "denied", "reason": f"Quota {number} of Zürich is used up"},
        }
    return draft(ledger, f"key-{random.randrange(30)}", **changes)


def _actor(random: Random) -> Iterator[tuple[str, Any]]:
    number = int(random.paretovariate(0.7)) % 400
    yield "id", f"U-{number}"
    yield "kind", "bot" if number % 7 == 0 else "user"
    yield "session_id", f"s-{number % 20}"
    if random.random() < 0.8:
        yield "full_name", f"{_FIRST_NAMES[number % len(_FIRST_NAMES)]} {random.choice(('Rao', 'Rao-Smith'))} {number}"
    if random.random() < 0.8:
        yield "ip", f"10.{number % 3}.{random.randrange(4)}.{number % 50}"


def _also_affected(random: Random) -> list[JsonObject]:
    return [
        {"type": "certificate", "id": f"c-{random.randrange(200)}"},
        {"type": "domain", "id": f"d-{random.randrange(50)}"},
    ]
