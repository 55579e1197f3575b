"""The sums of users, modules and statuses are those of what was sent."""

from collections import Counter
from typing import Any

import pytest

from tests.builders import command_data
from tests.e2e.client import Client, Parameters
from tests.e2e.seeding import ACTORS, varied_commands

Rows = list[dict[str, Any]]


async def rows_of(auditor: Client, table: str, parameters: Parameters = ()) -> Rows:
    answer = await auditor.get(f"/v1/{table}", parameters)
    assert answer.status == 200, answer.body
    found: Rows = answer.json[table]
    return found


async def walk(auditor: Client, table: str, limit: int, **parameters: str) -> Rows:
    """All pages, by the Link header."""
    found: Rows = []
    answer = await auditor.get(f"/v1/{table}", {**parameters, "limit": str(limit)})
    while True:
        assert answer.status == 200, answer.body
        found += answer.json[table]
        if answer.json["next"] is None:
            assert "next" not in answer.links
            return found
        answer = await auditor.call("GET", answer.links["next"])


@pytest.fixture
async def events(module: Client, auditor: Client) -> Rows:
    """Varied events, shown in all tables. Listing users is recorded as well, as the auditor's own doing."""
    receipts = await module.record_all(varied_commands())
    page = await auditor.page({"limit": "1000", "min_position": str(receipts[-1]["position"])})
    after_search = {"min_position": str(receipts[-1]["position"] + 1)}
    for table in ("users", "modules", "statuses"):
        await rows_of(auditor, table, after_search)
    ids = {receipt["event_id"] for receipt in receipts}
    return [event for event in page["events"] if event["event_id"] in ids]


async def test_users_sum_up_what_each_actor_did(auditor: Client, events: Rows) -> None:
    """How often, how often in vain, first and last."""
    users = {user["id"]: user for user in await rows_of(auditor, "users")}
    assert {actor["id"] for actor in ACTORS} <= set(users)
    for actor in ACTORS:
        own = [event for event in events if event["actor"]["id"] == actor["id"]]
        assert users[str(actor["id"])] == {
            "id": actor["id"],
            "full_name": actor.get("full_name"),
            "kind": actor["kind"],
            "events": len(own),
            "failures": sum(event["status"] == "failure" for event in own),
            "first_occurred_at": min(event["occurred_at"] for event in own),
            "last_occurred_at": max(event["occurred_at"] for event in own),
            "last_position": max(event["position"] for event in own),
        }


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ([("user", "u-1")], ["u-1", "u-12"]),
        ([("user", "U-")], ["U-2", "u-1", "u-12"]),
        ([("user", "STRASSE")], ["u-12"]),
        ([("user", "i̇nci")], ["U-2"]),
        ([("user", "100%")], ["100%_sure"]),
        ([("user", "50% off\\")], ["100%_sure"]),
        ([("user", "_")], []),
        ([("user", "asha"), ("user", "svc")], ["svc", "u-1"]),
        ([("kind", "bot")], ["100%_sure", "100x-sure"]),
        ([("kind", "bot"), ("kind", "user"), ("user", "5"), ("user", "a")], ["100%_sure", "100x-sure", "u-1"]),
        ([("to", "2026-10-01T00:00:00Z")], []),
    ],
)
async def test_users_are_filtered(
    auditor: Client, events: Rows, parameters: list[tuple[str, str]], expected: list[str]
) -> None:
    """By the beginning of an id or name in any case, and by kind."""
    assert events
    ids = {str(actor["id"]) for actor in ACTORS}
    found = [user["id"] for user in await rows_of(auditor, "users", parameters)]
    assert [user for user in found if user in ids] == expected


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
async def test_users_come_in_pages(auditor: Client, events: Rows, limit: int) -> None:
    """All of them, once, by id."""
    assert events
    ids = [user["id"] for user in await walk(auditor, "users", limit)]
    assert ids == [user["id"] for user in await rows_of(auditor, "users", {"limit": "1000"})]


async def test_a_page_may_end_at_any_id(module: Client, auditor: Client) -> None:
    """However long an id is, and whatever it is written in."""
    ids = [letter * 256 for letter in ("a", "ß", "漢", "😀", "\x01", '"', "%")]
    receipts = await module.record_all(command_data(actor={"id": actor, "kind": "user"}) for actor in ids)
    await auditor.shown(receipts[-1])
    found = [user["id"] for user in await walk(auditor, "users", 1, kind="user")]
    assert found == sorted(ids)


async def test_modules_sum_up_each_activity(auditor: Client, events: Rows) -> None:
    """How often each happened, and how often it failed."""
    modules = await rows_of(auditor, "modules")
    assert modules == sorted(modules, key=lambda row: (row["module"], row["activity"]))
    known = {(row["module"], row["activity"]): row for row in modules}
    for key in {(event["module"], event["activity"]) for event in events}:
        own = [event for event in events if (event["module"], event["activity"]) == key]
        assert known[key] == {
            "module": key[0],
            "activity": key[1],
            "events": len(own),
            "failures": sum(event["status"] == "failure" for event in own),
            "first_occurred_at": min(event["occurred_at"] for event in own),
            "last_occurred_at": max(event["occurred_at"] for event in own),
        }


async def test_modules_are_filtered(auditor: Client, events: Rows) -> None:
    """By module and by activity; values of one are alternatives."""
    assert events
    found = await rows_of(auditor, "modules", [("module", "user_activity"), ("module", "certificate_authority")])
    assert [row["activity"] for row in found] == ["crl.generated", "user.logged_in"]
    found = await rows_of(auditor, "modules", {"activity": "crl.generated", "module": "user_activity"})
    assert found == []


@pytest.mark.parametrize(("bucket", "width"), [("hour", 13), ("day", 10)])
@pytest.mark.parametrize("wanted", ["", "certificate_operations"])
async def test_statuses_count_by_time(auditor: Client, events: Rows, bucket: str, width: int, wanted: str) -> None:
    """Every event counts in its hour or day."""
    expected = Counter(
        (event["occurred_at"][:width], event["status"]) for event in events if wanted in ("", event["module"])
    )
    span = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z", "bucket": bucket}
    for limit in (1, 2, 5, 1000):
        rows = await walk(auditor, "statuses", limit, **span, **({"module": wanted} if wanted else {}))
        assert [(row["bucket"][:width], row["status"], row["events"]) for row in rows] == [
            (*key, expected[key]) for key in sorted(expected, key=lambda key: (key[0], key[1]))
        ]


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
async def test_a_page_of_counts_holds_as_many_as_asked_for(module: Client, auditor: Client, limit: int) -> None:
    """It may end between the two statuses of one span; the next one goes on right there."""
    failure = {"code": "denied", "reason": "no"}
    commands = [
        command | {"occurred_at": f"2020-01-0{day}T00:00:00Z"}
        for day in (1, 2, 3)
        for command in (command_data(), command_data(status="failure", failure=failure))
    ]
    receipts = await module.record_all(commands[:-1])
    await auditor.shown(receipts[-1])
    answer = await auditor.get("/v1/statuses", {"limit": str(limit), "to": "2020-01-04T00:00:00Z"})
    sizes, rows = [], []
    while True:
        sizes.append(len(answer.json["statuses"]))
        rows += answer.json["statuses"]
        if answer.json["next"] is None:
            break
        answer = await auditor.call("GET", answer.links["next"])
    assert all(size == limit for size in sizes[:-1])
    assert 1 <= sizes[-1] <= limit
    assert [(row["bucket"][:10], row["status"], row["events"]) for row in rows] == [
        ("2020-01-01", "failure", 1),
        ("2020-01-01", "success", 1),
        ("2020-01-02", "failure", 1),
        ("2020-01-02", "success", 1),
        ("2020-01-03", "success", 1),
    ]


@pytest.mark.parametrize("table", ["users", "modules", "statuses"])
async def test_each_table_can_be_waited_for(module: Client, auditor: Client, table: str) -> None:
    """With `min_position` one's own write is in the sums."""
    for number in range(1, 4):
        command = command_data(actor={"id": "me", "kind": "user"}, occurred_at="2019-01-01T00:00:00Z")
        receipt = await module.record(command)
        rows = await rows_of(auditor, table, {"min_position": str(receipt["position"])})
        own = {"me", "certificate.revoked", "2019-01-01T00:00:00.000000Z"}
        assert [row["events"] for row in rows if own & set(map(str, row.values()))] == [number]
