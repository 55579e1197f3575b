"""The database fails in the ways that databases do, and the service stays up and says so."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from aiohttp import ClientSession

from adapters.embedded import EmbeddedDatabase, embedded_postgres
from adapters.embedded.folder import DataFolder
from adapters.embedded.process import postmaster_of
from adapters.postgres import roles
from adapters.postgres.connections import WRITER
from adapters.postgres.schema import migrate
from domain.words import DEFAULT_LEDGER, Role
from tests.chaos.checks import check_all_kept
from tests.chaos.load import Book, load
from tests.e2e.running import Service, running

_SMALL = {"shared_buffers": "16MB", "min_wal_size": "32MB", "max_wal_size": "48MB", "wal_recycle": "off"}
_DISK_BYTES = 256 * 1024 * 1024
_OTHERS = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
_CUT = f"SELECT pg_terminate_backend(pid) {_OTHERS}".encode()
_CANCEL = f"SELECT pg_cancel_backend(pid) {_OTHERS} AND state = 'active'".encode()


@dataclass(frozen=True)
class Scene:
    """A service under load, on a database that it has for itself."""

    folder: Path
    service: Service
    session: ClientSession
    owner: "psycopg.Connection[tuple[object, ...]]"
    """A superuser's connection, made before the harm is done."""
    book: Book

    async def until_ready(self, status: int, seconds: float = 60) -> None:
        """Wait until readyz gives this status."""
        async with asyncio.timeout(seconds):
            while await self._readyz() != status:  # noqa: ASYNC110  # It has no event.
                await asyncio.sleep(0.005)

    async def until_told(self, ledger: str) -> None:
        """Wait until readyz says 503 and this of the ledger, although the database answers."""
        async with asyncio.timeout(60):
            while True:
                async with self.session.get(self.service.address + "/readyz") as answer:
                    said = await answer.json()
                if said["ledger"] == ledger and said["database"] == "ready":
                    assert (answer.status, said["status"]) == (503, "unavailable")
                    return
                await asyncio.sleep(0.005)

    async def _readyz(self) -> int:
        async with self.session.get(self.service.address + "/readyz") as answer:
            return answer.status


@asynccontextmanager
async def scene(folder: Path, database: EmbeddedDatabase) -> AsyncIterator[Scene]:
    """At the end all that was promised is kept, and each request has had an answer that is no failure of ours."""
    migrate(database.url())
    async with AsyncExitStack() as stack:
        service = stack.enter_context(running(database.url()))
        session = await stack.enter_async_context(ClientSession())
        owner = stack.enter_context(psycopg.connect(database.url(), autocommit=True))
        _, key = await service.create_key(DEFAULT_LEDGER, Role.MODULE)
        async with load(service.address, key, singles=6, streams=1) as book:
            scene = Scene(folder, service, session, owner, book)
            await book.grow(50)
            yield scene
            await scene.until_ready(200)
            await book.grow(50)
        assert [kind for kind in book.trouble if not kind.startswith("urn:certinext-audit:problem:")] == []
        await check_all_kept(database.url(), book)


@pytest.fixture
async def durable(tmp_path: Path) -> AsyncIterator[Scene]:
    with embedded_postgres(tmp_path) as database:
        async with scene(tmp_path, database) as made:
            yield made


async def test_a_restart_of_the_database(durable: Scene, rounds: int) -> None:
    """By a fast shutdown, as for an upgrade or a failover."""
    for _ in range(max(1, rounds // 4)):
        pid = postmaster_of(DataFolder.open(durable.folder).cluster)
        assert pid is not None
        os.kill(pid, signal.SIGINT)
        await durable.until_ready(503)
        await durable.until_ready(200)
        await durable.book.grow(50)
    assert durable.book.trouble


async def test_connections_that_are_cut_and_statements_that_are_cancelled(durable: Scene, rounds: int) -> None:
    """All of them at any moment, again and again; who runs out of time is cancelled in the same way."""
    for harm in (_CUT, _CANCEL):
        for _ in range(10 * rounds):
            durable.owner.execute(harm)
            await asyncio.sleep(0.05)
        await durable.book.grow(50)
    assert durable.book.trouble


async def test_a_ledger_that_is_locked_for_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is recorded and nobody waits for ever: statements have a time that they may take."""
    monkeypatch.setitem(roles._FOR_ROLE, WRITER, {"statement_timeout": "200ms"})
    with embedded_postgres(tmp_path) as database:
        async with scene(tmp_path, database) as made:
            with made.owner.transaction():
                made.owner.execute("SELECT * FROM audit.heads FOR UPDATE")
                await made.book.until_trouble()
                answers = len(made.book.receipts)
                for _ in range(3):
                    await made.book.until_trouble()
                await made.until_told("refuses")
                assert len(made.book.receipts) == answers


async def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Commands are refused, and readyz says so, until there is room again; then all goes on by itself."""
    with small_disk(tmp_path / "disk") as disk, embedded_postgres(disk / "data", _SMALL) as database:
        async with scene(disk / "data", database) as made:
            filler = disk / "filler"
            fill(filler)
            await made.book.until_trouble()
            await made.until_told("refuses")
            filler.unlink()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system in memory, of some size."""
    folder.mkdir()
    options = f"size={_DISK_BYTES},mode=755"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(path: Path) -> None:
    """Take all the room that is left."""
    block = bytes(64 * 1024)
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(block)
        except OSError:
            return
