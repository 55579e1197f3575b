"""Entities over HTTP: as they were, their timelines, what changed, and all of a type."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.client import Client
from tests.told import ISSUED, REVOKED, actor, sent

CERTIFICATE = "/v1/entities/certificate/c-1"


@pytest.fixture
async def receipts(module: Client, auditor: Client) -> list[Any]:
    """Two certificates of two authorities, of which one was revoked; one only ever failed."""
    assert auditor.key  # Whose making is an event before these.
    return await module.record_all([
        sent("RequestCertificate", "certificate_request:r", 0, actor=actor("u-1")),
        sent("IssueCertificate", "certificate:c-1", 1, details=ISSUED | {"ca_id": "ca-1", "request_id": "r"}),
        sent("IssueCertificate", "certificate:c/2", 2, details=ISSUED | {"ca_id": "ca-2"}),
        sent("RevokeCertificate", "certificate:c-1", 10, details=REVOKED),
        sent("DeployCertificate", "certificate:c-1", 5, details={"target": "www"}),
        sent("IssueCertificate", "certificate:c-3", 7, failure=True),
    ])  # fmt: skip


async def get(auditor: Client, path: str, **parameters: str) -> Any:
    answer = await auditor.get(path, parameters)
    assert answer.status == 200, answer.body
    return answer.json


@pytest.mark.parametrize(
    ("as_of", "state", "version"),
    [
        ({}, "revoked", 3),
        ({"at": "2026-11-24T10:01:00Z"}, "valid", 1),
        ({"at": "2026-11-24T11:05:30+01:00"}, "valid", 2),
        ({"position": "1"}, "revoked", 2),
    ],
)
async def test_an_entity_is_shown_as_it_was(
    receipts: list[Any], auditor: Client, as_of: Mapping[str, str], state: str, version: int
) -> None:
    """By time or by position; with the place in the ledger to which it was replayed."""
    if "position" in as_of:
        as_of = {"position": str(receipts[3]["position"])}
    found = await get(auditor, CERTIFICATE, **as_of)
    assert (found["state"], found["version"]) == (state, version)
    place = found["replayed_to"]
    if "position" in as_of:
        assert place == {key: receipts[3][key] for key in ("position", "chain_hash")}
    else:
        assert place["position"] >= receipts[-1]["position"]


async def test_relations_keep_the_moment(receipts: list[Any], auditor: Client) -> None:
    """Who follows a link sees the other entity as it was then."""
    assert receipts
    found = await get(auditor, CERTIFICATE, at="2026-11-24T10:02:00Z")
    links = {one["relation"]: one["href"] for one in found["relations"]}
    assert links["issuer"] == "/v1/entities/certificate_authority/ca-1?at=2026-11-24T10%3A02%3A00.000000Z"
    assert {one["relation"] for one in found["relations"] if "through" in one} == {"requester"}
    request = await auditor.call("GET", links["request"])
    assert request.json["state"] == "pending"


async def test_an_id_may_be_written_in_any_letters(receipts: list[Any], auditor: Client) -> None:
    assert receipts
    answer = await auditor.call("GET", f"/v1/entities/certificate/{quote('c/2', safe='')}")
    assert (answer.status, answer.json["id"], answer.json["attributes"]["issuer"]) == (200, "c/2", "ca-2")


async def test_the_timeline_comes_in_pages(receipts: list[Any], auditor: Client) -> None:
    assert receipts
    answer = await auditor.get(f"{CERTIFICATE}/timeline", {"limit": "2"})
    first = answer.json
    assert [one["activity"] for one in first["events"]] == ["certificate.issued", "certificate.revoked"]
    assert first["events"][1]["changes"][-1] == {"path": "/state", "old": "valid", "new": "revoked"}
    second = (await auditor.call("GET", answer.links["next"])).json
    assert [(one["activity"], one["late"]) for one in second["events"]] == [("certificate.deployed", True)]
    assert second["next"] is None
    assert (await auditor.call("GET", first["also_named_by"])).status == 200


@pytest.mark.parametrize("between", ["times", "positions", "to now"])
async def test_two_moments_are_compared(receipts: list[Any], auditor: Client, between: str) -> None:
    begin, end = receipts[1]["position"], receipts[3]["position"]
    query = {
        "times": {"from": "2026-11-24T10:01:00Z", "to": "2026-11-24T10:20:00Z"},
        "positions": {"from": str(begin), "to": str(end)},
        "to now": {"from": str(begin)},
    }[between]
    found = await get(auditor, f"{CERTIFICATE}/diff", **query)
    assert (found["before"]["state"], found["after"]["state"]) == ("valid", "revoked")
    changed = {one["path"]: (one.get("old"), one.get("new")) for one in found["changes"]}
    assert changed["/state"] == ("valid", "revoked")
    assert ("/attributes/deployments" in changed) == (between != "positions")


async def test_before_it_began_there_was_nothing(receipts: list[Any], auditor: Client) -> None:
    assert receipts
    found = await get(auditor, f"{CERTIFICATE}/diff", **{"from": "2020-01-01T00:00:00Z", "to": "2026-11-24T10:01:00Z"})
    assert found["before"] is None
    assert {"path": "/attributes/issuer", "new": "ca-1"} in found["changes"]


async def test_who_only_failed_is_not_known_to_be(receipts: list[Any], auditor: Client) -> None:
    assert receipts
    found = await get(auditor, "/v1/entities/certificate/c-3")
    assert (found["state"], found["attributes"]) == (None, {})
    assert found["notes"] == ["only failed actions tell of it: nothing shows that it ever was"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, ["c-1", "c/2"]),
        ({"state": "valid"}, ["c/2"]),
        ({"state": "valid", "at": "2026-11-24T10:09:00Z"}, ["c-1", "c/2"]),
        ({"issuer": "ca-1"}, ["c-1"]),
        ({"issuer": "ca-1", "state": "valid"}, []),
        ({"issuer": "ca-1", "state": "valid", "at": "2026-11-24T10:01:30Z"}, ["c-1"]),
        ({"deployments": "www"}, ["c-1"]),
        ({"deployments": "www", "at": "2026-11-24T10:04:00Z"}, []),
        ({"request": "r", "issuer": "ca-1"}, ["c-1"]),
        ({"request": "r", "issuer": "ca-2"}, []),
        ({"at": "2026-11-24T10:00:30Z"}, []),
    ],
)
async def test_the_estate_is_listed_as_it_was(
    receipts: list[Any], auditor: Client, query: dict[str, str], ids: list[str]
) -> None:
    """By state and by what the entities had; what came to be so last stands first."""
    position = str(receipts[-1]["position"])
    found = await get(auditor, "/v1/entities/certificate", min_position=position, **query)
    assert [one["id"] for one in found["entities"]] == ids
    for one in found["entities"]:
        assert (await auditor.call("GET", one["href"])).json["state"] == one["state"]


async def test_several_values_of_one_filter_are_alternatives(receipts: list[Any], auditor: Client) -> None:
    position = ("min_position", str(receipts[-1]["position"]))
    for query, count in (
        ([("issuer", "ca-1"), ("issuer", "ca-2")], 2),
        ([("state", "valid"), ("state", "revoked")], 2),
        ([("issuer", "ca-1"), ("issuer", "ca-2"), ("state", "revoked")], 1),
    ):
        answer = await auditor.get("/v1/entities/certificate", [*query, position])
        assert len(answer.json["entities"]) == count


@pytest.mark.parametrize("as_of", ["now", "time", "position"])
@pytest.mark.parametrize("filters", [{}, {"state": "valid"}, {"roles": "admin"}])
async def test_the_estate_comes_in_pages(module: Client, auditor: Client, as_of: str, filters: dict[str, str]) -> None:
    """All of them once, though others come to be so meanwhile, and many did at the same time."""
    ids = [f"u-{number}" for number in range(7)]
    created = [sent("CreateUser", f"user:{id_}", n // 3, details={"roles": ["admin"]}) for n, id_ in enumerate(ids)]
    receipts = await module.record_all(created)
    position = receipts[-1]["position"]
    query = {"now": {}, "time": {"at": "2026-11-24T10:59:00Z"}, "position": {"position": str(position)}}[as_of]
    query |= {"state": "active"} if "state" in filters else filters
    answer = await auditor.get("/v1/entities/user", {**query, "limit": "2", "min_position": str(position)})
    found = [one["id"] for one in answer.json["entities"]]
    later = await module.record(sent("CreateUser", "user:later", 0, details={"roles": ["admin"]}))
    while "next" in answer.links:
        answer = await auditor.call("GET", answer.links["next"])
        found += [one["id"] for one in answer.json["entities"]]
    if as_of != "position":
        latest_first = sorted(ids, key=lambda id_: (ids.index(id_) // 3, id_), reverse=True)
        assert [id_ for id_ in found if id_ != "later"] == latest_first
    assert sorted(id_ for id_ in found if id_ != "later") == ids
    assert later


async def test_each_reconstruction_is_recorded(receipts: list[Any], module: Client, auditor: Client) -> None:
    """What was asked for, and as of when."""
    first = receipts[-1]["position"]
    await get(auditor, CERTIFICATE, at="2026-11-24T10:02:00Z")
    await get(auditor, f"{CERTIFICATE}/timeline")
    await get(auditor, f"{CERTIFICATE}/diff", **{"from": str(first)})
    await get(auditor, "/v1/entities/certificate", position=str(first))
    last = await module.record(sent("CheckInBot", "bot:b"))
    assert last["position"] == first + 5
    page = await auditor.page(
        {"activity": "audit.replayed", "order": "recorded", "min_position": str(last["position"])}
    )
    assert [one["details"] for one in page["events"]] == [
        {"entity": "certificate:c-1", "as_of": "2026-11-24T10:02:00.000000Z"},
        {"entity": "certificate:c-1"},
        {"entity": "certificate:c-1"},
        {"entity": "certificate", "as_of_position": first},
    ]


@pytest.mark.parametrize(
    ("path", "status", "kind", "words"),
    [
        ("/v1/entities/certificate/c-9", 404, "nothing-known", "is about the certificate c-9"),
        (
            "/v1/entities/spaceship/c-1",
            404,
            "nothing-known",
            "no event is about a 'spaceship'; there are acme_account,",
        ),
        (
            "/v1/entities/spaceship",
            404,
            "nothing-known",
            "no entities of the type 'spaceship'; there are acme_account,",
        ),
        ("/v1/entities/spaceship/x/timeline", 404, "nothing-known", "spaceship"),
        ("/v1/entities/spaceship/x/diff?from=1", 404, "nothing-known", "spaceship"),
        (f"{CERTIFICATE}?at=2026-11-24T10:00:59Z", 404, "nothing-known", "occurred at 2026-11-24T10:01:00.000000Z"),
        (f"{CERTIFICATE}?position=1", 404, "nothing-known", "as of position 1"),
    ],
)
async def test_what_is_not_known_is_said_exactly(
    receipts: list[Any], auditor: Client, path: str, status: int, kind: str, words: str
) -> None:
    assert receipts
    answer = await auditor.call("GET", path)
    assert (answer.status, answer.kind) == (status, kind)
    assert words in answer.json["detail"]


_CLOCKLESS = "2026-11-24T10:00:00"


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        (f"{CERTIFICATE}?at=yesterday", ["at"]),
        (f"{CERTIFICATE}?at={_CLOCKLESS}", ["at"]),
        (f"{CERTIFICATE}?at=2126-01-01T00:00:00Z", ["at"]),
        (f"{CERTIFICATE}?position=0", ["position"]),
        (f"{CERTIFICATE}?position=x", ["position"]),
        (f"{CERTIFICATE}?position=99999999", ["position"]),
        (f"{CERTIFICATE}?at={_CLOCKLESS}Z&position=1", ["from"]),
        (f"{CERTIFICATE}?as_of=1", ["as_of"]),
        (f"{CERTIFICATE}/timeline?limit=0", ["limit"]),
        (f"{CERTIFICATE}/timeline?cursor=x", ["cursor"]),
        (f"{CERTIFICATE}/diff", ["from"]),
        (f"{CERTIFICATE}/diff?from=", ["from"]),
        (f"{CERTIFICATE}/diff?from=yesterday", ["from"]),
        (f"{CERTIFICATE}/diff?from=1&to={_CLOCKLESS}Z", ["to"]),
        (f"{CERTIFICATE}/diff?from=5&to=4", ["from"]),
        (f"{CERTIFICATE}/diff?from=2026-11-25T10:00:00Z&to={_CLOCKLESS}Z", ["from"]),
        (f"{CERTIFICATE}/diff?from={_CLOCKLESS}Z&to=2126-01-01T00:00:00Z", ["to"]),
        (f"{CERTIFICATE}/diff?from=1&to=99999999", ["to"]),
        ("/v1/entities/certificate?colour=red", ["colour"]),
        ("/v1/entities/certificate?state=", ["state"]),
        ("/v1/entities/certificate?at=2126-01-01T00:00:00Z", ["at"]),
        ("/v1/entities/certificate?cursor=x", ["cursor"]),
        ("/v1/entities/certificate?position=1&cursor=x", ["cursor"]),
    ],
)
async def test_a_query_that_does_not_fit_is_refused(
    receipts: list[Any], auditor: Client, path: str, parameters: list[str]
) -> None:
    """And the parameter at fault is named."""
    assert receipts
    answer = await auditor.call("GET", path)
    assert (answer.status, answer.kind) == (422, "invalid-query"), answer.body
    assert answer.parameters == parameters
