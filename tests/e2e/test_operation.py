"""What those who run the service see of it: liveness, readiness, figures, the description, problems of routing."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # It has no stubs.
from openapi_pydantic import OpenAPI
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from adapters.bootstrap import PROJECTIONS
from adapters.http.app import ALL_ROUTES
from tests.builders import command_data
from tests.e2e.bad_bodies import expiry
from tests.e2e.client import Client
from tests.e2e.processes import serving

OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"
OF_THE_DESIGN = {
    "command": "RevokeCertificate",
    "command_id": "0f9c...",
    "occurred_at": "2026-11-24T10:00:00Z",
    "actor": {"id": "u-17", "full_name": "Asha Rao", "kind": "user", "ip": "10.1.2.3", "session_id": "s-9"},
    "entity": {"type": "certificate", "id": "c-42", "name": "www.example.com"},
    "status": "success",
    "correlation_id": "order-7",
    "channel": "portal",
    "details": {"crl_reason": "keyCompromise", "revocation_time": "2026-11-24T10:00:00Z"},
}
_FAILURE = {"code": "denied", "reason": "no"}


async def test_it_is_alive_and_ready(nobody: Client, module: Client) -> None:
    """Readiness names each projector, with how far it is behind."""
    await module.record(command_data())
    assert (await nobody.get("/healthz")).json == {"status": "alive"}
    ready = await nobody.get("/readyz")
    assert ready.status == 200
    parts = ("status", "database", "ledger", "checkpoints", "verification")
    assert [ready.json[part] for part in parts] == ["ready"] * 5
    assert set(ready.json["projectors"]) == {projection.name for projection in PROJECTIONS}
    assert all(set(state) == {"lag", "stuck", "set_aside"} for state in ready.json["projectors"].values())


async def test_figures_are_for_prometheus(nobody: Client, module: Client) -> None:
    """Requests by route, commands by outcome, the lag of each projector."""
    await module.record(command_data())
    answer = await nobody.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    figures = answer.body.decode()
    assert 'certinext_audit_commands_total{outcome="recorded"}' in figures
    assert 'certinext_audit_projector_lag_events{projection="activity"}' in figures
    assert 'route="/v1/commands",status="201"' in figures
    assert "certinext_audit_database_up 1.0" in figures


async def test_every_figure_that_an_alarm_watches_is_there(database_url: str, session: ClientSession) -> None:
    """As operations.md names them."""
    alarms = OPERATIONS.read_text().partition("## Alarms")[2]
    named = set(re.findall(r"`(certinext_audit_\w+)", alarms))
    assert len(named) == 9
    async with serving({"database_url": database_url}) as service:
        figures = (await Client(session, service.address, None).get("/metrics")).body.decode()
        assert (await service.stop()).code == 0
    assert {name for name in named if f"# TYPE {name} " not in figures} == set()


@pytest.fixture
async def description(nobody: Client) -> dict[str, Any]:
    answer = await nobody.get("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    document: dict[str, Any] = answer.json
    return document


async def test_the_description_is_valid(description: dict[str, Any]) -> None:
    """By two judges that do not know each other."""
    assert description["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(description).validate()
    assert OpenAPI.model_validate(description).paths


async def test_the_description_holds_every_route(description: dict[str, Any]) -> None:
    """With the same methods, and nothing else."""
    described = {(method.upper(), path) for path, item in description["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in ALL_ROUTES}
    for route in ALL_ROUTES:
        operation = description["paths"][route.path][route.method.lower()]
        assert operation["description"]
        assert bool(operation["security"]) == bool(route.roles)


async def test_what_a_query_must_have_is_described_as_required(description: dict[str, Any], auditor: Client) -> None:
    """And whoever leaves it out is told so."""
    found = {
        path: [one["name"] for one in item["get"].get("parameters", ()) if one["in"] == "query" and one["required"]]
        for path, item in description["paths"].items()
        if "get" in item
    }
    required = {path: names for path, names in found.items() if names}
    assert required
    for path, names in required.items():
        answer = await auditor.get(re.sub(r"\{\w+\}", "user", path))
        assert (answer.status, answer.parameters) == (422, names), path


@pytest.fixture
def of_command(description: dict[str, Any]) -> Draft202012Validator:
    """Judges commands by the description alone."""
    registry: Registry[Any] = Registry().with_resource(
        "urn:api", Resource.from_contents(description, default_specification=DRAFT202012)
    )
    return Draft202012Validator({"$ref": "urn:api#/components/schemas/Command"}, registry=registry)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"status": "failure", "failure": _FAILURE, "details": {}},
        {"status": "failure", "failure": _FAILURE, "details": None},
        {"changes": [{"path": "/a", "old": [1, {"b": None}], "new": "x"}]},
        {"also_affected": [{"type": "domain", "id": "example.com"}]},
        {"command": "LogOutUser", "details": {}},
    ],
)
async def test_a_good_command_fits_the_description_and_is_taken(
    of_command: Draft202012Validator, module: Client, changes: dict[str, Any]
) -> None:
    """What a sender checks beforehand is what the service takes."""
    sent = {name: value for name, value in {**OF_THE_DESIGN, **changes}.items() if value is not None}
    of_command.validate(sent)
    assert (await module.send(sent)).status == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"details": {"crl_reason": "boredom", "revocation_time": "2026-11-24T10:00:00Z"}},
        {"details": {}},
        {"details": None},
        {"details": {"crl_reason": "keyCompromise", "revocation_time": "2026-11-24T10:00:00Z", "x": 1}},
        {"command": "FlyToTheMoon"},
        {"source": "somebody"},
        {"status": "pending"},
        {"status": "failure", "failure": {"code": "denied"}, "details": {}},
        {"actor": {"id": "u-1"}},
        {"command_id": ""},
        {"command": "NotifyCertificateExpiry", "details": {"days_left": "5"}},
    ],
)
async def test_a_broken_command_fits_neither(
    of_command: Draft202012Validator, module: Client, changes: dict[str, Any]
) -> None:
    """The description refuses what the service refuses."""
    sent = {name: value for name, value in {**OF_THE_DESIGN, **changes}.items() if value is not None}
    assert not of_command.is_valid(sent)
    assert (await module.send(sent)).status == 422


async def test_the_largest_integer_is_described(of_command: Draft202012Validator, module: Client) -> None:
    """2^53 does not fit."""
    assert of_command.is_valid(orjson.loads(expiry(b"9007199254740991")))
    assert not of_command.is_valid(orjson.loads(expiry(b"9007199254740992")))
    assert (await module.send(expiry(b"9007199254740991"))).status == 201


@pytest.mark.parametrize(
    "path", ["/page", "/v1", "/v2/events", "/v1/events/", "/v1/commands/1", "/favicon.ico", "//v1/events"]
)
async def test_an_unknown_path_is_not_found(nobody: Client, path: str) -> None:
    """And that is a problem like all others."""
    answer = await nobody.call("GET", path)
    assert (answer.status, answer.kind) == (404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/commands", "POST"),
        ("DELETE", "/v1/events", "GET"),
        ("PUT", "/v1/events/0198c0de-0000-7000-8000-000000000000", "GET"),
        ("POST", "/healthz", "GET"),
        ("PATCH", "/openapi.json", "GET"),
    ],
)
async def test_another_method_is_not_allowed(nobody: Client, method: str, path: str, allowed: str) -> None:
    """The problem comes with the methods that are: there is none that changes or deletes an event."""
    answer = await nobody.call(method, path)
    assert (answer.status, answer.kind) == (405, "method-not-allowed")
    assert answer.headers["Allow"] == allowed


async def test_every_answer_is_safe_to_handle(nobody: Client) -> None:
    """No sniffing, no caching, no frames, no referrer, nothing about the software; and a trace id."""
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    for path in ("/healthz", "/v1/events", "/nowhere"):
        answer = await nobody.call("GET", path, headers=headers)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "certinext-audit"
        assert answer.headers["X-Trace-Id"] == trace_id
