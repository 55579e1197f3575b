"""A real PostgreSQL for the whole run, and a fresh database, copied from a migrated one, for each test."""

import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from adapters.embedded import EmbeddedDatabase, embedded_postgres
from adapters.postgres.schema import migrate
from tests.demonstration import Demonstration, demonstration

# How long an example takes says more about what else the machine does than about the code.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")

# A database is some 300 files, made and removed for each test: ten times as fast in memory, where there is room.
_MEMORY = Path("/dev/shm")
_ROOM = 8 * 1024**3
if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM:
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)

_numbers = itertools.count(1)

# Tests that a crash loses nothing use a server of their own.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}


def pytest_collection_finish() -> None:
    """As the service does it: what exists at the start stays, and is not looked through again and again."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedDatabase]:
    with embedded_postgres(Path(tmp_path_factory.mktemp("postgres")), _FAST) as server:
        _execute(server.url(), "CREATE DATABASE template_audit")
        migrate(server.url("template_audit"))
        yield server


@pytest.fixture
def database_url(server: EmbeddedDatabase) -> Iterator[str]:
    """The URL of a migrated, empty database; its user is a superuser."""
    with _fresh_database(server) as url:
        yield url


@pytest.fixture(scope="module")
def shared_database_url(server: EmbeddedDatabase) -> Iterator[str]:
    """The same for all tests of a module: those whose outcome does not depend on what the others do in it."""
    with _fresh_database(server) as url:
        yield url


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """The demonstration's estate, to be copied."""
    with demonstration(tmp_path_factory) as estate:
        yield estate


@contextmanager
def _fresh_database(server: EmbeddedDatabase) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    _execute(server.url(), f"CREATE DATABASE {name} TEMPLATE template_audit STRATEGY FILE_COPY")
    yield server.url(name)
    _execute(server.url(), f"DROP DATABASE {name} WITH (FORCE)")


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
