"""How a ledger stands, for auditors and operators."""

import asyncio
from typing import Any

import pytest

from domain.words import Role
from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.conftest import Callers
from tests.e2e.test_verifications import ended
from tests.patience import PATIENCE


async def standing(caller: Client) -> Any:
    answer = await caller.get("/v1/health")
    assert answer.status == 200, answer.body
    return answer.json


async def test_a_ledger_that_is_new_has_nothing_yet(operator: Client, callers: Callers) -> None:
    """Its one event is the creation of the key that asks."""
    found = await standing(operator)
    assert (found["ledger"], found["position"]) == (callers.ledger, 1)
    assert (found["quarantined"], found["verification"], found["whole_verification"]) == (0, None, None)


async def test_what_is_recorded_signed_refused_and_verified_is_told(
    module: Client, auditor: Client, operator: Client, callers: Callers
) -> None:
    receipts = await module.record_all(command_data() for _ in range(5))
    await module.send({"command": "Nonsense"})
    await auditor.shown(receipts[-1])
    verified = await ended(auditor, await auditor.call("POST", "/v1/verifications"))
    partly = await ended(auditor, await auditor.call("POST", "/v1/verifications?tables=false"))
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await standing(operator)
            if found["checkpoint"] and found["checkpoint"]["size"] == found["applied"] == found["position"]:
                break
            await asyncio.sleep(0.05)
    assert found["position"] >= receipts[-1]["position"]
    assert found["quarantined"] == 1
    assert found["set_aside"] == 0
    assert found["whole_verification"] == verified
    assert found["verification"] == partly
    elsewhere = await callers.elsewhere().create(Role.OPERATOR)
    assert (await standing(elsewhere))["quarantined"] == 0


@pytest.mark.parametrize(
    ("role", "status"), [(Role.AUDITOR, 200), (Role.OPERATOR, 200), (Role.USER, 403), (Role.MODULE, 403)]
)
async def test_it_is_for_those_who_look_after_the_ledger(callers: Callers, role: Role, status: int) -> None:
    caller = await callers.create(role, actor_id="u-17" if role is Role.USER else None)
    assert (await caller.get("/v1/health")).status == status
    events = await (await callers.create(Role.AUDITOR)).page({"activity": "audit_trail.queried"})
    assert events["events"] == []
