"""The audit of the audit: a search is itself an event."""

from typing import Any

import pytest

from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.seeding import varied_commands


async def searches(auditor: Client) -> list[dict[str, Any]]:
    """The searches recorded so far, this one not among them, oldest first."""
    page = await auditor.page({"activity": "audit_trail.queried", "order": "recorded", "limit": "1000"})
    events: list[dict[str, Any]] = page["events"]
    return events


async def test_a_search_is_recorded_with_its_filters_and_rows(module: Client, auditor: Client) -> None:
    """Who looked for what, and how much was shown."""
    receipts = await module.record_all(varied_commands(10))
    parameters = [("user", "asha"), ("user", "u-12"), ("from", "2026-10-01T00:00:00Z"), ("limit", "3")]
    page = await auditor.page([*parameters, ("min_position", str(receipts[-1]["position"]))])
    answer = await auditor.page(
        {"activity": "audit_trail.queried", "min_position": str(receipts[-1]["position"] + 1), "order": "recorded"}
    )
    (event,) = answer["events"]
    assert event["details"] == {
        "filters": {"user": ["asha", "u-12"], "from": "2026-10-01T00:00:00.000000Z"},
        "rows": len(page["events"]),
    }
    assert auditor.key is not None
    assert event["actor"]["id"] == event["source"] == auditor.key.split("_")[2]
    assert event["channel"] == "rest"
    assert event["description"].startswith("A auditor searched the audit trail ")


async def test_every_page_that_shows_something_is_recorded(module: Client, auditor: Client) -> None:
    """Nobody reads a ledger by cursor, or an event by its id, unseen."""
    receipts = await module.record_all(varied_commands(10))
    page = await auditor.page({"limit": "2", "min_position": str(receipts[-1]["position"])})
    for _ in range(3):
        page = await auditor.page({"limit": "2", "cursor": page["next"]})
    assert (await auditor.get(f"/v1/events/{receipts[0]['event_id']}")).status == 200
    receipt = await module.record(command_data())
    assert receipt["position"] == receipts[-1]["position"] + 6


async def test_polling_comes_to_rest(module: Client, auditor: Client) -> None:
    """A page that tells a caller of its own reading only is not recorded, or polling would feed itself for ever."""
    receipt = await module.record(command_data())
    page = await auditor.page({"order": "recorded", "min_position": str(receipt["position"])})
    search = str(receipt["position"] + 1)
    for _ in range(5):
        page = await auditor.page({"order": "recorded", "cursor": page["next"], "min_position": search})
    assert (await module.record(command_data()))["position"] == receipt["position"] + 2


@pytest.mark.parametrize("query", ["limit=0", "colour=red", "cursor=x", "cursor="])
async def test_a_refused_search_is_none(module: Client, auditor: Client, query: str) -> None:
    """What showed nothing is not recorded, and an empty cursor is no way to search unseen."""
    first = await module.record(command_data())
    assert (await auditor.call("GET", f"/v1/events?{query}")).status == 422
    assert (await module.record(command_data()))["position"] == first["position"] + 1


async def test_what_was_searched_for_is_personal(module: Client, auditor: Client) -> None:
    """A filter may name a person: it stands beside the record, and is shown in its place."""
    receipt = await module.record(command_data())
    await auditor.page({"user": "Asha Rao"})
    await auditor.shown({"position": receipt["position"] + 1})
    event = (await searches(auditor))[0]
    found = (await auditor.get(f"/v1/events/{event['event_id']}")).json
    assert found["event"]["details"]["filters"] == {"user": ["Asha Rao"]}
    assert "Asha" not in found["record"]
