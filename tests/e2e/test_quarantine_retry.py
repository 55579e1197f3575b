"""What is in quarantine becomes an event once the reason for its refusal is gone."""

import psycopg
import pytest

from adapters.embedded import EmbeddedDatabase
from domain.words import Ledger, Module, Role
from tests.builders import login_data
from tests.e2e.bad_bodies import body
from tests.e2e.client import Client
from tests.e2e.conftest import Callers
from tests.e2e.quarantined import listed


def allow(server: EmbeddedDatabase, ledger: Ledger, modules: list[Module]) -> None:
    """Let every credential of a ledger report for these, as only the database's owner can."""
    with psycopg.connect(server.url("e2e")) as owner:
        owner.execute("UPDATE audit.credentials SET modules = %s WHERE ledger = %s", [modules, ledger])


async def test_a_retry_records_it_once_its_reason_is_gone(
    callers: Callers, operator: Client, server: EmbeddedDatabase
) -> None:
    """Under the credential that sent it, even if that was revoked since, and once only."""
    credential, key = await callers.service.create_key(
        callers.ledger, Role.MODULE, modules=frozenset({Module.CERTIFICATE_OPERATIONS})
    )
    bound = callers.with_key(key)
    command = login_data()
    refused = await bound.send(command)
    quarantine_id = refused.json["quarantine_id"]
    path = f"/v1/quarantine/{quarantine_id}/retry"
    again = await operator.call("POST", path)
    assert (again.status, again.json) == (403, refused.json)
    assert await listed(operator, state="retried") == []

    allow(server, callers.ledger, [Module.USER_ACTIVITY])
    await callers.service.revoke_key(credential)
    first = await operator.call("POST", path)
    assert (first.status, first.json["duplicate"]) == (200, False)
    repeated = await operator.call("POST", path)
    assert repeated.json == first.json | {"duplicate": True}
    (entry,) = await listed(operator, state="retried")
    assert (entry["id"], entry["position"]) == (quarantine_id, first.json["position"])
    assert entry["retried_at"] > entry["received_at"]
    assert await listed(operator, state="waiting") == []

    auditor = await callers.create(Role.AUDITOR)
    await auditor.shown(first.json)
    event = (await auditor.get(f"/v1/events/{first.json['event_id']}")).json["event"]
    assert (event["source"], event["command_id"]) == (credential.id, command["command_id"])


@pytest.mark.parametrize(("sent", "status"), [(b"{", 400), (b"{}", 422), (body(command="FlyToTheMoon"), 422)])
async def test_what_is_still_wrong_stays(module: Client, operator: Client, sent: bytes, status: int) -> None:
    """The problem is the sender's, and nothing new is kept."""
    refused = await module.send(sent)
    answer = await operator.call("POST", f"/v1/quarantine/{refused.json['quarantine_id']}/retry")
    assert (answer.status, answer.json) == (status, refused.json)
    (entry,) = await listed(operator, state="waiting")
    assert entry["count"] == 1
