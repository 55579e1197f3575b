"""The service ends within a bounded time, whatever the database is doing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest
from aiohttp import ClientError, ClientSession

from adapters import bootstrap
from adapters.bootstrap import serving, wiring
from adapters.embedded import embedded_postgres
from adapters.postgres import connections, roles
from adapters.postgres.schema import migrate
from adapters.settings import Settings
from application.credentials import console
from domain.words import DEFAULT_LEDGER, Role
from tests.builders import NOW, command_data
from tests.e2e.client import Client
from tests.patience import PATIENCE

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'certinext-audit'"


@pytest.fixture
def patient_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements wait for ever, and whoever stops does so soon."""
    monkeypatch.setitem(roles._FOR_ALL, "lock_timeout", "0")
    monkeypatch.setattr(roles, "_FOR_ROLE", {})
    monkeypatch.setattr(connections, "STATEMENT_SECONDS", 600)
    monkeypatch.setattr(connections, "CLOSE_SECONDS", 0.2)
    monkeypatch.setattr(serving, "CLOSE_SECONDS", 0.2)
    for module in (serving, wiring):
        monkeypatch.setattr(module, "DRAIN_SECONDS", 0.2)


async def _send(client: Client) -> None:
    with suppress(ClientError):
        await client.send(command_data())


@pytest.mark.usefixtures("patient_statements")
@pytest.mark.parametrize("table", ["audit.heads", "reading.leases", "reading.tracking"])
async def test_a_lock_does_not_keep_the_service_from_ending(database_url: str, table: str, tmp_path: Path) -> None:
    """Be it that of somebody who has forgotten to end a transaction."""
    settings = Settings(port=0, data_dir=tmp_path)
    async with connected(database_url) as owner, connected(database_url) as watcher, ClientSession() as session:
        lock = owner.transaction()
        async with asyncio.timeout(PATIENCE):
            async with bootstrap.server(database_url, settings) as (trail, address):
                by = console(DEFAULT_LEDGER, NOW, "tests")
                _, key = await trail.create_credential.create(by, "M", Role.MODULE)
                await lock.start()
                await owner.execute(f"LOCK TABLE {table}")
                sending = asyncio.create_task(_send(Client(session, address, key)))
                while not await watcher.fetchval(_WAITING):  # noqa: ASYNC110  # The others have no event.
                    await asyncio.sleep(0.02)
            await sending
        await lock.rollback()


@asynccontextmanager
async def connected(url: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        connection.terminate()


@pytest.mark.usefixtures("patient_statements")
async def test_a_database_that_hangs_does_not_keep_the_service_from_ending(tmp_path: Path) -> None:
    """Its processes are there, and do not answer any more."""
    settings = Settings(port=0, data_dir=tmp_path / "service")
    with embedded_postgres(tmp_path / "postgres") as database:
        migrate(database.url())
        async with connected(database.url()) as owner, ClientSession() as session:
            with stopped_at_end() as stop:
                async with asyncio.timeout(PATIENCE):
                    async with bootstrap.server(database.url(), settings) as (trail, address):
                        by = console(DEFAULT_LEDGER, NOW, "tests")
                        _, key = await trail.create_credential.create(by, "M", Role.MODULE)
                        client = Client(session, address, key)
                        await client.record(command_data())
                        stop.extend(row["pid"] for row in await owner.fetch(_BACKENDS))
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
