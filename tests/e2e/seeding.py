"""A varied set of events, and what each filter must find of them, said plainly in Python."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.search import words
from domain.values import JsonObject
from tests.builders import command_data

ACTORS: Sequence[JsonObject] = (
    {"id": "u-1", "kind": "user", "full_name": "Asha Rao", "ip": "10.0.0.1"},
    {"id": "u-12", "kind": "user", "full_name": "Straße Äpfel", "ip": "10.0.0.2"},
    {"id": "U-2", "kind": "user", "full_name": "İnci Çelik", "ip": "2001:db8:0:0:0:0:0:1"},
    {"id": "100%_sure", "kind": "bot", "full_name": "50% off\\sale", "ip": "2001:DB8::1"},
    {"id": "100x-sure", "kind": "bot", "full_name": "50x off"},
    {"id": "svc", "kind": "service"},
)

_ACTIVITIES: Sequence[JsonObject] = (
    {"command": "RevokeCertificate"},
    {"command": "SuspendCertificate", "details": {"reason": "Compromised web-server, ticket #4711"}},
    {"command": "LogInUser", "details": {"auth_method": "password"}},
    {"command": "GenerateCrl", "details": {"crl_number": 4711, "this_update": "2026-11-24T10:00:00Z"}},
)

_ENTITIES: Sequence[JsonObject] = (
    {"type": "certificate", "id": "c-1", "name": "www.example.com"},
    {"type": "certificate", "id": "c:2%", "name": "Grüße.example"},
    {"type": "crl", "id": "c-1"},
    {"type": "user", "id": "u-1", "name": "Asha Rao"},
)

_FAILURE: JsonObject = {"code": "denied", "reason": "not allowed here"}


def varied_commands(count: int = 60) -> list[JsonObject]:
    """Commands in which every filter has several values, in ever other combinations; times go up and down."""
    commands = []
    for number in range(count):
        changes: JsonObject = {
            **_ACTIVITIES[number % len(_ACTIVITIES)],
            "actor": ACTORS[(number * 5 + number // 7) % len(ACTORS)],
            "entity": _ENTITIES[(number // 3) % len(_ENTITIES)],
            "occurred_at": f"2026-10-{1 + number * 7 % 20:02}T{number % 3:02}:00:00Z",
            "correlation_id": [None, "order-1", "order%", "order_2"][number // 2 % 4],
        }
        if number % 5 == 0:
            changes |= {"status": "failure", "failure": _FAILURE}
        if number % 6 == 0:
            changes["also_affected"] = [{"type": "domain", "id": "example.com"}, {"type": "certificate", "id": "c-1"}]
        commands.append(command_data(**changes))
    return commands


FILTERS: Mapping[str, Sequence[str]] = {
    "user": ("u-1", "U-", "asha", "ASHA RAO", "strasse", "STRASSE Ä", "i̇nci", "İN", "100%", "50% off\\", "nobody", "_"),
    "module": ("user_activity", "certificate_operations", "certificate_authority", "administration"),
    "activity": ("certificate.revoked", "certificate.suspended", "user.logged_in", "crl.generated", "key.destroyed"),
    "status": ("success", "failure"),
    "entity": (
        "certificate:c-1",
        "certificate:c:2%",
        "crl:c-1",
        "user:u-1",
        "domain:example.com",
        "certificate",
        "crl",
    ),
    "ip": ("10.0.0.1", "10.0.0.2", "2001:db8::1", "10.9.9.9"),
    "correlation_id": ("order-1", "order%", "order_2", "order"),
    "text": ("revoked", "REVOKED www", "ticket 4711", "4711", "web-serv", "not allowed", "grüsse", "absent", "denied"),
    "from": ("2026-10-05T01:00:00Z", "2026-10-08T00:00:00Z"),
    "to": ("2026-10-12T01:00:00Z", "2026-10-20T00:00:00+02:00"),
}
"""Some values of each filter; `from` and `to` are given once at most."""


def matches(event: Mapping[str, Any], wanted: Mapping[str, Sequence[str]]) -> bool:
    """Whether an event, as it is shown, holds every filter by one of its values."""
    return all(any(_holds(event, name, value) for value in values) for name, values in wanted.items() if values)


def _holds(event: Mapping[str, Any], name: str, value: str) -> bool:
    actor, occurred = event["actor"], datetime.fromisoformat(event["occurred_at"])
    match name:
        case "user":
            names = [actor["id"], actor.get("full_name", "")]
            return any(text.casefold().startswith(value.casefold()) for text in names)
        case "from":
            return occurred >= datetime.fromisoformat(value)
        case "to":
            return occurred < datetime.fromisoformat(value)
        case "entity":
            also = [f"{entity['type']}:{entity['id']}" for entity in event.get("also_affected", ())]
            entity = event["entity"]
            return value in (entity["type"], f"{entity['type']}:{entity['id']}", *also)
        case "text":
            found = set(itertools.chain.from_iterable(words(text) for text in _texts(event)))
            return all(any(word.startswith(begun) for word in found) for begun in words(value))
    return value in (event.get(name), actor.get(name))


def _texts(event: Mapping[str, Any]) -> list[str]:
    return [event["description"], *(str(value) for value in event["details"].values())]
