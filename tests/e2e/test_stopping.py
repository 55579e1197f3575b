"""The service ends within a bounded time, whatever the database is doing."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from aiohttp import ClientError, ClientSession

from adapters import bootstrap
from adapters.embedded import embedded_postgres
from adapters.postgres import connections
from adapters.postgres.schema import migrate
from adapters.settings import Settings
from application.credentials import console
from domain.words import DEFAULT_LEDGER, Role
from tests.builders import NOW, command_data
from tests.e2e.client import Client

PATIENCE = 20
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'certinext-audit'"


@pytest.fixture
def patient_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements wait for ever, and whoever stops does so soon."""
    monkeypatch.setitem(connections._FOR_ALL, "lock_timeout", "0")
    monkeypatch.setattr(connections, "_FOR_ROLE", {})
    monkeypatch.setattr(connections, "STATEMENT_SECONDS", 600)
    monkeypatch.setattr(connections, "CLOSE_SECONDS", 0.2)
    monkeypatch.setattr(bootstrap, "CLOSE_SECONDS", 0.2)
    monkeypatch.setattr(bootstrap, "_DRAIN_SECONDS", 0.2)


async def _send(client: Client) -> None:
    with suppress(ClientError):
        await client.send(command_data())


@pytest.mark.usefixtures("patient_statements")
@pytest.mark.parametrize("table", ["audit.heads", "reading.leases", "reading.tracking"])
async def test_a_lock_does_not_keep_the_service_from_ending(database_url: str, table: str) -> None:
    """Be it that of somebody who has forgotten to end a transaction."""
    with psycopg.connect(database_url) as owner:
        async with asyncio.timeout(PATIENCE), ClientSession() as session:
            async with bootstrap.server(database_url, Settings(port=0)) as (trail, address):
                by = console(DEFAULT_LEDGER, NOW, "tests")
                _, key = await trail.create_credential.create(by, "M", Role.MODULE)
                owner.execute(f"LOCK TABLE {table}".encode())
                sending = asyncio.create_task(_send(Client(session, address, key)))
                while owner.execute(_WAITING).fetchone() == (0,):  # noqa: ASYNC110  # The others have no event.
                    await asyncio.sleep(0.02)
            await sending
        assert owner.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.usefixtures("patient_statements")
async def test_a_database_that_hangs_does_not_keep_the_service_from_ending(tmp_path: Path) -> None:
    """Its processes are there, and do not answer any more."""
    with embedded_postgres(tmp_path) as database:
        migrate(database.url())
        with psycopg.connect(database.url(), autocommit=True) as owner:
            async with asyncio.timeout(PATIENCE), ClientSession() as session:
                with stopped_at_end() as stop:
                    async with bootstrap.server(database.url(), Settings(port=0)) as (trail, address):
                        by = console(DEFAULT_LEDGER, NOW, "tests")
                        _, key = await trail.create_credential.create(by, "M", Role.MODULE)
                        client = Client(session, address, key)
                        await client.record(command_data())
                        stop.extend(pid for (pid,) in owner.execute(_BACKENDS).fetchall())
                        assert len(stop) >= 4
                        for pid in stop:
                            os.kill(pid, signal.SIGSTOP)
                        sending = asyncio.create_task(_send(client))
                    await sending


@contextmanager
def stopped_at_end() -> Iterator[list[int]]:
    """Processes that go on when the block has ended."""
    pids: list[int] = []
    try:
        yield pids
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
