"""Bringing a database to the schema of this version, and knowing whether it is there."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from adapters.postgres.connections import CONNECT_SECONDS, PROJECTOR, READER, WRITER

ROLES = (WRITER, PROJECTOR, READER)
"""The writer appends, the projector fills the read tables, the reader reads; the owner is who migrates."""

SERVICE = "certinext_audit_service"
"""The login of the service in a database that is ours alone."""

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
_WITH_SET_OPTION = 160000
_LOCK = 0x63_6E_61_75  # "cnau": one migration of a database at a time.


class UpgradeFailed(Exception):
    """A migration could not be run."""


def migrate(url: str) -> str:
    """Bring the database to the latest version, and return that version.

    The user of the URL becomes the owner; it must be allowed to create roles and schemas, or the roles must
    exist and be granted to it. Raises psycopg.Error or UpgradeFailed with the server's reason.
    """
    # alembic and SQLAlchemy take as long to load as a third of all else, and hardly any start needs them.
    from adapters.postgres.migrations.upgrade import upgrade  # noqa: PLC0415

    with _locked(url) as connection:
        for role in ROLES:
            _ensure_role(connection, role)
        upgrade(url)
        connection.execute("GRANT SELECT ON schema_version TO PUBLIC")
    return latest_version()


def ensure_service_login(url: str, password: str) -> None:
    """Make the login SERVICE, which may take on the three roles and nothing else; `url` is the owner's."""
    with _locked(url) as connection:
        exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [SERVICE]).fetchone()
        statement = "ALTER ROLE {} PASSWORD {}" if exists else "CREATE ROLE {} LOGIN NOINHERIT PASSWORD {} IN ROLE {}"
        connection.execute(
            sql.SQL(statement).format(
                sql.Identifier(SERVICE), sql.Literal(password), sql.SQL(", ").join(map(sql.Identifier, ROLES))
            )
        )


def current_version(url: str) -> str | None:
    """The version that the database is at; None if it was never migrated. Raises psycopg.Error."""
    with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
        try:
            row = connection.execute("SELECT version_num FROM schema_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return str(row[0]) if row else None


def latest_version() -> str:
    """The version of the schema that this code works with."""
    return max(script.name for script in _VERSIONS.glob("[0-9]*.py")).partition("_")[0]


@contextmanager
def _locked(url: str) -> Iterator[psycopg.Connection]:
    """A connection that keeps other migrations of this database away."""
    with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
        connection.execute("SET lock_timeout = '60s'")
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        yield connection


def _ensure_role(connection: psycopg.Connection, role: str) -> None:
    """Create the role, which belongs to all databases of the server, and let ourselves take it on."""
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    if not exists:
        # Another database of the server may be migrated now: our lock is of this database only.
        with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    # Since version 16, who may create a role need not be allowed to act as it.
    right = "SET" if connection.info.server_version >= _WITH_SET_OPTION else "MEMBER"
    may = connection.execute("SELECT pg_has_role(%s, %s)", [role, right]).fetchone()
    if may != (True,):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
