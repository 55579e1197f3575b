"""What each database role may do, and what nobody may."""

from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from adapters.postgres.connections import PROJECTOR, READER, WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from domain.words import DEFAULT_LEDGER, Ledger
from tests.builders import draft

OTHER = Ledger("other")

Connect = Callable[..., "psycopg.Connection[tuple[object, ...]]"]

DISPLACED = """
INSERT INTO audit.events SELECT ledger, position + 10, command_id || 'x', originator_id, originator_version + 10,
    topic, recorded_at, record, personal, leaf_hash, chain_hash FROM audit.events LIMIT 1
"""
CREDENTIAL = """
INSERT INTO audit.credentials (ledger, id, name, role, modules, key_hash, created_at)
VALUES ('{}', 'key-1', 'A key', 'auditor', '{{}}', 'x', now())
"""
UPDATE = "UPDATE audit.events SET topic = 'forged'"
DELETE = "DELETE FROM audit.events"
TRUNCATE = "TRUNCATE audit.events"
MOVE_HEAD = "UPDATE audit.heads SET position = position + 1, recorded_at = now() + interval '1 hour'"
BEGIN_LEDGER = "INSERT INTO audit.heads VALUES ('{}', 0, 'x')"


@pytest.fixture
async def connect(database_url: str) -> Connect:
    """Connects to a database with two ledgers, of two events and one, and a credential each.

    `role` None is the superuser who owns all; `ledger` is what the session is bound to.
    """
    async with open_pool(database_url, WRITER, 1) as pool:
        store = PostgresEventStore(pool, lambda _: None)
        await store.append(DEFAULT_LEDGER, [draft(), draft()])
        await store.append(OTHER, [draft(OTHER)])

    def connect(role: str | None, ledger: Ledger | None = None) -> "psycopg.Connection[tuple[object, ...]]":
        connection = psycopg.connect(database_url, autocommit=True)
        if role:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        if ledger:
            connection.execute("SELECT set_config('certinext_audit.ledger', %s, false)", [ledger])
        return connection

    with connect(None) as owner:
        for ledger in (DEFAULT_LEDGER, OTHER):
            owner.execute(CREDENTIAL.format(ledger).encode())
    return connect


@pytest.fixture
def without_triggers(connect: Connect) -> None:
    """Some engines have no triggers: the privileges must suffice by themselves."""
    with connect(None) as owner:
        owner.execute("ALTER TABLE audit.events DISABLE TRIGGER ALL")
        owner.execute("ALTER TABLE audit.heads DISABLE TRIGGER ALL")


@pytest.mark.parametrize("role", [WRITER, PROJECTOR, READER])
@pytest.mark.parametrize("statement", [UPDATE, DELETE, TRUNCATE, "DELETE FROM audit.heads"])
@pytest.mark.usefixtures("without_triggers")
def test_no_role_may_change_or_remove_what_is_recorded(connect: Connect, role: str, statement: str) -> None:
    """Not even where no trigger stands in the way."""
    with (
        connect(role, DEFAULT_LEDGER) as connection,
        pytest.raises(InsufficientPrivilege, match="permission denied"),
    ):
        connection.execute(statement.encode())


@pytest.mark.parametrize("role", [PROJECTOR, READER])
@pytest.mark.parametrize("statement", [DISPLACED, MOVE_HEAD, BEGIN_LEDGER.format("new"), CREDENTIAL.format("new")])
def test_who_reads_may_not_write(connect: Connect, role: str, statement: str) -> None:
    """The projector and the reader add no events, heads or credentials."""
    with (
        connect(role, DEFAULT_LEDGER) as connection,
        pytest.raises(InsufficientPrivilege, match="permission denied"),
    ):
        connection.execute(statement.encode())


def test_the_writer_may_read_and_add_events(connect: Connect) -> None:
    """That is all it needs."""
    with connect(WRITER, DEFAULT_LEDGER) as connection:
        assert connection.execute("SELECT count(*) FROM audit.events").fetchone() == (3,)
        assert connection.execute(DISPLACED.encode()).rowcount == 1


def test_the_writer_may_revoke_a_credential_and_change_nothing_else_about_it(connect: Connect) -> None:
    """A role that could be raised later would make the checks at its creation worthless."""
    with connect(WRITER, DEFAULT_LEDGER) as connection:
        assert connection.execute("UPDATE audit.credentials SET revoked_at = now()").rowcount == 1
        with pytest.raises(InsufficientPrivilege, match="permission denied"):
            connection.execute("UPDATE audit.credentials SET role = 'operator'")
        with pytest.raises(InsufficientPrivilege, match="permission denied"):
            connection.execute("DELETE FROM audit.credentials")


@pytest.mark.parametrize("ledger", [DEFAULT_LEDGER, OTHER])
def test_the_reader_sees_the_ledger_that_it_is_bound_to(connect: Connect, ledger: Ledger) -> None:
    """Its events, its head and its credentials, and none of another ledger's."""
    with connect(READER, ledger) as connection:
        assert connection.execute("SELECT DISTINCT ledger FROM audit.ledger_events").fetchall() == [(ledger,)]
        assert connection.execute("SELECT ledger FROM audit.heads").fetchall() == [(ledger,)]
        assert connection.execute("SELECT ledger FROM audit.credentials").fetchall() == [(ledger,)]


def test_the_reader_sees_nothing_before_it_is_bound(connect: Connect) -> None:
    """A binding that was forgotten shows no ledger rather than all."""
    with connect(READER) as connection:
        for table in ("audit.ledger_events", "audit.heads", "audit.credentials"):
            assert connection.execute(f"SELECT * FROM {table}".encode()).fetchall() == []


def test_the_reader_may_not_go_round_the_view(connect: Connect) -> None:
    """The table of all ledgers' events is closed to it."""
    with (
        connect(READER, DEFAULT_LEDGER) as connection,
        pytest.raises(InsufficientPrivilege, match="permission denied"),
    ):
        connection.execute("SELECT * FROM audit.events")


def test_the_binding_holds_against_a_leaking_function(connect: Connect) -> None:
    """A filter that tells what it is given, and is cheap enough to go first, is given our own events only."""
    with connect(None) as owner:
        owner.execute(
            """
            CREATE FUNCTION leak(ledger text) RETURNS boolean LANGUAGE plpgsql COST 0.000001
            AS $$ BEGIN RAISE NOTICE '%', ledger; RETURN true; END $$
            """
        )
    told: list[str | None] = []
    with connect(READER, OTHER) as connection:
        connection.add_notice_handler(lambda notice: told.append(notice.message_primary))
        connection.execute("SET enable_indexscan = off")
        connection.execute("SET enable_bitmapscan = off")
        connection.execute("SELECT * FROM audit.ledger_events WHERE leak(ledger)")
    assert told == ["other"]


def test_the_projector_sees_all_ledgers_but_no_credential(connect: Connect) -> None:
    """It fills the read tables of all."""
    with connect(PROJECTOR) as connection:
        assert connection.execute("SELECT count(*) FROM audit.events").fetchone() == (3,)
        assert connection.execute("SELECT count(*) FROM audit.heads").fetchone() == (2,)
        with pytest.raises(InsufficientPrivilege, match="permission denied"):
            connection.execute("SELECT * FROM audit.credentials")


def test_the_writer_reaches_no_other_head_or_credential(connect: Connect) -> None:
    """Bound to one ledger, it can neither move another's head nor begin, revoke or add anything there."""
    with connect(WRITER, DEFAULT_LEDGER) as connection:
        for statement in (
            "UPDATE audit.heads SET position = 99, recorded_at = now() WHERE ledger = 'other'",
            "UPDATE audit.credentials SET revoked_at = now() WHERE ledger = 'other'",
        ):
            assert connection.execute(statement.encode()).rowcount == 0
        for statement in (BEGIN_LEDGER.format("new"), CREDENTIAL.format("new")):
            with pytest.raises(InsufficientPrivilege, match="row-level security"):
                connection.execute(statement.encode())


@pytest.mark.parametrize("replication_role", ["origin", "replica"])
@pytest.mark.parametrize(
    "statement",
    [UPDATE, DELETE, TRUNCATE, f"{DELETE} WHERE false", "DELETE FROM audit.heads", "TRUNCATE audit.heads"],
)
def test_the_triggers_refuse_even_the_superuser(connect: Connect, replication_role: str, statement: str) -> None:
    """Also in the mode of a replica, in which ordinary triggers sleep."""
    with connect(None) as owner:
        owner.execute(sql.SQL("SET session_replication_role = {}").format(replication_role))
        with pytest.raises(InsufficientPrivilege, match="the ledger is append-only"):
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
def test_a_head_moves_forward_only(connect: Connect, role: str | None, change: str) -> None:
    """In position and in time, and it stays with its ledger."""
    with (
        connect(role, DEFAULT_LEDGER) as connection,
        pytest.raises(InsufficientPrivilege, match="moves forward only"),
    ):
        connection.execute(f"UPDATE audit.heads SET {change} WHERE ledger = 'default'".encode())


def test_a_head_moves_forward(connect: Connect) -> None:
    """The writer moves that of the ledger that it is bound to, and no other."""
    with connect(WRITER, DEFAULT_LEDGER) as connection:
        assert connection.execute(MOVE_HEAD.encode()).rowcount == 1
    with connect(None) as owner:
        heads = owner.execute("SELECT ledger, position FROM audit.heads ORDER BY ledger")
        assert heads.fetchall() == [("default", 3), ("other", 1)]
