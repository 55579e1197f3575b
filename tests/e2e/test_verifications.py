"""An auditor lets the service verify the ledger, and follows that."""

import asyncio
from typing import Any

import psycopg
import pytest
from aiohttp import ClientSession

from domain.words import DEFAULT_LEDGER, Role
from tests.builders import command_data
from tests.e2e.client import Answer, Client
from tests.e2e.conftest import Callers
from tests.e2e.running import running
from tests.e2e.seeding import varied_commands

UNKNOWN = "0198c0de-0000-7000-8000-000000000000"


async def ended(auditor: Client, started: Answer) -> Any:
    """The verification, once it is no longer running."""
    async with asyncio.timeout(30):
        while True:
            found = await auditor.get(f"/v1/verifications/{started.json['id']}")
            if found.json["state"] != "running":
                return found.json
            await asyncio.sleep(0.05)


async def test_a_verification_is_started_followed_and_recorded(
    callers: Callers, module: Client, auditor: Client
) -> None:
    """Its answer comes at once, its verdict later, and an event with the verdict at the end."""
    receipts = await module.record_all(varied_commands(30))
    await auditor.shown(receipts[-1])
    started = await auditor.call("POST", "/v1/verifications")
    assert started.status == 202
    assert started.headers["Location"] == f"/v1/verifications/{started.json['id']}"
    assert (started.json["state"], started.json["verdict"], started.json["report"]) == ("running", None, None)
    found = await ended(auditor, started)
    assert (found["state"], found["verdict"], found["ledger"]) == ("finished", "intact", callers.ledger)
    assert (found["kind"], found["whole"]) == ("requested", True)
    assert found["report"]["tampering"] == []
    assert found["report"]["from_position"] == 1
    assert found["report"]["to_position"] >= len(receipts)
    assert any(line.startswith("the read table activity") for line in found["report"]["checked"])
    assert found["progress"]["done"] == found["progress"]["total"] > 0
    events = await auditor.page(
        {"activity": "audit_trail.verified", "min_position": str(found["report"]["to_position"] + 1)}
    )
    (event,) = events["events"]
    assert event["details"]["verdict"] == "intact"
    assert event["details"]["verification_id"] == started.json["id"]
    assert event["source"] == found["source"]


async def test_the_read_tables_can_be_left_out(auditor: Client, module: Client) -> None:
    """They take most of the time; and it is said."""
    await module.record(command_data())
    found = await ended(auditor, await auditor.call("POST", "/v1/verifications?tables=false"))
    assert (found["verdict"], found["whole"]) == ("intact", False)
    assert "whether the read tables say what the ledger says" in found["report"]["not_checked"]


async def test_a_ledger_is_verified_once_at_a_time(callers: Callers, auditor: Client, module: Client) -> None:
    """Another one is refused until that has ended; other ledgers do not wait."""
    await module.record_all(varied_commands(300))
    started = await auditor.call("POST", "/v1/verifications")
    again = await auditor.call("POST", "/v1/verifications")
    assert (again.status, again.kind) == (409, "already-verifying")
    stranger = await callers.elsewhere().create(Role.AUDITOR)
    assert (await stranger.call("POST", "/v1/verifications")).status == 202
    assert (await ended(auditor, started))["verdict"] == "intact"
    assert (await ended(auditor, await auditor.call("POST", "/v1/verifications")))["verdict"] == "intact"


@pytest.mark.parametrize("verification_id", [UNKNOWN, "42", "%00", "x" * 3000])
async def test_what_is_not_there_is_not_found(auditor: Client, verification_id: str) -> None:
    """An id that nobody has, or what is no id at all."""
    answer = await auditor.call("GET", f"/v1/verifications/{verification_id}")
    assert (answer.status, answer.kind) == (404, "not-found")


async def test_a_verification_of_another_ledger_is_not_found(callers: Callers, auditor: Client) -> None:
    """Who is not of the ledger learns nothing about it."""
    started = await auditor.call("POST", "/v1/verifications")
    stranger = await callers.elsewhere().create(Role.AUDITOR)
    assert (await stranger.call("GET", f"/v1/verifications/{started.json['id']}")).status == 404
    await ended(auditor, started)


@pytest.mark.parametrize("role", [Role.MODULE, Role.OPERATOR, Role.USER])
async def test_only_auditors_verify(callers: Callers, role: Role) -> None:
    """And only they read what came of it."""
    caller = await callers.create(role, actor_id="u-1" if role is Role.USER else None)
    for method, path in (("POST", "/v1/verifications"), ("GET", f"/v1/verifications/{UNKNOWN}")):
        assert (await caller.call(method, path)).status == 403


@pytest.mark.parametrize("query", ["tables=perhaps", "tabels=true", "tables=true&tables=false"])
async def test_a_bad_option_is_named(auditor: Client, query: str) -> None:
    """Nothing is started then."""
    answer = await auditor.call("POST", f"/v1/verifications?{query}")
    assert (answer.status, answer.kind) == (422, "invalid-query")
    assert answer.json["errors"][0]["parameter"] == query.partition("=")[0]


async def test_tampering_raises_an_alarm_until_all_is_well_again(database_url: str, session: ClientSession) -> None:
    """Readiness and a figure tell, whoever asks; commands are taken all the while."""
    with running(database_url) as service:
        keys = {role: await service.create_key(DEFAULT_LEDGER, role) for role in (Role.MODULE, Role.AUDITOR)}
        module, auditor = (Client(session, service.address, keys[role][1]) for role in (Role.MODULE, Role.AUDITOR))
        receipt = await module.record(command_data())
        await auditor.shown(receipt)
        assert (await alarm(auditor)) == ("ready", "ready", 0)
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute("ALTER TABLE audit.events DISABLE TRIGGER ALL")
            change = "UPDATE audit.events SET topic = %s WHERE position = %s RETURNING topic"
            owner.execute(change, ["Another", receipt["position"]])
            found = await ended(auditor, await auditor.call("POST", "/v1/verifications"))
            assert (found["verdict"], found["report"]["tampering"][0]["kind"]) == ("tampered", "column-altered")
            assert found["report"]["tampering"][0]["position"] == receipt["position"]
            assert await alarm(auditor) == ("alarm", "tampered", 1)
            await module.record(command_data())
            owner.execute(change, ["CertificateRevoked", receipt["position"]])
        await ended(auditor, await auditor.call("POST", "/v1/verifications?tables=false"))
        assert await alarm(auditor) == ("alarm", "tampered", 1)
        assert (await ended(auditor, await auditor.call("POST", "/v1/verifications")))["verdict"] == "intact"
        assert await alarm(auditor) == ("ready", "ready", 0)
        detected = await auditor.page({"activity": "audit_tampering.detected"})
        assert [event["details"]["position"] for event in detected["events"]] == [receipt["position"]]


async def alarm(client: Client) -> tuple[str, str, int]:
    ready = await client.call("GET", "/readyz")
    assert ready.status == 200
    figures = (await client.call("GET", "/metrics")).body.decode()
    figure = next(line for line in figures.splitlines() if line.startswith("certinext_audit_verification_alarms "))
    return ready.json["status"], ready.json["verification"], int(float(figure.split()[1]))
