"""Who may add to checkpoints and their keys, and that nobody may change them."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import CheckViolation, InsufficientPrivilege

from adapters.postgres.connections import PROJECTOR, READER, WRITER
from domain.words import DEFAULT_LEDGER
from tests.integration.test_ledger_access import OTHER, Connection, refused

TABLES = ("audit.checkpoints", "audit.signing_keys")
CHECKPOINT = "INSERT INTO audit.checkpoints VALUES ('{}', 9, 5, 'note', 'name', 'id', now())"
KEY = "INSERT INTO audit.signing_keys VALUES ('{}', 'another', 'id', 'key', now())"
ALARM = "INSERT INTO audit.signing_alarms VALUES ('{}', 'reason', now())"


@pytest.fixture
def owner(database_url: str) -> Iterator[Connection]:
    """A superuser, with a checkpoint, a key and an alarm in each of two ledgers."""
    with psycopg.connect(database_url) as connection:
        for ledger in (DEFAULT_LEDGER, OTHER):
            connection.execute(CHECKPOINT.format(ledger).replace("9, 5", "5, 0").encode())
            connection.execute(KEY.format(ledger).replace("another", "name").encode())
            connection.execute(ALARM.format(ledger).encode())
        yield connection


def act_as(connection: Connection, role: str) -> None:
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
    connection.execute("SELECT set_config('certinext_audit.ledger', %s, true)", [DEFAULT_LEDGER])


def rows(connection: Connection, table: str) -> int:
    return connection.execute(f"SELECT * FROM {table}".encode()).rowcount


def test_the_writer_adds_to_its_ledger_and_changes_nothing(owner: Connection) -> None:
    act_as(owner, WRITER)
    for table, row in zip(TABLES, (CHECKPOINT, KEY), strict=True):
        assert rows(owner, table) == 1, "the other ledger's is out of reach"
        assert owner.execute(row.format(DEFAULT_LEDGER).encode()).rowcount == 1
        with refused(owner, "row-level security"):
            owner.execute(row.format("third").encode())
        for change in (f"UPDATE {table} SET ledger = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with refused(owner, "permission denied"):
                owner.execute(change.encode())


def test_the_reader_reads_its_ledger_and_adds_nothing(owner: Connection) -> None:
    act_as(owner, READER)
    for table, row in zip(TABLES, (CHECKPOINT, KEY), strict=True):
        assert rows(owner, table) == 1
        with refused(owner, "permission denied"):
            owner.execute(row.format(DEFAULT_LEDGER).encode())
    with refused(owner, "permission denied"):
        rows(owner, "audit.signing_alarms")


def test_the_projector_sees_how_far_all_ledgers_are_signed_and_no_more(owner: Connection) -> None:
    act_as(owner, PROJECTOR)
    assert owner.execute("SELECT ledger, size FROM audit.checkpoints").rowcount == 2
    assert owner.execute("SELECT ledger FROM audit.signing_alarms").rowcount == 2
    for table, column in (("checkpoints", "note"), ("signing_keys", "public_key"), ("signing_alarms", "reason")):
        with refused(owner, "permission denied"):
            owner.execute(f"SELECT {column} FROM audit.{table}".encode())
    with refused(owner, "permission denied"):
        owner.execute(CHECKPOINT.format(DEFAULT_LEDGER).encode())


@pytest.mark.parametrize("replication_role", ["origin", "replica"])
@pytest.mark.parametrize("table", TABLES)
def test_the_triggers_refuse_even_the_superuser(owner: Connection, table: str, replication_role: str) -> None:
    """Also in the mode of a replica, in which ordinary triggers sleep."""
    owner.execute(sql.SQL("SET LOCAL session_replication_role = {}").format(replication_role))
    for change in (f"UPDATE {table} SET ledger = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with refused(owner, "append-only"):
            owner.execute(change.encode())


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("'default', 4, 5, 'note', 'name', 'id', now()", CheckViolation),
        ("'default', 5, 5, 'note', 'name', 'id', now()", CheckViolation),
        ("'default', 5, 4, 'note', 'name', 'id', now()", psycopg.errors.UniqueViolation),
        ("'default', 9, 0, 'note', 'name', 'id', now()", psycopg.errors.UniqueViolation),
    ],
)
def test_checkpoints_only_grow_each_from_another(owner: Connection, change: str, error: type[Exception]) -> None:
    assert not issubclass(error, InsufficientPrivilege)
    with pytest.raises(error), owner.transaction():
        owner.execute(f"INSERT INTO audit.checkpoints VALUES ({change})".encode())
