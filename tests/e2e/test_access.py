"""Who may do what: keys, roles, modules, and the borders between ledgers."""

import asyncio
from datetime import timedelta

import orjson
import pytest
from aiohttp import ClientSession
from yarl import URL

from domain.words import Module, Role
from tests.builders import command_data, login_data
from tests.e2e.client import LINES, Answer, Client
from tests.e2e.conftest import Callers
from tests.e2e.running import running

READS = ("/v1/events", "/v1/users", "/v1/modules", "/v1/statuses")
EVENT = "/v1/events/0198c0de-0000-7000-8000-000000000000"
QUARANTINE = ("/v1/quarantine", "/v1/quarantine/0198c0de-0000-7000-8000-000000000000")
INVESTIGATION = "/v1/investigations?ip=10.0.0.1"
FORENSIC = (
    "/v1/entities/certificate",
    "/v1/entities/certificate/c-0",
    "/v1/entities/certificate/c-0/timeline",
    "/v1/entities/certificate/c-0/diff?from=1",
    "/v1/findings",
    "/v1/findings/f-0",
    INVESTIGATION,
)
OF_ROLE = {
    Role.MODULE: {"/v1/commands"},
    Role.USER: {"/v1/events", EVENT, INVESTIGATION},
    Role.AUDITOR: {*READS, EVENT, *FORENSIC},
    Role.OPERATOR: {*QUARANTINE},
}
OPEN = ("/healthz", "/readyz", "/metrics", "/openapi.json")


async def every_call(client: Client) -> dict[str, Answer]:
    found = {path: await client.call("GET", path) for path in (*READS, EVENT, *QUARANTINE, *FORENSIC)}
    return found | {"/v1/commands": await client.send(command_data())}


async def is_unknown(client: Client) -> None:
    """Every call of the API is refused, in the same way."""
    for path, answer in (await every_call(client)).items():
        assert (answer.status, answer.kind) == (401, "not-authenticated"), path
        assert answer.headers["WWW-Authenticate"] == "Bearer", path


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer x",
        "Bearer cna_",
        f"Bearer cna_default_key_{'0' * 64}",
        f"Bearer cna_default_key_{'0' * 64} more",
        "Bearer " + "x" * 5000,
        "Bearer ключ",
        "Bearer cna_default_' OR 1=1 --_" + "0" * 64,
    ],
)
async def test_without_a_good_key_nothing_is_open(nobody: Client, header: str | None) -> None:
    """No key, or what only looks like one."""
    if header is None:
        await is_unknown(nobody)
        return
    for path in READS:
        answer = await nobody.call("GET", path, headers={"Authorization": header})
        assert (answer.status, answer.kind) == (401, "not-authenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_header_of_other_bytes_is_no_key(nobody: Client) -> None:
    """Bytes that are no text at all are refused like any other wrong key."""
    address = URL(nobody.address)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"GET /v1/events HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\x80\r\n\r\n")
    answer = await reader.read(-1)
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.0 401 ")


async def test_a_key_works_with_its_own_secret_only(callers: Callers, auditor: Client, module: Client) -> None:
    """Not with another key's secret, id or ledger, and not with a letter changed."""
    assert auditor.key is not None
    assert module.key is not None
    prefix, ledger, credential_id, secret = auditor.key.split("_")
    other_id, other_secret = module.key.split("_")[2:]
    changed = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    for parts in (
        (ledger, credential_id, other_secret),
        (ledger, other_id, secret),
        (callers.elsewhere().ledger, credential_id, secret),
        (ledger, credential_id, changed),
        (ledger, credential_id, secret.upper()),
        (ledger, credential_id, secret + "0"),
    ):
        await is_unknown(callers.with_key("_".join((prefix, *parts))))
    assert (await auditor.get("/v1/events")).status == 200


async def test_the_scheme_is_written_in_any_case(auditor: Client) -> None:
    """As RFC 9110 has it."""
    for scheme in ("bearer", "BEARER"):
        answer = await auditor.call("GET", "/v1/events", headers={"Authorization": f"{scheme} {auditor.key}"})
        assert answer.status == 200


async def test_a_key_of_another_database_is_unknown(
    callers: Callers, database_url: str, session: ClientSession
) -> None:
    """A ledger of the same name elsewhere has keys of its own."""
    with running(database_url) as elsewhere:
        _, key = await elsewhere.create_key(callers.ledger, Role.AUDITOR)
        assert (await Client(session, elsewhere.address, key).get("/v1/events", {"min_position": "1"})).status == 200
    await is_unknown(callers.with_key(key))


async def test_an_expired_key_is_refused(callers: Callers) -> None:
    """From the moment on that was set when it was made."""
    expired = await callers.create(Role.AUDITOR, lives_for=timedelta(microseconds=1))
    answer = await expired.get("/v1/events")
    assert (answer.status, answer.kind) == (401, "not-authenticated")
    assert "expired" in answer.json["detail"]
    lasting = await callers.create(Role.AUDITOR, lives_for=timedelta(minutes=1))
    assert (await lasting.get("/v1/events")).status == 200


async def test_a_revoked_key_ends_within_a_second(callers: Callers) -> None:
    """Its end is announced: the short memory of good keys does not keep it alive."""
    credential, key = await callers.service.create_key(callers.ledger, Role.AUDITOR)
    client = callers.with_key(key)
    assert (await client.get("/v1/events")).status == 200
    assert await callers.service.revoke_key(credential)
    async with asyncio.timeout(1):
        while (answer := await client.get("/v1/modules")).status == 200:  # noqa: ASYNC110  # It has no event.
            await asyncio.sleep(0)
    assert (answer.status, answer.kind) == (401, "not-authenticated")
    assert "revoked" in answer.json["detail"]
    assert not await callers.service.revoke_key(credential)


@pytest.mark.parametrize("role", Role)
async def test_each_role_has_its_calls(callers: Callers, role: Role) -> None:
    """And is refused all others, with a problem that names who may."""
    client = await callers.create(role, actor_id="u-1" if role is Role.USER else None)
    for path, answer in (await every_call(client)).items():
        if path in OF_ROLE[role]:
            assert answer.status in {200, 201, 404}, path
        else:
            assert (answer.status, answer.kind) == (403, "not-permitted"), path
            assert str(role) in answer.json["detail"]


@pytest.mark.parametrize("path", OPEN)
async def test_what_describes_the_service_needs_no_key(nobody: Client, path: str) -> None:
    """Monitoring and discovery come before keys."""
    assert (await nobody.get(path)).status == 200


async def test_a_key_reports_for_its_modules_only(callers: Callers) -> None:
    """Another module's command is refused in its line, and the lines around it are kept."""
    bound = await callers.create(Role.MODULE, modules=frozenset({Module.CERTIFICATE_OPERATIONS}))
    alone = await bound.send(login_data())
    assert (alone.status, alone.kind) == (403, "not-permitted")
    assert "user_activity" in alone.json["detail"]
    both = b"\n".join(orjson.dumps(command) for command in (command_data(), login_data(), command_data()))
    first, refused, last = (await bound.send(both, LINES)).lines
    assert refused["status"] == 403
    assert refused["type"].endswith(":not-permitted")
    assert last["position"] == first["position"] + 1


async def test_a_user_sees_only_what_they_did(callers: Callers, module: Client, auditor: Client) -> None:
    """In every query, by id, and along a cursor; a stranger's cursor opens nothing."""
    own = await module.record_all(command_data(actor={"id": "me", "kind": "user"}) for _ in range(5))
    others = await module.record_all(command_data(actor={"id": "me2", "kind": "user"}) for _ in range(5))
    await auditor.shown(others[-1])
    user = await callers.create(Role.USER, actor_id="me")
    mine = {receipt["event_id"] for receipt in own}
    for query in ({}, {"user": "me"}, {"text": "revoked"}, {"entity": "certificate:c-42"}, {"order": "recorded"}):
        cursor: dict[str, str] = {}
        found = set()
        for _ in range(10):
            page = await user.page({**query, **cursor, "limit": "2"})
            assert {event["actor"]["id"] for event in page["events"]} <= {"me"}
            found |= {event["event_id"] for event in page["events"]}
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert mine <= found
    assert (await user.page({"user": "me2"}))["events"] == []
    assert (await user.get(f"/v1/events/{own[0]['event_id']}")).status == 200
    for path in (f"/v1/events/{others[0]['event_id']}", EVENT):
        answer = await user.get(path)
        assert (answer.status, answer.kind) == (404, "not-found")
    foreign = (await auditor.page({"limit": "1"}))["next"]
    answer = await user.get("/v1/events", {"cursor": foreign, "limit": "1000"})
    assert (answer.status, answer.json["errors"][0]["parameter"]) == (422, "cursor")


async def test_two_ledgers_never_see_each_other(callers: Callers, module: Client, auditor: Client) -> None:
    """Not in events, not in sums, by no filter."""
    other = callers.elsewhere()
    other_module, other_auditor = await other.create(Role.MODULE), await other.create(Role.AUDITOR)
    here = await module.record(command_data(actor={"id": "only-here", "kind": "user"}))
    there = await other_module.record(command_data(actor={"id": "only-there", "kind": "user"}))
    await auditor.shown(here)
    await other_auditor.shown(there)
    for reader, ledger, absent in ((auditor, callers.ledger, "there"), (other_auditor, other.ledger, "here")):
        page = await reader.page({"limit": "1000"})
        assert {event["ledger"] for event in page["events"]} == {ledger}
        assert (await reader.page({"user": f"only-{absent}"}))["events"] == []
        users = (await reader.get("/v1/users", {"limit": "1000"})).json["users"]
        assert f"only-{absent}" not in {user["id"] for user in users}


async def test_every_key_leaves_a_trace(callers: Callers, auditor: Client) -> None:
    """Its making and its end are events, and its secret is in neither, nor in the database."""
    credential, key = await callers.service.create_key(callers.ledger, Role.AUDITOR)
    await callers.service.revoke_key(credential)
    page = await auditor.page({"entity": f"credential:{credential.id}", "order": "recorded", "min_position": "3"})
    assert [event["activity"] for event in page["events"]] == ["audit_credential.created", "audit_credential.revoked"]
    assert key.split("_")[3] not in str(page)
