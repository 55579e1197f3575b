"""Findings and investigations over HTTP."""

from io import BytesIO
from typing import Any

import orjson
import pytest

from domain.words import Role
from tests.e2e.client import JSON, Client
from tests.e2e.conftest import Callers
from tests.told import actor, sent


@pytest.fixture
async def receipts(module: Client, auditor: Client) -> list[Any]:
    """A key that was exported by night, and a request that its requester approved."""
    assert auditor.key  # Whose making is an event before these.
    return await module.record_all([
        sent("GenerateKey", "key:k", 0, details={"algorithm": "EC"}),
        sent("CreateCertificateAuthority", "certificate_authority:ca", 1, details={"key_id": "k"}),
        sent("RequestCertificate", "certificate_request:r", 2, actor=actor("u-1", session_id="s-1")),
        sent("ApproveCertificateRequest", "certificate_request:r", 3, correlation_id="story",
             actor=actor("u-1", session_id="s-1", ip="10.0.0.9")),
        sent("ExportKey", "key:k", 4, actor=actor("u-2", session_id="s-2", ip="10.0.0.9"), details={"wrapped": False}),
        sent("RevokeSession", "session:s-2", 5),
        sent("GenerateCrl", "crl:x", 6,
             details={"crl_number": 1, "this_update": "2026-11-24T10:00:00Z", "ca_id": "ca"}),
        sent("CancelCertificateRequest", "certificate_request:q", 7, correlation_id="story"),
    ])  # fmt: skip


async def findings(auditor: Client, receipts: list[Any], **query: str) -> list[Any]:
    answer = await auditor.get("/v1/findings", {"min_position": str(receipts[-1]["position"]), **query})
    assert answer.status == 200, answer.body
    found: list[Any] = answer.json["findings"]
    return found


async def test_findings_say_what_why_and_by_which_events(receipts: list[Any], auditor: Client) -> None:
    key, approval, _ = sorted(await findings(auditor, receipts), key=lambda one: str(one["rule"]))
    assert (key["rule"], key["severity"], key["status"]) == ("key_outside_ceremony", "critical", "open")
    assert key["entity"] == {"type": "key", "id": "k"}
    assert key["finding_id"] == f"key_outside_ceremony-{receipts[4]['position']}"
    assert key["evidence"] == [{name: receipts[4][name] for name in ("position", "event_id")}]
    assert "CA/B BR 5.4.1 (1.1)" in key["controls"]
    assert [one["position"] for one in approval["evidence"]] == [receipts[n]["position"] for n in (2, 3)]
    for event in approval["evidence"]:
        assert (await auditor.get(f"/v1/events/{event['event_id']}")).status == 200


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ({"rule": "key_outside_ceremony"}, ["key_outside_ceremony"]),
        ({"severity": "high"}, ["request_approved_by_requester"]),
        ({"actor": "u-2"}, ["key_outside_ceremony"]),
        ({"entity": "key:k"}, ["key_outside_ceremony"]),
        ({"entity": "key"}, ["key_outside_ceremony"]),
        ({"status": "acknowledged"}, []),
        ({"from": "2026-11-24T10:03:00Z", "rule": "key_outside_ceremony"}, ["key_outside_ceremony"]),
        ({"to": "2026-11-24T10:03:00Z"}, ["request_approved_by_requester"]),
        ({"rule": "unheard_of"}, []),
    ],
)
async def test_findings_are_filtered(
    receipts: list[Any], auditor: Client, query: dict[str, str], rules: list[str]
) -> None:
    assert [one["rule"] for one in await findings(auditor, receipts, **query)] == rules


async def test_findings_come_in_pages(receipts: list[Any], auditor: Client) -> None:
    """Newest first, each once."""
    whole = await findings(auditor, receipts)
    answer = await auditor.get("/v1/findings", {"limit": "1"})
    found = answer.json["findings"]
    while "next" in answer.links:
        answer = await auditor.call("GET", answer.links["next"])
        found += answer.json["findings"]
    assert found == whole
    assert len(found) == 3


async def acknowledge(auditor: Client, finding_id: str, body: Any) -> Any:
    data = BytesIO(body if isinstance(body, bytes) else orjson.dumps(body))
    path = f"/v1/findings/{finding_id}/acknowledgements"
    return await auditor.call("POST", path, body=data, headers={"Content-Type": JSON})


async def test_an_acknowledgement_is_an_event_and_new_evidence_opens_the_finding_again(
    receipts: list[Any], module: Client, auditor: Client
) -> None:
    await module.record_all(sent("DisableUser", "user:u-3", 20) for _ in range(1))
    used = [await module.record(sent("AccessResource", "resource:x", 30, actor=actor("u-3")))]
    (finding,) = await findings(auditor, used, rule="use_of_closed_access")
    answer = await acknowledge(auditor, finding["finding_id"], {"comment": "A drill."})
    assert answer.status == 201
    receipt = answer.json
    path = f"/v1/findings/{finding['finding_id']}"
    one = (await auditor.get(path, {"min_position": str(receipt["position"])})).json["finding"]
    assert (one["status"], one["remark"]["comment"]) == ("acknowledged", "A drill.")
    assert auditor.key is not None
    assert one["remark"]["by"]["id"] == auditor.key.split("_")[2]
    event = (await auditor.get(f"/v1/events/{receipt['event_id']}")).json["event"]
    assert (event["activity"], event["entity"]["id"]) == ("audit_finding.acknowledged", finding["finding_id"])
    again = await module.record(sent("AccessResource", "resource:x", 31, actor=actor("u-3")))
    one = (await auditor.get(path, {"min_position": str(again["position"])})).json["finding"]
    assert (one["status"], len(one["evidence"])) == ("open", 3)
    assert receipts


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        ({}, 422, ["/comment"]),
        ({"comment": ""}, 422, ["/comment"]),
        ({"comment": 7}, 422, ["/comment"]),
        ({"comment": "x", "rule": "y"}, 422, ["/rule"]),
        ({"comment": "a\0b"}, 422, ["/comment"]),
        (b"{", 400, None),
        (b"[]", 400, None),
        (b'{"comment":"' + b"x" * 2**21 + b'"}', 413, None),
    ],
)
async def test_a_comment_that_does_not_fit_is_refused(
    receipts: list[Any], auditor: Client, body: Any, status: int, pointers: list[str] | None
) -> None:
    finding = (await findings(auditor, receipts))[0]
    answer = await acknowledge(auditor, finding["finding_id"], body)
    assert answer.status == status, answer.body
    if pointers:
        assert answer.pointers == pointers


async def test_there_is_nothing_to_say_about_what_was_not_found(callers: Callers, auditor: Client) -> None:
    assert (await acknowledge(auditor, "nothing-1", {"comment": "x"})).kind == "not-found"
    assert (await auditor.get("/v1/findings/nothing-1")).kind == "not-found"
    answer = await auditor.call(
        "POST", "/v1/findings/x/acknowledgements", body=b"x", headers={"Content-Type": "text/a"}
    )
    assert answer.kind == "unsupported-media-type"
    for role in (Role.OPERATOR, Role.MODULE):
        assert (await acknowledge(await callers.create(role), "x", {"comment": "x"})).kind == "not-permitted"


async def investigate(auditor: Client, receipts: list[Any], **query: str) -> Any:
    answer = await auditor.get("/v1/investigations", {"min_position": str(receipts[-1]["position"]), **query})
    assert answer.status == 200, answer.body
    return answer.json


@pytest.mark.parametrize(
    ("query", "events"),
    [
        ({"session": "s-1"}, [2, 3]),
        ({"session": "s-2"}, [4, 5]),
        ({"actor": "u-1"}, [2, 3]),
        ({"ip": "10.0.0.9"}, [3, 4]),
        ({"correlation": "story"}, [3, 7]),
        ({"token": "t"}, []),
        ({"ip": "10.0.0.9", "from": "2026-11-24T10:04:00Z"}, [4]),
        ({"ip": "10.0.0.9", "to": "2026-11-24T10:04:00Z"}, [3]),
    ],
)
async def test_an_investigation_gathers_the_events_of_its_clue(
    receipts: list[Any], auditor: Client, query: dict[str, str], events: list[int]
) -> None:
    found = await investigate(auditor, receipts, **query)
    assert [one["position"] for one in found["events"]] == [receipts[n]["position"] for n in events]
    assert len(found["limits"]) >= 2


async def test_an_investigation_says_what_was_touched_changed_and_came_of_it(
    receipts: list[Any], auditor: Client
) -> None:
    """What was signed after the export by the authority that has the key; and the finding."""
    found = await investigate(auditor, receipts, session="s-2")
    assert [(one["type"], one["id"]) for one in found["entities"]] == [("key", "k"), ("session", "s-2")]
    assert {"path": "/attributes/exported_wrapped", "new": False} in found["events"][0]["changed"]
    came = {one["event"]["position"]: one["because"] for one in found["consequences"]}
    assert came == {receipts[6]["position"]: "has the certificate_authority ca as its issuer"}
    assert [one["rule"] for one in found["findings"]] == ["key_outside_ceremony"]


async def test_an_investigation_comes_in_pages(receipts: list[Any], auditor: Client) -> None:
    whole = await investigate(auditor, receipts, ip="10.0.0.9")
    answer = await auditor.get("/v1/investigations", {"ip": "10.0.0.9", "limit": "1"})
    assert any("go on with `next`" in limit for limit in answer.json["limits"])
    found = answer.json["events"]
    while "next" in answer.links:
        answer = await auditor.call("GET", answer.links["next"])
        found += answer.json["events"]
    assert found == whole["events"]


async def test_a_user_investigates_themselves_only(callers: Callers, receipts: list[Any]) -> None:
    """Their own events, and nothing that others did."""
    user = await callers.create(Role.USER, actor_id="u-1")
    found = await investigate(user, receipts, actor="u-1")
    assert len(found["events"]) == 2
    assert (found["consequences"], found["findings"]) == ([], [])
    found = await investigate(user, receipts, ip="10.0.0.9")
    assert [one["position"] for one in found["events"]] == [receipts[3]["position"]]
    assert (await user.get("/v1/investigations", {"actor": "u-2"})).kind == "not-permitted"


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("", ["from"]),
        ("actor=a&ip=10.0.0.1", ["from"]),
        ("actor=", ["actor"]),
        ("actor=a&actor=b", ["actor", "from"]),
        ("colour=red", ["colour", "from"]),
        ("actor=a&from=2026-11-25T10:00:00Z&to=2026-11-24T10:00:00Z", ["from"]),
        ("actor=a&cursor=x", ["cursor"]),
        ("actor=a&limit=0", ["limit"]),
    ],
)
async def test_a_question_that_does_not_fit_is_refused(auditor: Client, query: str, parameters: list[str]) -> None:
    answer = await auditor.call("GET", f"/v1/investigations?{query}")
    assert (answer.status, answer.kind) == (422, "invalid-query")
    assert answer.parameters == parameters


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("severity=awful", "severity"), ("status=closed", "status"), ("entity=Key", "entity"), ("cursor=x", "cursor")],
)
async def test_a_filter_that_does_not_fit_is_refused(auditor: Client, query: str, parameter: str) -> None:
    answer = await auditor.call("GET", f"/v1/findings?{query}")
    assert (answer.status, answer.parameters) == (422, [parameter])


async def test_what_was_looked_into_is_recorded(receipts: list[Any], module: Client, auditor: Client) -> None:
    await findings(auditor, receipts, severity="high")
    await investigate(auditor, receipts, actor="u-1")
    last = await module.record(sent("CheckInBot", "bot:b"))
    assert last["position"] == receipts[-1]["position"] + 3
    page = await auditor.page(
        {"activity": "audit_trail.queried", "order": "recorded", "min_position": str(last["position"])}
    )
    filters = [one["details"]["filters"] for one in page["events"]]
    assert filters == [{"severity": ["high"], "table": "findings"}, {"actor": "u-1", "investigation": "actor"}]
