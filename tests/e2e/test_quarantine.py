"""What cannot be understood is kept as it came, and listed for operators."""

import asyncio
import gzip
from hashlib import sha256
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession

from domain.words import DEFAULT_LEDGER, Role
from tests.builders import command_data
from tests.e2e.bad_bodies import DOES_NOT_FIT, NOT_JSON, body
from tests.e2e.client import LINES, Client
from tests.e2e.conftest import Callers
from tests.e2e.quarantined import kept_bytes, listed
from tests.e2e.running import running

KEPT = 64 * 1024
ALL_BAD = [row.values[0] for row in NOT_JSON + DOES_NOT_FIT]
NOWHERE = "/v1/quarantine/0198c0de-0000-7000-8000-000000000000"


async def test_every_bad_body_is_kept_once_byte_for_byte(module: Client, operator: Client) -> None:
    """Alone or as a line, however often it comes, with the problem that its sender got."""
    answers = {sent: [await module.send(sent), await module.send(sent)] for sent in ALL_BAD}
    as_lines = [sent for sent in ALL_BAD if sent.strip() and b"\n" not in sent]
    lines = (await module.send(b"\n".join(as_lines), LINES)).lines
    entries = {entry["id"]: entry for entry in await listed(operator)}
    assert len(entries) == len(answers) == len(ALL_BAD)
    for sent, (first, again) in answers.items():
        problem = first.json
        assert again.json == problem
        entry = entries[problem["quarantine_id"]]
        assert entry["count"] == (3 if sent in as_lines else 2)
        assert entry["reason"] == {
            "kind": first.kind,
            "title": problem["title"],
            "detail": problem["detail"],
            "errors": problem.get("errors", []),
        }
        assert (entry["sha256"], entry["size"]) == (sha256(sent).hexdigest(), len(sent))
        assert (entry["truncated"], entry["retried_at"], entry["position"]) == (False, None, None)
        assert module.key is not None
        assert entry["source"] == module.key.split("_")[2]
        assert await kept_bytes(operator, entry["id"]) == sent
    assert [line["quarantine_id"] for line in lines] == [answers[sent][0].json["quarantine_id"] for sent in as_lines]


async def test_good_lines_beside_bad_ones_are_recorded(module: Client, operator: Client) -> None:
    """Only the bad ones are kept, white space and line ends of theirs among them."""
    known = command_data()
    await module.record(known)
    lines = [orjson.dumps(known), b" {\r", orjson.dumps(known | {"channel": "cli"}), body(), b" {\r"]
    answer = await module.send(b"\n".join(lines), LINES)
    assert ["event_id" in line for line in answer.lines] == [True, False, False, True, False]
    conflict, broken = await listed(operator)
    assert (broken["count"], conflict["count"]) == (2, 1)
    assert conflict["reason"]["kind"] == "command-conflict"
    assert await kept_bytes(operator, broken["id"]) == b" {\r"
    assert await kept_bytes(operator, conflict["id"]) == lines[2]
    assert answer.lines[1]["quarantine_id"] == answer.lines[4]["quarantine_id"] == broken["id"]


@pytest.mark.parametrize("media_type", ["application/json", LINES])
@pytest.mark.parametrize("packed", [False, True])
async def test_of_what_is_too_large_the_beginning_is_kept(
    module: Client, operator: Client, media_type: str, packed: bool
) -> None:
    """With its true size where that is known; it cannot be retried."""
    sent = orjson.dumps(command_data(details={"reason": "x" * 2_000_000}))
    if packed:
        answer = await module.send(gzip.compress(sent), media_type, **{"Content-Encoding": "gzip"})
    else:
        answer = await module.send(sent, media_type)
    problem = answer.json
    assert (problem["status"], problem["type"].rsplit(":", 1)[1]) == (413, "too-large")
    (entry,) = await listed(operator)
    assert entry["id"] == problem["quarantine_id"]
    assert entry["truncated"] is True
    assert entry["size"] == (None if packed and media_type != LINES else len(sent))
    assert await kept_bytes(operator, entry["id"]) == sent[:KEPT]
    answer = await operator.call("POST", f"/v1/quarantine/{entry['id']}/retry")
    assert (answer.status, answer.kind) == (413, "too-large")


async def test_what_is_not_the_commands_fault_is_not_kept(callers: Callers, module: Client, operator: Client) -> None:
    """A wrong role or key, another type of body, a good command."""
    auditor = await callers.create(Role.AUDITOR)
    assert (await auditor.send(b"{")).status == 403
    assert (await callers.with_key("cna_x").send(b"{")).status == 401
    assert (await module.send(b"{", "text/plain")).status == 415
    assert (await module.send(command_data())).status == 201
    assert (await module.send(b"\n \r\n", LINES)).body == b""
    assert await listed(operator) == []


async def test_only_an_operator_reads_the_quarantine(callers: Callers, module: Client, operator: Client) -> None:
    """Not the one who sent it, nor who may read events."""
    quarantine_id = (await module.send(b"{")).json["quarantine_id"]
    for role in (Role.MODULE, Role.AUDITOR, Role.USER):
        stranger = await callers.create(role, actor_id="u-1" if role is Role.USER else None)
        for method, path in (("GET", ""), ("GET", f"/{quarantine_id}"), ("POST", f"/{quarantine_id}/retry")):
            answer = await stranger.call(method, f"/v1/quarantine{path}")
            assert (answer.status, answer.kind) == (403, "not-permitted")
    assert (await operator.get(f"/v1/quarantine/{quarantine_id}")).status == 200


async def test_two_ledgers_do_not_share_their_quarantine(callers: Callers, module: Client, operator: Client) -> None:
    """The operator of another ledger finds nothing by list or id, and can retry nothing."""
    quarantine_id = (await module.send(b"{")).json["quarantine_id"]
    stranger = await callers.elsewhere().create(Role.OPERATOR)
    assert await listed(stranger) == []
    for method, path in (("GET", ""), ("POST", "/retry")):
        answer = await stranger.call(method, f"/v1/quarantine/{quarantine_id}{path}")
        assert (answer.status, answer.kind) == (404, "not-found")
    assert [entry["id"] for entry in await listed(operator)] == [quarantine_id]


@pytest.mark.parametrize("path", [NOWHERE, "/v1/quarantine/x", "/v1/quarantine/%00", f"/v1/quarantine/{'9' * 5000}"])
async def test_what_is_not_there_is_not_found(operator: Client, path: str) -> None:
    """Whatever the id looks like."""
    for method, target in (("GET", path), ("POST", f"{path}/retry")):
        answer = await operator.call(method, target)
        assert (answer.status, answer.kind) == (404, "not-found")


async def test_pages_and_filters(callers: Callers, module: Client, operator: Client) -> None:
    """Along the links, each is found once, newest first; a filter that does not fit is named."""
    other = await callers.create(Role.MODULE)
    for number in range(5):
        await module.send(b"{%d" % number)
    await other.send(b"{}")
    everything = await listed(operator)
    assert [entry["reason"]["kind"] for entry in everything] == ["invalid-command", *["invalid-json"] * 5]
    found: list[Any] = []
    target: Any = "/v1/quarantine?limit=2"
    while target:
        answer = await operator.call("GET", target)
        found += answer.json["quarantine"]
        target = answer.links.get("next")
    assert found == everything
    last = everything[0]
    assert await listed(operator, source=last["source"]) == [last]
    assert await listed(operator, kind="invalid-command") == [last]
    assert await listed(operator, **{"from": last["received_at"]}) == [last]
    assert await listed(operator, to=last["received_at"]) == everything[1:]
    assert await listed(operator, state="waiting") == everything
    assert await listed(operator, state="retried") == []
    cursor = (await operator.get("/v1/quarantine", {"limit": "2"})).json["next"]
    for query, parameter in (
        ("kind=boredom", "kind"),
        ("state=lost", "state"),
        ("colour=red", "colour"),
        ("limit=0", "limit"),
        (f"kind=too-large&cursor={cursor}", "cursor"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
    ):
        answer = await operator.call("GET", f"/v1/quarantine?{query}")
        assert (answer.status, answer.parameters) == (422, [parameter]), query


async def test_a_small_body_of_many_mistakes_is_told_in_few_words(module: Client, operator: Client) -> None:
    """What is kept beside a body does not outgrow it."""
    answer = await module.send(command_data(**{f"field-{number}": 1 for number in range(10_000)}))
    assert len(answer.json["errors"]) == 10_000
    (entry,) = await listed(operator)
    assert len(orjson.dumps(entry["reason"])) < 16_000
    assert entry["reason"]["errors"] == answer.json["errors"][: len(entry["reason"]["errors"])]


def figure(figures: bytes, name: str) -> float:
    return sum(float(line.split()[-1]) for line in figures.decode().splitlines() if line.startswith(name))


async def test_a_full_quarantine_counts_on(database_url: str, session: ClientSession) -> None:
    """The sender sees that it is not kept; what is known is counted; figures tell all of it."""
    with running(database_url, max_quarantined=2) as service:
        _, key = await service.create_key(DEFAULT_LEDGER, Role.MODULE)
        _, operator_key = await service.create_key(DEFAULT_LEDGER, Role.OPERATOR)
        module, operator = (Client(session, service.address, one) for one in (key, operator_key))
        before = (await operator.get("/metrics")).body
        lines = (await module.send(b"{1\n{2\n{3\n{}", LINES)).lines
        assert ["quarantine_id" in line for line in lines] == [True, True, False, False]
        assert [line["status"] for line in lines] == [400, 400, 400, 422]
        assert (await module.send(b"{1")).json["quarantine_id"] == lines[0]["quarantine_id"]
        assert len(await listed(operator)) == 2
        after = (await operator.get("/metrics")).body
    for name, more in (
        ('certinext_audit_quarantined_total{kind="invalid-json"}', 4),
        ('certinext_audit_quarantined_total{kind="invalid-command"}', 1),
        ("certinext_audit_quarantine_full_total", 2),
    ):
        assert figure(after, name) - figure(before, name) == more, name
    assert figure(after, "certinext_audit_quarantine_waiting") == 2


async def test_many_senders_in_a_loop_fill_nothing(module: Client, operator: Client) -> None:
    """The same bytes from many connections at once are one row."""
    answers = await asyncio.gather(*(module.send(b"{") for _ in range(100)))
    assert len({answer.json["quarantine_id"] for answer in answers}) == 1
    assert [entry["count"] for entry in await listed(operator)] == [100]


async def test_thousands_of_bad_lines_are_kept(module: Client, operator: Client) -> None:
    """Batch by batch, each in its order, and some of them of a megabyte."""
    big = [b'{"x":"%d%b"}' % (number, b"x" * 1_000_000) for number in range(6)]
    lines = [b"{%d" % number for number in range(3000)] + big
    answer = await module.send(b"\n".join(lines), LINES)
    assert len({line["quarantine_id"] for line in answer.lines}) == len(lines)
    assert await kept_bytes(operator, answer.lines[2999]["quarantine_id"]) == lines[2999]
    assert await kept_bytes(operator, answer.lines[-1]["quarantine_id"]) == big[-1]
