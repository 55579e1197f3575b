"""Exports over HTTP: whole files of what is in the ledger, recorded in it, and checked without the service."""

import asyncio
import hashlib
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientPayloadError, ClientSession

from adapters.exports.verifying import check_export
from domain.words import Ledger, Role
from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.conftest import Callers
from tests.e2e.running import Service, running
from tests.e2e.seeding import ACTORS, matches, varied_commands
from tests.patience import PATIENCE
from tests.unit.exports.test_workbooks import by_calamine, by_openpyxl, by_ourselves

FORMATS = ("xlsx", "jsonl", "csv")
POSITION = 33


async def public_key(service: Service, ledger: Ledger) -> bytes:
    """As an operator hands it out."""
    del ledger
    key = await service.run(asyncio.to_thread(service.trail.services.signer.keys.present))
    return key.public_key


async def exports_recorded(auditor: Client, position: int) -> list[dict[str, Any]]:
    answer = await auditor.page(
        {"activity": "audit_trail.exported", "order": "recorded", "min_position": str(position), "limit": "1000"}
    )
    found: list[dict[str, Any]] = answer["events"]
    return found


async def first_recorded(auditor: Client, position: int) -> list[dict[str, Any]]:
    """The exports that are recorded, once there is one."""
    async with asyncio.timeout(PATIENCE):
        while not (recorded := await exports_recorded(auditor, position)):  # noqa: ASYNC110  # It has no event.
            await asyncio.sleep(0.05)
    return recorded


@pytest.fixture
async def seeded(module: Client) -> Sequence[dict[str, Any]]:
    return await module.record_all(varied_commands(60))


def checked(folder: Path, data: bytes, suffix: str, key: bytes) -> Any:
    path = folder / f"file.{suffix}"
    path.write_bytes(data)
    return check_export(path, [key])


@pytest.mark.parametrize("suffix", ["xlsx", "jsonl"])
@pytest.mark.parametrize("order", ["occurred", "recorded"])
@pytest.mark.parametrize(
    "parameters",
    [
        [],
        [("status", "failure")],
        [("module", "certificate_operations"), ("module", "user_activity")],
        [("user", "asha"), ("from", "2026-10-05T01:00:00Z")],
        [("entity", "certificate:c-1")],
        [("text", "revoked")],
        [("ip", "10.9.9.9")],
    ],
    ids=str,
)
async def test_a_file_holds_what_fits_and_verifies(
    service: Service,
    callers: Callers,
    seeded: Sequence[dict[str, Any]],
    auditor: Client,
    tmp_path: Path,
    suffix: str,
    order: str,
    parameters: list[tuple[str, str]],
) -> None:
    """The same events, in the same order, as the pages of the same query show."""
    last = seeded[-1]["position"]
    query = [*parameters, ("order", order), ("min_position", str(last))]
    answer = await auditor.get(f"/v1/events/export.{suffix}", query)
    assert answer.status == 200
    result = checked(tmp_path, answer.body, suffix, await public_key(service, callers.ledger))
    page = await auditor.page([*query, ("limit", "1000")])
    shown = [event["position"] for event in page["events"] if event["position"] <= result.manifest.position]
    wanted = {name: [value for key, value in parameters if key == name] for name, _ in parameters}
    assert all(matches(event, wanted) for event in page["events"])
    if suffix == "xlsx":
        _, *rows = by_ourselves(answer.body)
        assert [row[POSITION] for row in rows] == shown
    else:
        lines = [line["event"]["position"] for line in answer.lines if "event" in line]
        assert lines == shown
    assert result.verdict.faults == []
    assert (result.verdict.rows, result.verdict.unproven) == (len(shown), 0)


async def test_others_read_what_the_ledger_says(seeded: Sequence[dict[str, Any]], auditor: Client) -> None:
    """openpyxl and calamine agree with the service's own answers, cell by cell."""
    await auditor.shown(seeded[-1])
    data = (await auditor.get("/v1/events/export.xlsx", {"order": "recorded"})).body
    for rows in (by_openpyxl(data)[1:], by_calamine(data)[1:]):
        for row, receipt in zip(rows[seeded[0]["position"] - 1 :], seeded, strict=False):
            found = (await auditor.get(f"/v1/events/{receipt['event_id']}")).json if receipt is seeded[0] else None
            if found is not None:
                event = found["event"]
                assert row[:6] == [
                    event["actor"].get("full_name"),
                    event["actor"]["id"],
                    event["actor"]["kind"],
                    event["module"],
                    event["activity"],
                    event["description"],
                ]
                assert row[34:38] == [
                    found["record"],
                    found["personal"],
                    found["leaf_hash"],
                    found["chain_hash"],
                ]
            assert (row[36], row[37]) == (receipt["leaf_hash"], receipt["chain_hash"])


@pytest.mark.parametrize("suffix", FORMATS)
async def test_an_export_is_recorded_with_its_digest(
    seeded: Sequence[dict[str, Any]], auditor: Client, suffix: str
) -> None:
    """Who, which filters, how many rows, of which file; the header `Link` leads there."""
    last = seeded[-1]["position"]
    answer = await auditor.get(
        f"/v1/events/export.{suffix}", {"user": "Asha Rao", "min_position": str(last), "order": "recorded"}
    )
    await auditor.shown({"position": last + 2})
    link = answer.headers["Link"].split(";")[0].strip("<>")
    (event,) = (await auditor.call("GET", link)).json["events"]
    rows, position = event["details"].pop("rows"), event["details"].pop("to_position")
    assert event["details"] == {
        "filters": {"user": ["Asha Rao"]},
        "format": suffix,
        "order": "recorded",
        "sha256": hashlib.sha256(answer.body).hexdigest(),
    }
    assert rows > 0
    assert last <= position < event["position"]
    assert event["status"] == "success"
    assert event["correlation_id"] == answer.headers["X-Export-Id"]
    name = answer.headers["Content-Disposition"]
    assert name.startswith('attachment; filename="audit-ledger-')
    assert name.endswith(f'.{suffix}"')
    assert "user-asha-rao" in name


async def raw(client: Client, path: str, version: str = "1.1") -> bytes:
    """All that the service sends, as it is on the wire."""
    address = urlsplit(client.address)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        head = (
            f"GET {path} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {client.key}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode())
        return await reader.read()
    finally:
        writer.close()


async def test_the_digest_follows_the_file(seeded: Sequence[dict[str, Any]], auditor: Client) -> None:
    """As a trailer field (RFC 9530), behind the last chunk; without chunks the connection's end is the file's."""
    await auditor.shown(seeded[-1])
    answer = await raw(auditor, "/v1/events/export.jsonl?order=recorded")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Trailer: Repr-Digest" in head
    content = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        if int(size, 16) == 0:
            break
        content, body = content + body[: int(size, 16)], body[int(size, 16) + 2 :]
    assert body.endswith(b"\r\n\r\n")
    digest = body.strip().removeprefix(b"Repr-Digest: sha-256=:").removesuffix(b":")
    assert b64decode(digest) == hashlib.sha256(content).digest()
    old = await raw(auditor, "/v1/events/export.csv", "1.0")
    head, _, body = old.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body.startswith(b"User,User id,")


async def test_the_connection_serves_on_after_a_file(seeded: Sequence[dict[str, Any]], auditor: Client) -> None:
    """The frame of the answer is whole."""
    await auditor.shown(seeded[-1])
    for _ in range(3):
        assert (await auditor.get("/v1/events/export.jsonl")).status == 200
        assert (await auditor.get("/healthz")).status == 200


async def test_events_that_arrive_meanwhile_are_not_in_it(
    module: Client, auditor: Client, tmp_path: Path, service: Service, callers: Callers
) -> None:
    """A file is one consistent view, however slowly it is taken."""
    receipts = await module.record_all(command_data(details=_long()) for _ in range(3000))
    await auditor.shown(receipts[-1])
    async with auditor.session.get(
        f"{auditor.address}/v1/events/export.xlsx", headers={"Authorization": f"Bearer {auditor.key}"}
    ) as response:
        first = await response.content.readany()
        late = await module.record_all(command_data(occurred_at=f"2026-10-01T00:00:{n % 60:02}Z") for n in range(500))
        await auditor.shown(late[-1])
        data = first + await response.read()
    result = checked(tmp_path, data, "xlsx", await public_key(service, callers.ledger))
    assert result.verdict.faults == []
    assert receipts[-1]["position"] <= result.manifest.position < late[0]["position"]
    assert result.verdict.rows == result.manifest.position


def _long() -> dict[str, str]:
    return {"crl_reason": "superseded", "revocation_time": "2026-11-24T10:00:00Z"}


async def test_who_leaves_ends_the_query_and_that_is_recorded(
    module: Client, auditor: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The slot is free at once, and the ledger says that the file was not finished; the log tells of no error."""
    receipts = await module.record_all(
        command_data(changes=[{"path": "/a", "old": "x" * 20_000, "new": str(n)}]) for n in range(900)
    )
    await auditor.shown(receipts[-1])
    async with ClientSession() as leaving:
        response = await leaving.get(
            f"{auditor.address}/v1/events/export.jsonl", headers={"Authorization": f"Bearer {auditor.key}"}
        )
        await response.content.readany()
        response.close()
    recorded = await first_recorded(auditor, receipts[-1]["position"])
    assert recorded[0]["status"] == "failure"
    assert recorded[0]["failure"] == {"code": "interrupted", "reason": "who asked for it left"}
    assert recorded[0]["details"]["rows"] < 900
    assert "sha256" not in recorded[0]["details"]
    assert caplog.records == []


async def test_a_user_takes_out_only_what_the_user_did(
    service: Service, callers: Callers, seeded: Sequence[dict[str, Any]], tmp_path: Path
) -> None:
    """Whatever the filters are; and the file says so."""
    user = await callers.create(Role.USER, actor_id=str(ACTORS[0]["id"]))
    answer = await user.get("/v1/events/export.xlsx", {"min_position": str(seeded[-1]["position"])})
    _, *rows = by_ourselves(answer.body)
    assert rows
    assert {row[1] for row in rows} == {ACTORS[0]["id"]}
    result = checked(tmp_path, answer.body, "xlsx", await public_key(service, callers.ledger))
    assert result.verdict.good
    assert result.manifest.only_actor == ACTORS[0]["id"]


@pytest.mark.parametrize("role", [Role.MODULE, Role.OPERATOR])
async def test_others_take_out_nothing(callers: Callers, role: Role) -> None:
    """No key but a reader's exports."""
    client = await callers.create(role)
    assert (await client.get("/v1/events/export.xlsx")).status == 403
    assert (await callers.with_key(None).get("/v1/events/export.xlsx")).status == 401


@pytest.mark.parametrize("query", ["order=up", "limit=5", "cursor=x", "module=x", "from=yesterday", "min_position=-1"])
async def test_a_refused_export_is_none(module: Client, auditor: Client, query: str) -> None:
    """Parameters that do not fit are named, and nothing is recorded."""
    first = await module.record(command_data())
    answer = await auditor.call("GET", f"/v1/events/export.xlsx?{query}")
    assert (answer.status, answer.kind) == (422, "invalid-query")
    assert answer.parameters == [query.split("=", maxsplit=1)[0]]
    assert (await module.record(command_data()))["position"] == first["position"] + 1


async def test_only_so_many_run_at_once(database_url: str, session: ClientSession) -> None:
    """Beyond it the answer says when to try again; the place is free once one has ended."""
    with running(database_url, max_exports=1) as service:
        callers = Callers(service, session)
        module, auditor = await callers.create(Role.MODULE), await callers.create(Role.AUDITOR)
        receipts = await module.record_all(
            command_data(changes=[{"path": "/a", "old": "x" * 20_000, "new": str(n)}]) for n in range(900)
        )
        await auditor.shown(receipts[-1])
        headers = {"Authorization": f"Bearer {auditor.key}"}
        async with session.get(f"{service.address}/v1/events/export.jsonl", headers=headers) as response:
            await response.content.readany()
            refused = await auditor.get("/v1/events/export.csv")
            assert (refused.status, refused.kind) == (503, "too-many-exports")
            assert refused.headers["Retry-After"] == "1"
            await response.read()
        assert (await auditor.get("/v1/events/export.csv")).status == 200


async def test_an_empty_ledger_makes_a_whole_file(
    auditor: Client, service: Service, callers: Callers, tmp_path: Path
) -> None:
    """Without a row and with its proof."""
    await auditor.shown({"position": 1})
    for suffix in ("xlsx", "jsonl"):
        answer = await auditor.get(f"/v1/events/export.{suffix}", {"correlation_id": "nobody"})
        result = checked(tmp_path, answer.body, suffix, await public_key(service, callers.ledger))
        assert result.verdict.good
        assert result.verdict.rows == 0


async def test_a_file_that_cannot_be_finished_looks_like_none(
    module: Client, auditor: Client, service: Service
) -> None:
    """Its connection breaks off, nothing is mixed into it, and the ledger says that it was broken off."""
    receipts = await module.record_all(
        command_data(changes=[{"path": "/a", "old": "x" * 20_000, "new": str(n)}]) for n in range(900)
    )
    await auditor.shown(receipts[-1])
    headers = {"Authorization": f"Bearer {auditor.key}"}
    async with auditor.session.get(f"{auditor.address}/v1/events/export.jsonl", headers=headers) as response:
        begun = await response.content.readany()
        await service.run(service.trail.background.builders.close())
        with pytest.raises(ClientPayloadError):
            await response.content.read()
    assert begun.startswith(b'{"export"')
    (event,) = await first_recorded(auditor, receipts[-1]["position"])
    assert event["status"] == "failure"
    assert event["failure"]["reason"] == "a process that works for this one has ended; try again"
    assert (await auditor.get("/v1/events/export.csv")).status == 200
