"""A managed PostgreSQL: nobody is a superuser there, and the owner of the database may at most make roles."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import psycopg
import pytest

from adapters import bootstrap
from adapters.embedded import EmbeddedDatabase, embedded_postgres
from adapters.embedded.account import Account
from adapters.embedded.binaries import Programs, system_programs, wheel_programs
from adapters.embedded.cluster import create_cluster, new_password
from adapters.embedded.folder import DataFolder
from adapters.embedded.runtime import new_runtime_folder
from adapters.postgres.schema import current_version, latest_version, migrate
from adapters.settings import Settings
from application.credentials import console
from domain.words import DEFAULT_LEDGER, Position, Role
from projections.reads import Wait
from tests.builders import NOW
from tests.integration.embedded.embedded_processes import copied

PROGRAMS = {programs.version(): programs for programs in (*system_programs(), *wheel_programs())}
"""Of each version that is here."""


@pytest.fixture(scope="module", params=PROGRAMS.values(), ids=[f"PostgreSQL {version}" for version in PROGRAMS])
def begun(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a server that nobody has used yet, to be copied."""
    programs: Programs = request.param
    folder = DataFolder.open(Path(tmp_path_factory.mktemp("begun")) / "data")
    account = Account.for_cluster(folder.cluster)
    runtime = new_runtime_folder(account)
    create_cluster(folder, programs, account, runtime, new_password(folder))
    runtime.rmdir()
    return folder.path


@pytest.fixture
def fresh_server(begun: Path, tmp_path: Path) -> Iterator[EmbeddedDatabase]:
    """A server that knows nothing of us; its user stands for whoever manages it."""
    data = copied(begun, tmp_path / "data")
    with embedded_postgres(data, {"fsync": "off", "shared_buffers": "16MB"}) as database:
        yield database


def _as(server: EmbeddedDatabase, user: str, database: str) -> str:
    return replace(server, user=user, password="secret").url(database)


def _execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def owner_url(fresh_server: EmbeddedDatabase) -> str:
    """As operations.md tells to make it."""
    _execute(
        fresh_server.url(),
        "CREATE ROLE audit_owner LOGIN CREATEROLE PASSWORD 'secret'",
        "CREATE DATABASE audit OWNER audit_owner",
    )
    return _as(fresh_server, "audit_owner", "audit")


@pytest.fixture
def service_url(fresh_server: EmbeddedDatabase, owner_url: str) -> str:
    assert migrate(owner_url) == latest_version()
    _execute(
        owner_url,
        "CREATE ROLE audit_service LOGIN NOINHERIT PASSWORD 'secret' "
        "IN ROLE certinext_audit_writer, certinext_audit_projector, certinext_audit_reader",
    )
    return _as(fresh_server, "audit_service", "audit")


async def test_its_owner_migrates_and_another_login_serves(owner_url: str, service_url: str, tmp_path: Path) -> None:
    """Neither has more rights than operations.md gives them; migrating again is fine, too."""
    assert migrate(owner_url) == current_version(service_url)
    async with bootstrap.server(service_url, Settings(port=0, data_dir=tmp_path / "service")) as (trail, _):
        by = console(DEFAULT_LEDGER, NOW, "tests")
        _, key = await trail.create_credential.create(by, "A", Role.AUDITOR)
        await trail.services.authenticate.authenticate(key)
        rows, _ = await trail.services.reads.modules(DEFAULT_LEDGER, [], [], Wait(Position(1), 30))
        assert [row["activity"] for row in rows] == ["audit_credential.created"]


async def test_what_is_recorded_is_safe_from_both(owner_url: str, service_url: str, tmp_path: Path) -> None:
    """The service's login lacks the right, and the owner meets the trigger."""
    async with bootstrap.trail(service_url, Settings(data_dir=tmp_path / "service")) as trail:
        await trail.create_credential.create(console(DEFAULT_LEDGER, NOW, "tests"), "A", Role.AUDITOR)
    for url in (owner_url, service_url):
        connection = await asyncpg.connect(url)
        try:
            for statement in ("UPDATE audit.events SET record = ''", "DELETE FROM audit.events"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
        finally:
            await connection.close()


def test_another_owner_on_the_same_server_needs_the_roles(fresh_server: EmbeddedDatabase, service_url: str) -> None:
    """They belong to the server: who made them grants them, and then the other one migrates as well."""
    assert current_version(service_url) == latest_version()
    _execute(
        fresh_server.url(),
        "CREATE ROLE other_owner LOGIN PASSWORD 'secret'",
        "CREATE DATABASE other OWNER other_owner",
    )
    url = _as(fresh_server, "other_owner", "other")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        migrate(url)
    _execute(
        _as(fresh_server, "audit_owner", "audit"),
        "GRANT certinext_audit_writer, certinext_audit_projector, certinext_audit_reader TO other_owner",
    )
    assert migrate(url) == latest_version()
