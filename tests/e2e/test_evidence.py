"""An event can be checked with nothing but SHA-256."""

from hashlib import sha256

import orjson
import pytest

from domain.words import Role
from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.conftest import Callers
from tests.e2e.seeding import varied_commands

UNKNOWN = "0198c0de-0000-7000-8000-000000000000"


async def test_the_record_hashes_to_its_leaf_and_the_chain_links_it(
    callers: Callers, module: Client, auditor: Client
) -> None:
    """From the first event of the ledger to the last, as the design says it."""
    receipts = await module.record_all(varied_commands(12))
    await auditor.shown(receipts[-1])
    page = await auditor.page({"order": "recorded", "limit": "1000"})
    chain = sha256(b"certinext-audit/chain/v1\n" + callers.ledger.encode()).digest()
    hashes = {}
    for event in page["events"]:
        found = (await auditor.get(f"/v1/events/{event['event_id']}")).json
        leaf = sha256(b"\x00" + found["record"].encode()).digest()
        chain = sha256(b"\x02" + chain + leaf).digest()
        assert (found["leaf_hash"], found["chain_hash"]) == (leaf.hex(), chain.hex())
        assert found["event"] == event
        hashes[event["event_id"]] = (leaf.hex(), chain.hex())
    for receipt in receipts:
        assert hashes[receipt["event_id"]] == (receipt["leaf_hash"], receipt["chain_hash"])


async def test_the_record_is_canonical_and_holds_nothing_personal(module: Client, auditor: Client) -> None:
    """Its keys are sorted, nothing is between them, and of personal data only the digest is there."""
    receipt = await module.record(command_data())
    await auditor.shown(receipt)
    found = (await auditor.get(f"/v1/events/{receipt['event_id']}")).json
    record = orjson.loads(found["record"])
    assert orjson.dumps(record, option=orjson.OPT_SORT_KEYS).decode() == found["record"]
    assert record["event_id"] == receipt["event_id"]
    assert record["position"] == receipt["position"]
    assert record["recorded_at"] == receipt["recorded_at"]
    assert len(bytes.fromhex(record["personal"])) == 32
    assert "Asha" not in found["record"]
    assert "10.1.2.3" not in found["record"]
    assert found["event"]["actor"]["full_name"] == "Asha Rao"


@pytest.mark.parametrize("event_id", [UNKNOWN, "42", "latest", "%00", "%ff", "..", "x" * 3000, "0198c0de"])
async def test_an_event_that_is_not_there_is_not_found(auditor: Client, event_id: str) -> None:
    """An id that nobody has, or what is no id at all."""
    answer = await auditor.call("GET", f"/v1/events/{event_id}")
    assert (answer.status, answer.kind) == (404, "not-found")


async def test_an_event_of_another_ledger_is_not_found(callers: Callers, module: Client) -> None:
    """Who is not of the ledger learns nothing about it."""
    receipt = await module.record(command_data())
    stranger = await callers.elsewhere().create(Role.AUDITOR)
    answer = await stranger.get(f"/v1/events/{receipt['event_id']}")
    assert (answer.status, answer.kind) == (404, "not-found")
