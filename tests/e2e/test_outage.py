"""The database goes away and comes back: the service says so, loses nothing, and heals by itself."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from aiohttp import ClientSession
from psycopg.conninfo import conninfo_to_dict

from adapters.embedded import EmbeddedDatabase
from adapters.http import health
from adapters.postgres import roles
from adapters.postgres.connections import WRITER
from domain.words import DEFAULT_LEDGER, Role
from tests.builders import command_data
from tests.e2e.client import LINES, Answer, Client
from tests.e2e.running import Service, running
from tests.patience import PATIENCE


@pytest.fixture
def own_service(database_url: str) -> Iterator[Service]:
    """A service on a database of its own."""
    with running(database_url) as service:
        yield service


@contextmanager
def closed(server: EmbeddedDatabase, url: str) -> Iterator[None]:
    """The database takes no connection, and those that it had are cut."""
    name = conninfo_to_dict(url)["dbname"]
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        try:
            _cut(connection, str(name))
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def _cut(connection: "psycopg.Connection[tuple[object, ...]]", name: str) -> None:
    connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


async def until(client: Client, status: int, path: str = "/readyz") -> Answer:
    async with asyncio.timeout(PATIENCE):
        while (answer := await client.get(path)).status != status:  # noqa: ASYNC110  # It has no event.
            await asyncio.sleep(0.02)
    return answer


async def test_an_outage_is_told_and_heals(
    own_service: Service, server: EmbeddedDatabase, database_url: str, session: ClientSession
) -> None:
    """Commands are not taken while they cannot be kept, and sending them again afterwards is safe."""
    _, module_key = await own_service.create_key(DEFAULT_LEDGER, Role.MODULE)
    _, auditor_key = await own_service.create_key(DEFAULT_LEDGER, Role.AUDITOR)
    module = Client(session, own_service.address, module_key)
    auditor = Client(session, own_service.address, auditor_key)
    first = await module.record(command_data())
    await auditor.shown(first)
    command = command_data()
    with closed(server, database_url):
        unready = await until(auditor, 503)
        assert unready.json == {
            "status": "unavailable",
            "database": "unavailable",
            "ledger": "unavailable",
            "checkpoints": "unknown",
            "verification": "unknown",
            "projectors": {},
        }
        for answer in (await module.send(command), await auditor.get("/v1/events"), await auditor.get("/v1/users")):
            assert (answer.status, answer.kind) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        stranger = Client(session, own_service.address, f"cna_default_nobody_{'0' * 64}")
        assert (await stranger.get("/v1/events")).status == 503, "whether a key is good cannot be known"
        assert (await auditor.get("/healthz")).status == 200
        figures = (await auditor.get("/metrics")).body.decode()
        assert "certinext_audit_database_up 0.0" in figures
    await until(auditor, 200)
    receipt = await module.record(command)
    assert receipt["position"] == first["position"] + 3, "two searches were recorded in between, and nothing else"
    await auditor.shown(receipt)
    assert (await module.record(command))["duplicate"] is True


async def test_lines_are_answered_one_by_one_in_an_outage(
    own_service: Service, server: EmbeddedDatabase, database_url: str, session: ClientSession
) -> None:
    """A sender of lines learns which of them to send again."""
    _, key = await own_service.create_key(DEFAULT_LEDGER, Role.MODULE)
    module = Client(session, own_service.address, key)
    await module.record(command_data())
    with closed(server, database_url):
        await until(module, 503)
        answer = await module.send(b"{}\n{}\n", LINES)
        assert answer.status in {200, 503}
        if answer.status == 200:
            assert [line["status"] for line in answer.lines] == [503, 503], "it cannot be kept, so it is not refused"
            assert all("quarantine_id" not in line for line in answer.lines)
        answer = await module.send(b"{}")
        assert (answer.status, answer.kind) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert "certinext_audit_quarantine_waiting NaN" in (await module.get("/metrics")).body.decode()
    await until(module, 200)
    answer = await module.send(b"{}")
    assert answer.status == 422
    assert answer.json["quarantine_id"]


async def test_a_cut_connection_is_not_the_end(
    own_service: Service, server: EmbeddedDatabase, database_url: str, session: ClientSession
) -> None:
    """Connections that the database drops are replaced; projection and announcements go on."""
    _, module_key = await own_service.create_key(DEFAULT_LEDGER, Role.MODULE)
    _, auditor_key = await own_service.create_key(DEFAULT_LEDGER, Role.AUDITOR)
    module = Client(session, own_service.address, module_key)
    auditor = Client(session, own_service.address, auditor_key)
    for _ in range(3):
        with psycopg.connect(server.url(), autocommit=True) as connection:
            _cut(connection, str(conninfo_to_dict(database_url)["dbname"]))
        command = command_data()
        async with asyncio.timeout(PATIENCE):
            while (answer := await module.send(command)).status != 201:
                assert (answer.status, answer.kind) == (503, "unavailable")
                await asyncio.sleep(0.02)
        await auditor.shown(answer.json)


async def test_a_database_that_is_gone_is_told(
    own_service: Service, server: EmbeddedDatabase, database_url: str, session: ClientSession
) -> None:
    """Even if it was dropped: the service stays up to say so, and ends when it is told to."""
    name = conninfo_to_dict(database_url)["dbname"]
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        nobody = Client(session, own_service.address, None)
        assert (await until(nobody, 503)).json["database"] == "unavailable"
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_audit STRATEGY FILE_COPY".encode())
    await until(nobody, 200)


async def test_a_ledger_that_refuses_is_told(
    database_url: str, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a while after the last trial: then it is unknown, and the next command decides."""
    monkeypatch.setitem(roles._FOR_ROLE, WRITER, {"statement_timeout": "100ms"})
    with running(database_url) as service, psycopg.connect(database_url) as owner:
        _, key = await service.create_key(DEFAULT_LEDGER, Role.MODULE)
        module = Client(session, service.address, key)
        assert (await module.get("/readyz")).json["ledger"] == "ready"
        owner.execute("LOCK TABLE audit.events")
        assert (await module.send(command_data())).status == 503
        refuses = await module.get("/readyz")
        assert refuses.status == 503
        assert refuses.json["database"] == "ready"
        assert (refuses.json["status"], refuses.json["ledger"]) == ("unavailable", "refuses")
        with monkeypatch.context() as later:
            later.setattr(health, "_FAILURE_TELLS_SECONDS", 0.0)
            untried = await module.get("/readyz")
        assert (untried.status, untried.json["status"], untried.json["ledger"]) == (200, "degraded", "untried")
        owner.rollback()
        await module.record(command_data())
        ready = await module.get("/readyz")
        assert (ready.status, ready.json["ledger"]) == (200, "ready")
