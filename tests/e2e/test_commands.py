"""A module reports what it did, one command at a time."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest

from domain.words import Role
from tests.builders import command_data, login_data
from tests.e2e.client import Client
from tests.e2e.conftest import Callers

RECEIPT = {"event_id", "ledger", "position", "recorded_at", "leaf_hash", "chain_hash", "duplicate"}


async def test_a_command_is_answered_with_its_receipt(callers: Callers, module: Client) -> None:
    """The receipt is that of the design: where the event is, when it was recorded, and its hashes."""
    before = datetime.now(UTC)
    answer = await module.send(command_data())
    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/json"
    receipt = answer.json
    assert set(receipt) == RECEIPT
    assert receipt["ledger"] == callers.ledger
    assert receipt["position"] == 2, "the first event is the making of the module's key"
    assert receipt["duplicate"] is False
    assert before <= datetime.fromisoformat(receipt["recorded_at"]) <= datetime.now(UTC)
    assert len(bytes.fromhex(receipt["leaf_hash"])) == sha256().digest_size
    assert len(bytes.fromhex(receipt["chain_hash"])) == sha256().digest_size


async def test_a_receipt_says_where_to_read_the_event(module: Client, auditor: Client) -> None:
    """The Location header leads to the event."""
    answer = await module.send(command_data())
    await auditor.shown(answer.json)
    found = await auditor.call("GET", answer.headers["Location"])
    assert found.json["event"]["event_id"] == answer.json["event_id"]


async def test_a_command_that_is_sent_again_gets_its_receipt_again(module: Client) -> None:
    """A sender that never saw the answer may repeat the command: nothing is recorded twice."""
    command = command_data()
    first = await module.record(command)
    again = await module.record(command)
    assert again == first | {"duplicate": True}
    assert (await module.record(command_data()))["position"] == first["position"] + 1


async def test_the_same_command_in_another_form_is_the_same(module: Client) -> None:
    """White space, the order of members and the zone of a time do not make another command."""
    command = command_data(occurred_at="2026-11-24T10:00:00Z")
    first = await module.record(command)
    again = await module.record(dict(reversed(command.items())) | {"occurred_at": "2026-11-24T11:00:00+01:00"})
    assert again == first | {"duplicate": True}


@pytest.mark.parametrize(
    "change",
    [
        {"correlation_id": "another"},
        {"status": "failure", "failure": {"code": "denied", "reason": "no"}},
        {"actor": {"id": "u-17", "kind": "user", "full_name": "Somebody Else"}},
        {"channel": None},
    ],
)
async def test_an_id_that_is_reused_for_something_else_is_a_conflict(module: Client, change: dict[str, object]) -> None:
    """Any difference counts, in personal data too, and the first event stays as it is."""
    command = command_data()
    first = await module.record(command)
    answer = await module.send(command_data(command_id=command["command_id"], **change))
    assert answer.status == 409
    assert answer.kind == "command-conflict"
    assert answer.pointers == ["/command_id"]
    assert str(first["position"]) in answer.json["detail"]
    assert await module.record(command) == first | {"duplicate": True}


async def test_the_same_id_in_another_ledger_is_another_command(callers: Callers, module: Client) -> None:
    """Ledgers do not know each other's command ids."""
    command = command_data()
    await module.record(command)
    stranger = await callers.elsewhere().create(Role.MODULE)
    assert (await stranger.record(command | {"correlation_id": "another"}))["duplicate"] is False


async def test_the_source_is_the_key(module: Client, auditor: Client) -> None:
    """Which credential sent a command is known from its key."""
    receipt = await module.record(command_data())
    await auditor.shown(receipt)
    answer = await auditor.get(f"/v1/events/{receipt['event_id']}")
    assert module.key is not None
    assert answer.json["event"]["source"] == module.key.split("_")[2]


async def test_a_source_in_the_body_is_refused(module: Client) -> None:
    """Nobody says by themselves who they are."""
    answer = await module.send(command_data(source="somebody-else"))
    assert answer.status == 422
    assert answer.pointers == ["/source"]


async def test_a_failed_action_keeps_what_was_attempted(module: Client, auditor: Client) -> None:
    """A failure needs no details that were never reached, and keeps those that were."""
    failure = {"code": "denied", "reason": "the account is locked"}
    receipt = await module.record(login_data(status="failure", failure=failure, details={"auth_method": "password"}))
    await auditor.shown(receipt)
    event = (await auditor.get(f"/v1/events/{receipt['event_id']}")).json["event"]
    assert (event["status"], event["failure"]) == ("failure", failure)
    assert event["details"] == {"auth_method": "password"}
    assert event["description"] == "Asha Rao failed to log in user Asha Rao: the account is locked (denied)"


async def test_all_that_was_sent_comes_back(module: Client, auditor: Client) -> None:
    """Personal data stand apart in the ledger and are in their places in what is shown."""
    sent = command_data(
        actor={
            "id": "u-ß",
            "kind": "bot",
            "full_name": "Ärna İnce 😀",
            "email": "a@example.com",
            "roles": ["approver"],
            "ip": "2001:db8::1",
            "user_agent": "curl/8",
            "session_id": "s-1",
            "auth_method": "oidc",
            "on_behalf_of": "u-2",
        },
        causation_id="0198c0de",
        also_affected=[{"type": "domain", "id": "example.com"}, {"type": "user", "id": "u-3", "name": "Bo Li"}],
        changes=[{"path": "/owner", "old": None, "new": {"id": [1, 2.5, True, "x"]}}],
    )
    receipt = await module.record(sent)
    await auditor.shown(receipt)
    event = (await auditor.get(f"/v1/events/{receipt['event_id']}")).json["event"]
    expected = sent | {
        "occurred_at": "2026-11-24T10:00:00.000000Z",
        "details": {"crl_reason": "keyCompromise", "revocation_time": "2026-11-24T10:00:00.000000Z"},
    }
    del expected["command"]
    assert {name: event[name] for name in expected} == expected
    assert set(event) - set(expected) == {
        "activity", "description", "entity_version", "event_id", "ledger", "module", "position",
        "recorded_at", "schema_version", "source", "type",
    }  # fmt: skip
