"""Pages follow one another without gap or repetition, whatever arrives meanwhile."""

from collections.abc import Sequence
from typing import Any

import pytest

from adapters.http import events as events_of_http
from projections.reads import Wait
from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.seeding import varied_commands

Event = dict[str, Any]


async def walk(auditor: Client, module: Client, *parameters: tuple[str, str], limit: int) -> list[Event]:
    """All pages by the Link header, while events of different times are appended before some of them."""
    found: list[Event] = []
    arrivals = [f"2026-10-{day:02}T00:00:00Z" for day in (1, 30, 10, 20, 5)]
    answer = await auditor.get("/v1/events", [*parameters, ("limit", str(limit))])
    while True:
        assert answer.status == 200, answer.body
        page = answer.json
        assert len(page["events"]) <= limit
        found += page["events"]
        if page["next"] is None or not page["events"]:
            return found
        assert answer.links["next"].query["cursor"] == page["next"]
        assert "cursor" not in answer.links["first"].query
        if arrivals:
            receipt = await module.record(command_data(occurred_at=arrivals.pop()))
            await auditor.shown(receipt)
        answer = await auditor.call("GET", answer.links["next"])


def of(receipts: Sequence[Event], found: Sequence[Event]) -> list[str]:
    """The ids of the events found that the receipts are of, in their order."""
    ids = {receipt["event_id"] for receipt in receipts}
    return [event["event_id"] for event in found if event["event_id"] in ids]


@pytest.fixture
async def receipts(module: Client, auditor: Client) -> list[Event]:
    """Events of which several occurred at the same time."""
    receipts = await module.record_all(varied_commands(40))
    await auditor.shown(receipts[-1])
    return receipts


@pytest.mark.parametrize("limit", [1, 7, 40, 1000])
async def test_newest_first_walks_everything_once(
    module: Client, auditor: Client, receipts: list[Event], limit: int
) -> None:
    """The order is that of time, and that of positions among the same time."""
    found = await walk(auditor, module, limit=limit)
    keys = [(event["occurred_at"], event["position"]) for event in found]
    assert keys == sorted(set(keys), reverse=True)
    assert sorted(of(receipts, found)) == sorted(receipt["event_id"] for receipt in receipts)


@pytest.mark.parametrize("limit", [1, 7, 1000])
async def test_by_position_walks_everything_once(
    module: Client, auditor: Client, receipts: list[Event], limit: int
) -> None:
    """The order is that of the ledger, and what is appended meanwhile comes too."""
    found = await walk(auditor, module, ("order", "recorded"), ("from", "2026-10-01T00:00:00Z"), limit=limit)
    positions = [event["position"] for event in found]
    assert positions == sorted(set(positions))
    assert of(receipts, found) == [receipt["event_id"] for receipt in receipts]


async def test_a_filtered_walk_finds_what_one_page_finds(
    module: Client, auditor: Client, receipts: list[Event]
) -> None:
    """Links keep the filters, with all that they hold."""
    filters = [("user", "u-1"), ("user", "100%"), ("text", "certificate"), ("status", "success")]
    whole = await auditor.page([*filters, ("limit", "1000")])
    assert of(receipts, await walk(auditor, module, *filters, limit=2)) == of(receipts, whole["events"])


async def test_a_poll_sees_each_later_event_once(module: Client, auditor: Client) -> None:
    """In recorded order there is always a next page: an empty one leads on to what comes later."""
    page = await auditor.page({"order": "recorded", "limit": "1000"})
    pages = [page]
    for _ in range(5):
        receipt = await module.record(command_data())
        parameters = {"order": "recorded", "limit": "1000", "cursor": page["next"]}
        pages.append(await auditor.page(parameters | {"min_position": str(receipt["position"])}))
        page = await auditor.page({"order": "recorded", "limit": "1000", "cursor": pages[-1]["next"]})
        pages.append(page)
    seen = [event["position"] for page in pages for event in page["events"]]
    assert seen == list(range(1, len(seen) + 1))
    assert receipt["position"] in seen
    # That they were asked for is recorded, too, and may turn up in any of them, but hardly in all.
    assert any(not page["events"] for page in pages[2::2])


async def test_a_poll_with_a_filter_that_finds_nothing_goes_on(module: Client, auditor: Client) -> None:
    """The next link moves past events that are not wanted."""
    page = await auditor.page({"order": "recorded", "entity": "certificate:unique"})
    for _ in range(3):
        receipt = await module.record(command_data())
    await auditor.shown(receipt)
    page = await auditor.page({"order": "recorded", "entity": "certificate:unique", "cursor": page["next"]})
    assert page["events"] == []
    wanted = await module.record(command_data(entity={"type": "certificate", "id": "unique"}))
    await auditor.shown(wanted)
    page = await auditor.page({"order": "recorded", "entity": "certificate:unique", "cursor": page["next"]})
    assert of([wanted], page["events"]) == [wanted["event_id"]]


async def test_the_last_page_says_so(module: Client, auditor: Client) -> None:
    """In the order for people the walk ends: with no next, and no link to one."""
    await auditor.shown(await module.record(command_data()))
    answer = await auditor.get("/v1/events", {"limit": "1000"})
    assert answer.json["next"] is None
    assert set(answer.links) == {"first"}


@pytest.mark.parametrize("order", ["occurred", "recorded"])
async def test_who_waits_for_a_position_reads_its_own_write(module: Client, auditor: Client, order: str) -> None:
    """The answer says how far its table is, and that is at least as far as was asked for."""
    for _ in range(5):
        receipt = await module.record(command_data())
        page = await auditor.page({"order": order, "limit": "1000", "min_position": str(receipt["position"])})
        assert receipt["event_id"] in [event["event_id"] for event in page["events"]]
        assert page["position"] >= receipt["position"]


@pytest.mark.parametrize("order", ["occurred", "recorded"])
async def test_a_position_that_does_not_come_is_not_waited_for_endlessly(
    auditor: Client, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """The caller is told how far the table is, and when to ask again."""
    monkeypatch.setattr(events_of_http, "Wait", lambda position, _: Wait(position, seconds=0.05))
    answer = await auditor.get("/v1/events", {"order": order, "min_position": str(2**53)})
    assert (answer.status, answer.kind) == (503, "not-yet-projected")
    assert int(answer.headers["Retry-After"]) > 0
    assert str(2**53) in answer.json["detail"]
