"""What each database role may do, and what nobody may."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from adapters.embedded import EmbeddedDatabase
from adapters.postgres.connections import PROJECTOR, READER, WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from domain.words import DEFAULT_LEDGER, Ledger
from tests.builders import draft

OTHER = Ledger("other")

Connection: TypeAlias = "psycopg.Connection[tuple[object, ...]]"
ActAs: TypeAlias = Callable[..., Connection]

DISPLACED = """
INSERT INTO audit.events SELECT ledger, position + 10, command_id || 'x', originator_id, originator_version + 10,
    topic, recorded_at, record, personal, leaf_hash, chain_hash FROM audit.events LIMIT 1
"""
CREDENTIAL = """
INSERT INTO audit.credentials (ledger, id, name, role, modules, key_hash, created_at)
VALUES ('{}', 'key-1', 'A key', 'auditor', '{{}}', 'x', now())
"""
QUARANTINED = """
INSERT INTO audit.quarantine (ledger, id, source, sha256, body, truncated, kind, reason, received_at, last_received_at,
    count)
VALUES ('{}', gen_random_uuid(), 'key-1', 'x', 'x', false, 'invalid-json', '{{}}', now(), now(), 1)
"""
UPDATE = "UPDATE audit.events SET topic = 'forged'"
DELETE = "DELETE FROM audit.events"
TRUNCATE = "TRUNCATE audit.events"
MOVE_HEAD = "UPDATE audit.heads SET position = position + 1, recorded_at = now() + interval '1 hour'"
BEGIN_LEDGER = "INSERT INTO audit.heads VALUES ('{}', 0, 'x')"


async def fill(url: str) -> None:
    """Two ledgers, of two events and one, and a credential and something in quarantine each."""
    async with open_pool(url, WRITER, 1) as pool:
        store = PostgresEventStore(pool, lambda _: None)
        await store.append(DEFAULT_LEDGER, [draft(), draft()])
        await store.append(OTHER, [draft(OTHER)])
    with psycopg.connect(url) as owner:
        for ledger in (DEFAULT_LEDGER, OTHER):
            owner.execute(CREDENTIAL.format(ledger).encode())
            owner.execute(QUARANTINED.format(ledger).encode())


@pytest.fixture(scope="module")
def filled_url(server: EmbeddedDatabase) -> Iterator[str]:
    """One database for all that is tried here, since nothing of it is committed."""
    with psycopg.connect(server.url(), autocommit=True) as owner:
        owner.execute("CREATE DATABASE access TEMPLATE template_audit STRATEGY FILE_COPY")
        asyncio.run(fill(server.url("access")))
        yield server.url("access")
        owner.execute("DROP DATABASE access WITH (FORCE)")


@pytest.fixture
def owner(filled_url: str) -> Iterator[Connection]:
    """The superuser who owns all, in a transaction that is rolled back."""
    with psycopg.connect(filled_url) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def act_as(owner: Connection) -> ActAs:
    """Goes on as a role, and bound to a ledger if one is named."""

    def act_as(role: str | None, ledger: Ledger | None = None) -> Connection:
        if role:
            owner.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        if ledger:
            owner.execute("SELECT set_config('certinext_audit.ledger', %s, true)", [ledger])
        return owner

    return act_as


@contextmanager
def refused(connection: Connection, reason: str) -> Iterator[None]:
    """Expects a refusal, after which the transaction goes on."""
    with pytest.raises(InsufficientPrivilege, match=reason), connection.transaction():
        yield


@pytest.fixture
def without_triggers(owner: Connection) -> None:
    """Some engines have no triggers: the privileges must suffice by themselves."""
    owner.execute("ALTER TABLE audit.events DISABLE TRIGGER ALL")
    owner.execute("ALTER TABLE audit.heads DISABLE TRIGGER ALL")


@pytest.mark.parametrize("role", [WRITER, PROJECTOR, READER])
@pytest.mark.parametrize("statement", [UPDATE, DELETE, TRUNCATE, "DELETE FROM audit.heads"])
@pytest.mark.usefixtures("without_triggers")
def test_no_role_may_change_or_remove_what_is_recorded(act_as: ActAs, role: str, statement: str) -> None:
    """Not even where no trigger stands in the way."""
    connection = act_as(role, DEFAULT_LEDGER)
    with refused(connection, "permission denied"):
        connection.execute(statement.encode())


@pytest.mark.parametrize("role", [PROJECTOR, READER])
@pytest.mark.parametrize("statement", [DISPLACED, MOVE_HEAD, BEGIN_LEDGER.format("new"), CREDENTIAL.format("new")])
def test_who_reads_may_not_write(act_as: ActAs, role: str, statement: str) -> None:
    """The projector and the reader add no events, heads or credentials."""
    connection = act_as(role, DEFAULT_LEDGER)
    with refused(connection, "permission denied"):
        connection.execute(statement.encode())


def test_the_writer_may_read_and_add_events_of_its_ledger(act_as: ActAs) -> None:
    """That is all it needs; the events of other ledgers it neither sees nor adds."""
    connection = act_as(WRITER, OTHER)
    assert connection.execute("SELECT DISTINCT ledger FROM audit.ledger_events").fetchall() == [(OTHER,)]
    with refused(connection, "permission denied"):
        connection.execute("SELECT * FROM audit.events")
    columns = (
        "position, command_id, originator_id, originator_version, topic, recorded_at, record, leaf_hash, chain_hash"
    )
    values = "99, 'c', 'e', 9, 't', now(), '', '', ''"
    added = connection.execute(f"INSERT INTO audit.events ({columns}) VALUES ({values})".encode())
    assert added.rowcount == 1
    assert connection.execute("SELECT ledger FROM audit.ledger_events WHERE position = 99").fetchall() == [(OTHER,)]
    with refused(connection, "permission denied"):
        connection.execute(f"INSERT INTO audit.events (ledger, {columns}) VALUES ('default', {values})".encode())


def test_the_writer_may_revoke_a_credential_and_change_nothing_else_about_it(act_as: ActAs) -> None:
    """A role that could be raised later would make the checks at its creation worthless."""
    connection = act_as(WRITER, DEFAULT_LEDGER)
    assert connection.execute("UPDATE audit.credentials SET revoked_at = now()").rowcount == 1
    with refused(connection, "permission denied"):
        connection.execute("UPDATE audit.credentials SET role = 'operator'")
    with refused(connection, "permission denied"):
        connection.execute("DELETE FROM audit.credentials")


def test_the_writer_may_count_and_retry_what_is_in_quarantine_and_change_nothing_else(act_as: ActAs) -> None:
    """What a module sent stays as it came, and nobody but the database's owner removes it."""
    connection = act_as(WRITER, DEFAULT_LEDGER)
    counted = "UPDATE audit.quarantine SET count = 2, last_received_at = now(), retried_at = now(), position = 1"
    assert connection.execute(counted.encode()).rowcount == 1, "the other ledger's is out of reach"
    for change in ("body = 'y'", "reason = '{}'", "source = 'key-2'", "received_at = now()"):
        with refused(connection, "permission denied"):
            connection.execute(f"UPDATE audit.quarantine SET {change}".encode())
    for statement in ("DELETE FROM audit.quarantine", "TRUNCATE audit.quarantine"):
        with refused(connection, "permission denied"):
            connection.execute(statement.encode())
    with refused(connection, "row-level security"):
        connection.execute(QUARANTINED.format("new").encode())


def test_nobody_else_sees_what_is_in_quarantine(act_as: ActAs) -> None:
    """The projector may count what waits, of all ledgers; the reader has no right at all."""
    connection = act_as(PROJECTOR)
    assert connection.execute("SELECT count(*) FROM audit.quarantine WHERE retried_at IS NULL").fetchone() == (2,)
    for column in ("body", "reason", "source", "ledger"):
        with refused(connection, "permission denied"):
            connection.execute(f"SELECT {column} FROM audit.quarantine".encode())
    connection.execute("RESET ROLE")
    with refused(act_as(READER, DEFAULT_LEDGER), "permission denied"):
        connection.execute("SELECT count(*) FROM audit.quarantine")


@pytest.mark.parametrize("ledger", [DEFAULT_LEDGER, OTHER])
def test_the_reader_sees_the_ledger_that_it_is_bound_to(act_as: ActAs, ledger: Ledger) -> None:
    """Its events and its credentials, and none of another ledger's."""
    connection = act_as(READER, ledger)
    assert connection.execute("SELECT DISTINCT ledger FROM audit.ledger_events").fetchall() == [(ledger,)]
    assert connection.execute("SELECT ledger FROM audit.credentials").fetchall() == [(ledger,)]


@pytest.mark.parametrize("table", ["audit.ledger_events", "audit.credentials"])
def test_the_reader_sees_nothing_before_it_is_bound(act_as: ActAs, table: str) -> None:
    """A binding that was forgotten shows no ledger rather than all."""
    assert act_as(READER).execute(f"SELECT * FROM {table}".encode()).fetchall() == []


def test_the_reader_may_not_go_round_the_view(act_as: ActAs) -> None:
    """The table of all ledgers' events is closed to it."""
    connection = act_as(READER, DEFAULT_LEDGER)
    with refused(connection, "permission denied"):
        connection.execute("SELECT * FROM audit.events")


def test_the_projector_sees_the_heads_of_all_ledgers_but_no_credential(act_as: ActAs) -> None:
    """It finds those that are behind, and reads the events of one after the other."""
    connection = act_as(PROJECTOR, OTHER)
    assert connection.execute("SELECT DISTINCT ledger FROM audit.ledger_events").fetchall() == [(OTHER,)]
    assert connection.execute("SELECT count(*) FROM audit.heads").fetchone() == (2,)
    for table in ("audit.credentials", "audit.events"):
        with refused(connection, "permission denied"):
            connection.execute(f"SELECT * FROM {table}".encode())


def test_the_writer_reaches_no_other_head_or_credential(act_as: ActAs) -> None:
    """Bound to one ledger, it can neither move another's head nor begin, revoke or add anything there."""
    connection = act_as(WRITER, DEFAULT_LEDGER)
    for statement in (
        "UPDATE audit.heads SET position = 99, recorded_at = now() WHERE ledger = 'other'",
        "UPDATE audit.credentials SET revoked_at = now() WHERE ledger = 'other'",
    ):
        assert connection.execute(statement.encode()).rowcount == 0
    for statement in (BEGIN_LEDGER.format("new"), CREDENTIAL.format("new")):
        with refused(connection, "row-level security"):
            connection.execute(statement.encode())


@pytest.mark.parametrize("replication_role", ["origin", "replica"])
@pytest.mark.parametrize(
    "statement",
    [UPDATE, DELETE, TRUNCATE, f"{DELETE} WHERE false", "DELETE FROM audit.heads", "TRUNCATE audit.heads"],
)
def test_the_triggers_refuse_even_the_superuser(owner: Connection, replication_role: str, statement: str) -> None:
    """Also in the mode of a replica, in which ordinary triggers sleep."""
    owner.execute(sql.SQL("SET LOCAL session_replication_role = {}").format(replication_role))
    with refused(owner, "the ledger is append-only"):
        owner.execute(statement.encode())
    assert owner.execute("SELECT count(*) FROM audit.events").fetchone() == (3,)


@pytest.mark.parametrize("role", [WRITER, None])
@pytest.mark.parametrize(
    "change",
    [
        "position = position - 1, recorded_at = now() + interval '1 hour'",
        "position = position, recorded_at = now() + interval '1 hour'",
        "position = position + 1, recorded_at = recorded_at",
        "position = position + 1, recorded_at = recorded_at - interval '1 second'",
        "position = position + 1, recorded_at = NULL",
        "position = position + 1, recorded_at = now() + interval '1 hour', ledger = 'renamed'",
    ],
)
def test_a_head_moves_forward_only(act_as: ActAs, role: str | None, change: str) -> None:
    """In position and in time, and it stays with its ledger."""
    connection = act_as(role, DEFAULT_LEDGER)
    with refused(connection, "moves forward only"):
        connection.execute(f"UPDATE audit.heads SET {change} WHERE ledger = 'default'".encode())


def test_a_head_moves_forward(act_as: ActAs) -> None:
    """The writer moves that of the ledger that it is bound to, and no other."""
    connection = act_as(WRITER, DEFAULT_LEDGER)
    assert connection.execute(MOVE_HEAD.encode()).rowcount == 1
    connection.execute("RESET ROLE")
    heads = connection.execute("SELECT ledger, position FROM audit.heads ORDER BY ledger")
    assert heads.fetchall() == [("default", 3), ("other", 1)]
