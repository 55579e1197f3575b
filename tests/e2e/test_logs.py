"""The log: one JSON object a line, with a trace id, and nothing in it that is secret or personal."""

from typing import Any

import orjson
import psycopg
import pytest
from aiohttp import ClientSession

from tests.builders import command_data
from tests.e2e.client import LINES, Client
from tests.e2e.processes import run, serving

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SECRETS = ("Asha", "10.1.2.3", "u-17", "c-42", "www.example.com", "order-7", "u%2d17", "asha")


async def test_each_request_is_one_line(database_url: str) -> None:
    """With its route, status, duration, ledger and source: no key, no person, no query string, no id."""
    settings = {"database_url": database_url, "log_level": "debug"}
    made: dict[str, Any] = {}
    for role in ("module", "auditor"):
        ended = await run("keys", "create", "--name", role, "--role", role, "--json", settings=settings)
        (made[role],) = ended.json
    async with (
        serving(settings) as service,
        ClientSession(headers={"traceparent": f"00-{TRACE}-{'1' * 16}-01"}) as http,
    ):
        module, auditor = (Client(http, service.address, made[role]["key"]) for role in ("module", "auditor"))
        receipt = await module.record(command_data())
        await module.send(command_data(actor={"id": "u-17", "kind": "user", "full_name": 7}))
        await module.send(b'{"actor":"Asha" 10.1.2.3}')
        await module.send(b'{"actor":"Asha" 10.1.2.3}\n{"command":"Asha"}', LINES)
        await module.send(command_data(), "text/Asha")
        await auditor.get("/v1/events", {"min_position": str(receipt["position"]), "user": "Asha", "entity": "x:c-42"})
        await auditor.get("/v1/events", {"asha": "Asha"})
        await auditor.get("/v1/events", {"cursor": "Asha"})
        await auditor.get(f"/v1/events/{receipt['event_id']}")
        await auditor.get("/v1/events/Asha")
        await auditor.get("/Asha")
        wrong = Client(http, service.address, made["module"]["key"][:-1])
        await wrong.get("/v1/events", {"user": "Asha"})
        ended = await service.stop()
    lines = [orjson.loads(line) for line in ended.complaint.splitlines()]
    assert all("timestamp" in line and "level" in line for line in lines)
    requests = [line for line in lines if line["event"] == "request"]
    assert len(requests) == 12
    assert {line["trace_id"] for line in requests} == {TRACE}
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("POST", "/v1/commands", 201),
        ("POST", "/v1/commands", 422),
        ("POST", "/v1/commands", 400),
        ("POST", "/v1/commands", 200),
        ("POST", "/v1/commands", 415),
        ("GET", "/v1/events", 200),
        ("GET", "/v1/events", 422),
        ("GET", "/v1/events", 422),
        ("GET", "/v1/events/{event_id}", 200),
        ("GET", "/v1/events/{event_id}", 404),
        ("GET", "unknown", 404),
        ("GET", "/v1/events", 401),
    ]
    assert {line["source"] for line in requests} == {made["module"]["id"], made["auditor"]["id"], None}
    assert all(line["seconds"] >= 0 for line in requests)
    keys = [made[role]["key"].split("_")[3] for role in made]
    for secret in (*SECRETS, receipt["event_id"], *keys, keys[0][:-1], "hunter2"):
        assert secret not in ended.complaint + ended.out


async def test_a_request_without_a_trace_gets_one(database_url: str) -> None:
    """It is in the answer and in the log, and differs from request to request."""
    async with serving({"database_url": database_url}) as service, ClientSession() as http:
        nobody = Client(http, service.address, None)
        given = [(await nobody.get("/healthz")).headers["X-Trace-Id"] for _ in range(2)]
        odd = await nobody.call("GET", "/healthz", headers={"traceparent": '00-"\\u0000-x'})
        given.append(odd.headers["X-Trace-Id"])
        ended = await service.stop()
    assert len(set(given)) == 3
    assert [orjson.loads(line)["trace_id"] for line in ended.complaint.splitlines()] == given


async def test_who_is_not_let_in_is_told(database_url: str) -> None:
    """From where, why, and whose key it was: but nothing of what was sent, and no event for a stranger."""
    settings = {"database_url": database_url, "log_level": "warning"}

    async def key(name: str, *more: str) -> Any:
        ended = await run("keys", "create", "--name", name, "--role", "auditor", "--json", *more, settings=settings)
        return ended.json[0]

    good, revoked, expired = await key("good"), await key("revoked"), await key("expired", "--expires-in", "1m")
    assert (await run("keys", "revoke", revoked["id"], settings=settings)).code == 0
    with psycopg.connect(database_url) as owner:
        owner.execute("UPDATE audit.credentials SET expires_at = created_at WHERE id = %s", [expired["id"]])
    wrong = good["key"][:-1] + ("0" if good["key"][-1] != "0" else "1")
    async with serving(settings) as service, ClientSession() as http:
        for given in (None, wrong, revoked["key"], expired["key"]):
            assert (await Client(http, service.address, given).get("/v1/users")).status == 401
        auditor = Client(http, service.address, good["key"])
        with psycopg.connect(database_url) as owner:
            recorded = owner.execute("SELECT count(*) FROM audit.events").fetchone()
        assert recorded == (4,), "three keys were made and one was revoked"
        figures = (await auditor.get("/metrics")).body.decode().splitlines()
        ended = await service.stop()
    for reason in ("missing", "unknown", "revoked", "expired"):
        assert f'certinext_audit_sign_ins_refused_total{{reason="{reason}"}} 1.0' in figures
    lines = [orjson.loads(line) for line in ended.complaint.splitlines()]
    assert [(line["reason"], line["source"]) for line in lines if line["event"] == "sign_in_refused"] == [
        ("missing", None),
        ("unknown", None),
        ("revoked", revoked["id"]),
        ("expired", expired["id"]),
    ]
    assert all(line["remote"] == "127.0.0.1" for line in lines)
    for one in (wrong, good["key"], revoked["key"], expired["key"]):
        assert one.rpartition("_")[2] not in ended.complaint


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_clock_that_jumped_back_is_told_and_counted(database_url: str, workers: str) -> None:
    """The command is recorded all the same; an alarm may watch the figure."""
    settings = {"database_url": database_url, "log_level": "error"}
    ended = await run("keys", "create", "--name", "M", "--role", "module", "--json", settings=settings)
    with psycopg.connect(database_url) as owner:
        owner.execute("ALTER TABLE audit.heads DISABLE TRIGGER forward_only")
        owner.execute("UPDATE audit.heads SET recorded_at = recorded_at + interval '1 hour'")
    async with serving(settings, "--workers", workers) as service, ClientSession() as http:
        module = Client(http, service.address, ended.json[0]["key"])
        for _ in range(2):
            await module.record(command_data())
        figures = (await module.get("/metrics")).body.decode().splitlines()
        ended = await service.stop()
    assert 'certinext_audit_errors_total{event="clock_jumped_back"} 2.0' in figures
    assert [orjson.loads(line)["event"] for line in ended.complaint.splitlines()] == ["clock_jumped_back"] * 2
