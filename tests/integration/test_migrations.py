"""The schema comes from the migrations alone, whoever runs them and however often."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import psycopg
import pytest
from psycopg import sql

from adapters.embedded import EmbeddedDatabase
from adapters.postgres.event_columns import COLUMNS
from adapters.postgres.schema import ROLES, current_version, latest_version, migrate

_numbers = count(1)


@pytest.fixture
def empty_url(server: EmbeddedDatabase) -> Iterator[str]:
    """The URL of a database that was never migrated."""
    name = sql.Identifier(f"unmigrated_{next(_numbers)}")
    with psycopg.connect(server.url(), autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield server.url(name.as_string().strip('"'))
        owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def columns(url: str) -> dict[str, list[str]]:
    """The columns of each table and view of ours, in order."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            """
            SELECT table_schema || '.' || table_name, column_name FROM information_schema.columns
            WHERE table_schema IN ('audit', 'reading') ORDER BY table_schema, table_name, ordinal_position
            """
        ).fetchall()
    found: dict[str, list[str]] = {}
    for table, column in rows:
        found.setdefault(table, []).append(column)
    return found


def test_migrating_leads_to_the_latest_version(empty_url: str) -> None:
    """A database says which version it is at, and that it is at none before the first time."""
    assert current_version(empty_url) is None
    assert migrate(empty_url) == latest_version() == current_version(empty_url)


def test_migrating_again_changes_nothing(database_url: str) -> None:
    """Every start of the service may do it."""
    before = columns(database_url)
    assert migrate(database_url) == current_version(database_url)
    assert columns(database_url) == before


def test_two_who_migrate_at_once_do_not_meet(empty_url: str, database_url: str) -> None:
    """One waits for the other, and both end at the same schema."""
    with ThreadPoolExecutor(3) as threads:
        versions = list(threads.map(migrate, [empty_url] * 3))
    assert versions == [latest_version()] * 3
    assert columns(empty_url) == columns(database_url)


def test_the_events_have_the_columns_that_the_code_writes(database_url: str) -> None:
    """No column is left to a default or out of the hashes, and the reader's view has all of them."""
    found = columns(database_url)
    assert found["audit.events"] == ["ledger", *COLUMNS]
    assert found["audit.ledger_events"] == ["ledger", *COLUMNS]


def test_every_key_begins_with_the_ledger(database_url: str) -> None:
    """So the tables can be distributed by it; and nothing refers from one ledger to another."""
    with psycopg.connect(database_url) as connection:
        keys = connection.execute(
            """
            SELECT conrelid::regclass::text, contype, (
                SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]
            ) FROM pg_constraint WHERE connamespace = 'audit'::regnamespace AND contype IN ('p', 'u', 'f')
            """
        ).fetchall()
        sequences = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'audit'::regnamespace"
        ).fetchone()
    keys.remove(("audit.secrets", "p", "name"))  # What the service's processes share belongs to no ledger.
    assert {table.removeprefix("audit.") for table, _, _ in keys} == {
        *("heads", "events", "credentials", "quarantine"),
        *("checkpoints", "signing_keys", "signing_alarms", "verifications", "exports"),
    }
    assert {(kind, column) for _, kind, column in keys} == {("p", "ledger"), ("u", "ledger")}
    assert sequences == (0,)


def test_the_roles_may_not_log_in(database_url: str) -> None:
    """They are taken on by the service's login, and have no right beyond what is granted."""
    with psycopg.connect(database_url) as connection:
        rights = connection.execute(
            """
            SELECT rolname, rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls
            FROM pg_roles WHERE rolname = ANY(%s)
            """,
            [list(ROLES)],
        ).fetchall()
    assert dict(rights) == dict.fromkeys(ROLES, False)
