"""An auditor lets the service verify the ledger, and follows that."""

import asyncio
import itertools
from io import BytesIO
from typing import Any

import orjson
import psycopg
import pytest
from aiohttp import ClientSession

from adapters.signing.signing_key import Ed25519Key
from domain.checkpoint import Checkpoint
from domain.signed_note import NoteSignature, SignedNote, VerifierKey
from domain.words import DEFAULT_LEDGER, Role
from tests.builders import command_data
from tests.e2e.client import Answer, Client
from tests.e2e.conftest import Callers
from tests.e2e.running import running
from tests.e2e.seeding import varied_commands
from tests.patience import PATIENCE

UNKNOWN = "0198c0de-0000-7000-8000-000000000000"


async def ended(auditor: Client, started: Answer) -> Any:
    """The verification, once it is no longer running."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await auditor.get(f"/v1/verifications/{started.json['id']}")
            if found.json["state"] != "running":
                return found.json
            await asyncio.sleep(0.05)


async def test_a_verification_is_started_followed_and_recorded(
    callers: Callers, module: Client, auditor: Client
) -> None:
    """Its answer comes at once, its verdict later, and an event with the verdict at the end."""
    receipts = await module.record_all(varied_commands(30))
    await auditor.shown(receipts[-1])
    started = await auditor.call("POST", "/v1/verifications")
    assert started.status == 202
    assert started.headers["Location"] == f"/v1/verifications/{started.json['id']}"
    assert (started.json["state"], started.json["verdict"], started.json["report"]) == ("running", None, None)
    found = await ended(auditor, started)
    assert (found["state"], found["verdict"], found["ledger"]) == ("finished", "intact", callers.ledger)
    assert (found["kind"], found["whole"]) == ("requested", True)
    assert found["report"]["tampering"] == []
    assert found["report"]["from_position"] == 1
    assert found["report"]["to_position"] >= len(receipts)
    assert any(line.startswith("the read table activity") for line in found["report"]["checked"])
    assert found["progress"]["done"] == found["progress"]["total"] > 0
    events = await auditor.page(
        {"activity": "audit_trail.verified", "min_position": str(found["report"]["to_position"] + 1)}
    )
    (event,) = events["events"]
    assert event["details"]["verdict"] == "intact"
    assert event["details"]["verification_id"] == started.json["id"]
    assert event["source"] == found["source"]


async def test_the_read_tables_can_be_left_out(auditor: Client, module: Client) -> None:
    """They take most of the time; and it is said."""
    await module.record(command_data())
    found = await ended(auditor, await auditor.call("POST", "/v1/verifications?tables=false"))
    assert (found["verdict"], found["whole"]) == ("intact", False)
    assert "whether the read tables say what the ledger says" in found["report"]["not_checked"]


async def test_a_ledger_is_verified_once_at_a_time(callers: Callers, auditor: Client, module: Client) -> None:
    """Another one is refused until that has ended; other ledgers do not wait."""
    await module.record_all(varied_commands(300))
    started = await auditor.call("POST", "/v1/verifications")
    again = await auditor.call("POST", "/v1/verifications")
    assert (again.status, again.kind) == (409, "already-verifying")
    stranger = await callers.elsewhere().create(Role.AUDITOR)
    assert (await stranger.call("POST", "/v1/verifications")).status == 202
    assert (await ended(auditor, started))["verdict"] == "intact"
    assert (await ended(auditor, await auditor.call("POST", "/v1/verifications")))["verdict"] == "intact"


@pytest.mark.parametrize("verification_id", [UNKNOWN, "42", "%00", "x" * 3000])
async def test_what_is_not_there_is_not_found(auditor: Client, verification_id: str) -> None:
    """An id that nobody has, or what is no id at all."""
    answer = await auditor.call("GET", f"/v1/verifications/{verification_id}")
    assert (answer.status, answer.kind) == (404, "not-found")


async def test_a_verification_of_another_ledger_is_not_found(callers: Callers, auditor: Client) -> None:
    """Who is not of the ledger learns nothing about it."""
    started = await auditor.call("POST", "/v1/verifications")
    stranger = await callers.elsewhere().create(Role.AUDITOR)
    assert (await stranger.call("GET", f"/v1/verifications/{started.json['id']}")).status == 404
    await ended(auditor, started)


@pytest.mark.parametrize("role", [Role.MODULE, Role.OPERATOR, Role.USER])
async def test_only_auditors_verify(callers: Callers, role: Role) -> None:
    """And only they read what came of it."""
    caller = await callers.create(role, actor_id="u-1" if role is Role.USER else None)
    for method, path in (("POST", "/v1/verifications"), ("GET", f"/v1/verifications/{UNKNOWN}")):
        assert (await caller.call(method, path)).status == 403


@pytest.mark.parametrize("query", ["tables=perhaps", "tabels=true", "tables=true&tables=false"])
async def test_a_bad_option_is_named(auditor: Client, query: str) -> None:
    """Nothing is started then."""
    answer = await auditor.call("POST", f"/v1/verifications?{query}")
    assert (answer.status, answer.kind) == (422, "invalid-query")
    assert answer.json["errors"][0]["parameter"] == query.partition("=")[0]


async def test_tampering_raises_an_alarm_until_all_is_well_again(database_url: str, session: ClientSession) -> None:
    """Readiness and a figure tell, whoever asks; commands are taken all the while."""
    with running(database_url) as service:
        keys = {role: await service.create_key(DEFAULT_LEDGER, role) for role in (Role.MODULE, Role.AUDITOR)}
        module, auditor = (Client(session, service.address, keys[role][1]) for role in (Role.MODULE, Role.AUDITOR))
        receipt = await module.record(command_data())
        await auditor.shown(receipt)
        assert (await alarm(auditor)) == ("ready", "ready", 0)
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute("ALTER TABLE audit.events DISABLE TRIGGER ALL")
            change = "UPDATE audit.events SET topic = %s WHERE position = %s RETURNING topic"
            owner.execute(change, ["Another", receipt["position"]])
            found = await ended(auditor, await auditor.call("POST", "/v1/verifications"))
            assert (found["verdict"], found["report"]["tampering"][0]["kind"]) == ("tampered", "column-altered")
            assert found["report"]["tampering"][0]["position"] == receipt["position"]
            assert await alarm(auditor) == ("alarm", "tampered", 1)
            await module.record(command_data())
            owner.execute(change, ["CertificateRevoked", receipt["position"]])
        await ended(auditor, await auditor.call("POST", "/v1/verifications?tables=false"))
        assert await alarm(auditor) == ("alarm", "tampered", 1)
        assert (await ended(auditor, await auditor.call("POST", "/v1/verifications")))["verdict"] == "intact"
        assert await alarm(auditor) == ("ready", "ready", 0)
        detected = await auditor.page({"activity": "audit_tampering.detected"})
        assert [event["details"]["position"] for event in detected["events"]] == [receipt["position"]]


async def alarm(client: Client) -> tuple[str, str, int]:
    ready = await client.call("GET", "/readyz")
    assert ready.status == 200
    figures = (await client.call("GET", "/metrics")).body.decode()
    figure = next(line for line in figures.splitlines() if line.startswith("certinext_audit_verification_alarms "))
    return ready.json["status"], ready.json["verification"], int(float(figure.split()[1]))


async def post(auditor: Client, body: Any, content_type: str = "application/json") -> Answer:
    """Ask for a verification without the read tables."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = {"Content-Type": content_type}
    return await auditor.call("POST", "/v1/verifications?tables=false", body=BytesIO(data), headers=headers)


async def a_checkpoint(module: Client, auditor: Client) -> tuple[str, str]:
    """A note that covers something, and the key that has signed it."""
    await auditor.shown(await module.record(command_data()))
    async with asyncio.timeout(PATIENCE):
        while (answer := await auditor.get("/v1/checkpoints/latest")).status != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    note = answer.body.decode()
    ledger = note.splitlines()[0].partition("/")[2]
    keys = (await auditor.get("/.well-known/certinext-audit/keys", {"ledger": ledger})).json["keys"]
    return note, keys[-1]["verifier_key"]


async def test_checkpoints_kept_elsewhere_are_compared(module: Client, auditor: Client) -> None:
    """With the keys of who kept them, or with those known here; and what is not covered is said no more."""
    note, key = await a_checkpoint(module, auditor)
    for keys in ([key], []):
        started = await post(auditor, {"checkpoints": [note], "keys": keys})
        assert started.status == 202
        found = await ended(auditor, started)
        assert found["verdict"] == "intact"
        assert not any("kept elsewhere" in line for line in found["report"]["not_checked"])
    nothings: list[Any] = [b"", {}, {"checkpoints": []}]
    for nothing in nothings:
        found = await ended(auditor, await post(auditor, nothing))
        assert any("kept elsewhere" in line for line in found["report"]["not_checked"])


async def test_a_checkpoint_of_other_events_is_told(database_url: str, session: ClientSession) -> None:
    """It names which of those that were sent."""
    with running(database_url) as service:
        keys = {role: await service.create_key(DEFAULT_LEDGER, role) for role in (Role.MODULE, Role.AUDITOR)}
        module, auditor = (Client(session, service.address, keys[role][1]) for role in (Role.MODULE, Role.AUDITOR))
        note, _ = await a_checkpoint(module, auditor)
        size = int(note.splitlines()[1])
        own = Ed25519Key.new()
        verifier = VerifierKey("certinext-audit/default", own.public_key)
        text = Checkpoint(verifier.name, size, bytes(32)).text
        other = str(SignedNote(text, (NoteSignature(verifier.name, verifier.key_id, own.sign(text.encode())),)))
        found = await ended(auditor, await post(auditor, {"checkpoints": [other], "keys": [str(verifier)]}))
        assert found["verdict"] == "tampered"
        assert found["report"]["tampering"][0]["kind"] == "history-rewritten"
        assert "the request (1)" in found["report"]["tampering"][0]["message"]


@pytest.mark.parametrize(
    ("body", "status", "kind", "pointers"),
    [
        (b"{", 400, "invalid-json", None),
        (b"[]", 400, "invalid-json", None),
        (b"null", 400, "invalid-json", None),
        ({"checkpoint": []}, 422, "invalid-body", ["/checkpoint"]),
        ({"checkpoints": "x"}, 422, "invalid-body", ["/checkpoints"]),
        ({"checkpoints": [7], "keys": [None]}, 422, "invalid-body", ["/checkpoints/0", "/keys/0"]),
        ({"checkpoints": ["x"] * 101}, 422, "invalid-body", ["/checkpoints"]),
        ({"checkpoints": ["x" * 100_001]}, 422, "invalid-body", ["/checkpoints/0"]),
        ({"checkpoints": ["nothing", "a\n\n"]}, 422, "invalid-body", ["/checkpoints/0", "/checkpoints/1"]),
        ({"keys": ["nothing", "a+0+x"]}, 422, "invalid-body", ["/keys/0", "/keys/1"]),
        ({"checkpoints": ["a\u0000"]}, 422, "invalid-body", ["/checkpoints/0"]),
        (b'{"checkpoints": ["' + b"x" * 1024 * 1024 + b'"]}', 413, "too-large", None),
    ],
    ids=itertools.count(),
)
async def test_a_body_that_does_not_fit_starts_nothing(
    auditor: Client, body: Any, status: int, kind: str, pointers: list[str] | None
) -> None:
    """Each place is named."""
    answer = await post(auditor, body)
    assert (answer.status, answer.kind) == (status, kind)
    if pointers is not None:
        assert answer.pointers == pointers
    assert (await ended(auditor, await post(auditor, b"")))["verdict"] == "intact"


async def test_a_checkpoint_of_another_ledger_or_key_is_named(
    callers: Callers, module: Client, auditor: Client
) -> None:
    """Before anything is started."""
    elsewhere = callers.elsewhere()
    others = await a_checkpoint(await elsewhere.create(Role.MODULE), await elsewhere.create(Role.AUDITOR))
    note, _ = await a_checkpoint(module, auditor)
    for body in ({"checkpoints": [note, others[0]], "keys": []}, {"checkpoints": [note, note], "keys": [others[1]]}):
        answer = await post(auditor, body)
        assert (answer.status, answer.kind) == (422, "invalid-body")
        assert answer.pointers[-1] == "/checkpoints/1"


async def test_a_body_of_another_type_is_refused(auditor: Client) -> None:
    """It is not guessed."""
    answer = await post(auditor, b"checkpoints=x", content_type="application/x-www-form-urlencoded")
    assert (answer.status, answer.kind) == (415, "unsupported-media-type")


async def test_the_body_is_described_as_one_that_may_be_left_out(auditor: Client) -> None:
    """Other bodies must be sent."""
    paths = (await auditor.get("/openapi.json")).json["paths"]
    assert paths["/v1/verifications"]["post"]["requestBody"]["required"] is False
    assert paths["/v1/commands"]["post"]["requestBody"]["required"] is True
