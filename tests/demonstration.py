"""The demonstration's estate: loaded once for a whole run of tests, and copied for each that wants it.

All processes of the run join one PostgreSQL for it. The first that asks loads the estate through a service, as
`certinext-audit demo` does; the others wait for that, and copy a database, which takes a moment.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from adapters.demo import player
from adapters.demo.estate import commands
from adapters.embedded import EmbeddedDatabase, embedded_postgres
from adapters.embedded.locks import FileLock
from adapters.postgres.schema import migrate
from application.credentials import console
from domain.words import DEFAULT_LEDGER, Module, Role
from tests.e2e.running import Service, running

LEDGER = DEFAULT_LEDGER
"""The one that the estate is in."""

_TEMPLATE = "demonstration"
_PATIENCE = 280
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}


@dataclass(frozen=True)
class Demonstration:
    """An estate that stays as it was loaded: only its copies are written to."""

    server: EmbeddedDatabase
    files: Path

    @contextmanager
    def copy(self, name: str, folder: Path) -> Iterator[tuple[Service, str]]:
        """A service on a copy of its own, with the URL of its database; `folder` is for its files."""
        database = f"{name}_{os.getpid()}"
        _execute(self.server, f"CREATE DATABASE {database} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        shutil.copytree(self.files, folder, dirs_exist_ok=True)
        url = self.server.url(database)
        try:
            with running(url, data_dir=folder) as service:
                yield service, url
        finally:
            _execute(self.server, f"DROP DATABASE {database} WITH (FORCE)")


@contextmanager
def demonstration(factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """The estate that all processes of this run share."""
    folder = folder_of_the_run(factory) / "demonstration"
    files, loaded = folder / "service", folder / "loaded"
    folder.mkdir(mode=0o700, exist_ok=True)
    with embedded_postgres(folder / "database", _FAST) as server:
        with FileLock(folder / "lock") as lock:
            assert lock.wait_exclusive_for(_PATIENCE), "the estate is not loaded in time"
            if not loaded.exists():
                _load(server, files)
                loaded.touch()
        yield Demonstration(server, files)


def folder_of_the_run(factory: pytest.TempPathFactory) -> Path:
    """The one that all processes of this run share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def _load(server: EmbeddedDatabase, files: Path) -> None:
    shutil.rmtree(files, ignore_errors=True)
    _execute(server, f"DROP DATABASE IF EXISTS {_TEMPLATE} WITH (FORCE)")
    _execute(server, f"CREATE DATABASE {_TEMPLATE}")
    url = server.url(_TEMPLATE)
    migrate(url)
    with running(url, data_dir=files) as service:
        asyncio.run_coroutine_threadsafe(_play(service), service.loop).result(_PATIENCE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


async def _play(service: Service) -> None:
    """Ninety days of CertiNext, until every read table has them."""
    create, caller = service.trail.create_credential.create, console(LEDGER, datetime.now(UTC), "tests")
    keys = {
        module: (await create(caller, f"demo {module}", Role.MODULE, modules=frozenset({module})))[1]
        for module in Module
    }
    await player.load(service.address, keys, commands(datetime.now(UTC).date()))
    async with asyncio.timeout(_PATIENCE):
        while any(state.lag for state in await service.trail.services.reads.projectors()):  # noqa: ASYNC110  # It has no event.
            await asyncio.sleep(0.02)


def _execute(server: EmbeddedDatabase, statement: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(statement.encode())
