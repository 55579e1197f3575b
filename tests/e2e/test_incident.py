"""The demonstration's hidden incident is found, as an analyst would find it who knows nothing of it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout

from adapters.demo import incident
from adapters.demo.scenes_of_certificates import SELF_APPROVED_REQUEST_IDS
from domain.words import Role
from tests.demonstration import LEDGER, Demonstration
from tests.e2e.client import Client
from tests.e2e.running import Service


@pytest.fixture
def demo(estate: Demonstration, tmp_path: Path) -> Iterator[Service]:
    with estate.copy("incident", tmp_path) as (service, _):
        yield service


@pytest.fixture
async def analyst(demo: Service) -> AsyncIterator[Client]:
    """An auditor; every event of the estate was judged."""
    _, key = await demo.create_key(LEDGER, Role.AUDITOR)
    async with ClientSession(timeout=ClientTimeout(total=120)) as session:
        yield Client(session, demo.address, key)


async def test_the_story_is_told(analyst: Client) -> None:
    """From the findings to the address, from there to the session, and from that to what was done and undone."""
    found = await _findings(analyst)
    address = await _from_findings(analyst, found)
    session = await _from_address(analyst, address, found)
    await _from_session(analyst, session)
    await _as_it_was(analyst)


async def _findings(analyst: Client) -> dict[str, list[Any]]:
    """All are of the incident, but for the two of somebody in a hurry; the import of old events is none."""
    rows = (await analyst.get("/v1/findings", {"limit": "1000", "status": "open"})).json["findings"]
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row["rule"], []).append(row)
    assert {rule: len(of_rule) for rule, of_rule in found.items()} == {
        "many_failed_log_ins": 1,
        "request_approved_by_requester": 1 + len(SELF_APPROVED_REQUEST_IDS),
        "key_outside_ceremony": 1,
        "off_hours_administration": 1,
        "use_of_closed_access": 1,
    }
    return found


async def _from_findings(analyst: Client, found: dict[str, list[Any]]) -> str:
    """Whose account it was, and from where it was attacked."""
    (log_ins,) = found["many_failed_log_ins"]
    assert log_ins["entity"] == {"type": "user", "id": incident.VICTIM.id}
    assert len(log_ins["evidence"]) == incident.FAILED_LOG_INS
    (export,) = found["key_outside_ceremony"]
    assert (export["severity"], export["entity"]["id"]) == ("critical", incident.KEY_ID)
    (token,) = found["use_of_closed_access"]
    assert (token["severity"], token["entity"]["id"]) == ("critical", incident.TOKEN_ID)
    approvals = {one["entity"]["id"] for one in found["request_approved_by_requester"]}
    assert approvals == {incident.REQUEST_ID, *SELF_APPROVED_REQUEST_IDS}
    addresses = set()
    for finding in (log_ins, export, token):
        event = await analyst.get(f"/v1/events/{finding['evidence'][-1]['event_id']}")
        addresses.add(event.json["event"]["actor"]["ip"])
    assert addresses == {incident.ATTACKER_IP}
    return str(addresses.pop())


async def _from_address(analyst: Client, address: str, found: dict[str, list[Any]]) -> str:
    """All that came from there: the guessing, one session, and the token of somebody else."""
    told = (await analyst.get("/v1/investigations", {"ip": address})).json
    actors = {(event["actor"]["id"], event["actor"].get("session_id")) for event in told["events"]}
    sessions = {session for _, session in actors if session}
    assert sessions == {incident.SESSION_ID}
    assert {actor for actor, _ in actors} == {incident.VICTIM.id, "bot-pipeline"}
    touched = {(entity["type"], entity["id"]) for entity in told["entities"]}
    assert {("key", incident.KEY_ID), ("token", incident.TOKEN_ID), ("setting", "login.lock_after")} <= touched
    of_findings = {finding["rule"] for finding in told["findings"]}
    assert of_findings == set(found)
    return str(sessions.pop())


async def _from_session(analyst: Client, session: str) -> None:
    """What was done in it, in order; what it changed; and what came of it afterwards."""
    told = (await analyst.get("/v1/investigations", {"session": session})).json
    assert [event["activity"] for event in told["events"]] == [
        "user.logged_in",
        "certificate.requested",
        "certificate_request.approved",
        "certificate.downloaded",
        "role.assumed",
        "key.exported",
        "authentication_setting.changed",
        "session.revoked",
    ]
    looser = next(event for event in told["events"] if event["activity"] == "authentication_setting.changed")
    assert looser["changed"] == [{"path": "/attributes/value", "old": 5, "new": 500}]
    came = {(one["event"]["activity"], one["event"]["entity"]["id"]) for one in told["consequences"]}
    assert came >= {
        ("certificate.issued", incident.CERTIFICATE_ID),
        ("user.disabled", incident.VICTIM.id),
        ("key.compromise_reported", incident.KEY_ID),
        ("certificate.revoked", incident.CERTIFICATE_ID),
        ("certificate_authority.revoked", "ca-remote"),
    }
    assert len(told["limits"]) >= 2


async def _as_it_was(analyst: Client) -> None:
    """What the attacker could do that night: the certificate was valid, the key active, the account an
    administrator's; and what is so today."""
    events = (await analyst.page({"activity": "key.exported", "entity": f"key:{incident.KEY_ID}"}))["events"]
    that_night = {"at": events[0]["occurred_at"]}
    now: dict[str, str] = {}
    for path, then, today in (
        (f"certificate/{incident.CERTIFICATE_ID}", "valid", "revoked"),
        (f"key/{incident.KEY_ID}", "active", "compromised"),
        (f"user/{incident.VICTIM.id}", "active", "disabled"),
        ("certificate_authority/ca-remote", "active", "revoked"),
    ):
        states = [(await analyst.get(f"/v1/entities/{path}", as_of)).json["state"] for as_of in (that_night, now)]
        assert states == [then, today], path
    certificate = (await analyst.get(f"/v1/entities/certificate/{incident.CERTIFICATE_ID}", that_night)).json
    assert {(one["relation"], one["id"]) for one in certificate["relations"]} >= {
        ("issuer", "ca-remote"),
        ("requester", incident.VICTIM.id),
        ("approvers", incident.VICTIM.id),
    }
    administrators = await analyst.get("/v1/entities/user", {"roles": "pki_admin", "state": "active", **that_night})
    assert incident.VICTIM.id in {one["id"] for one in administrators.json["entities"]}
    valid = {"issuer": "ca-remote", "state": "valid"}
    listed = await analyst.get("/v1/entities/certificate", {**valid, **that_night})
    assert [one["id"] for one in listed.json["entities"]] == [incident.CERTIFICATE_ID]
    assert (await analyst.get("/v1/entities/certificate", valid)).json["entities"] == []
