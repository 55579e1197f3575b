"""The reader's role sees one ledger, the one that its transaction is bound to, and no table."""

from random import Random

import asyncpg
import pytest

from adapters.bootstrap import PROJECTIONS
from domain.words import DEFAULT_LEDGER, Ledger
from projections.modules import ModulesProjection
from tests.integration.projections.stage import Stage, reading
from tests.integration.projections.test_rebuild import silent
from tests.integration.projections.varied import drafts

OTHER = Ledger("other")
TABLES = [table.name for projection in PROJECTIONS for table in projection.tables]


@pytest.fixture
async def filled(stage: Stage) -> Stage:
    """Two ledgers, of which one has a table of the second generation, too."""
    for number, ledger in enumerate((DEFAULT_LEDGER, OTHER)):
        await stage.append(drafts(Random(number), 260 + number, ledger), ledger)
        await stage.project(ledger=ledger)
    await stage.rebuild(ModulesProjection()).run(silent)
    return stage


async def test_the_reader_may_touch_no_versioned_table(filled: Stage) -> None:
    """Neither read nor change it, whatever its generation; and of the views it may only read."""
    names = await filled.tables()
    assert len(names) == len(TABLES)
    sql = """
    SELECT name, privilege FROM unnest($1::text[]) AS name CROSS JOIN
    unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
    WHERE has_table_privilege('certinext_audit_reader', 'reading.' || name, privilege)
    """
    assert await filled.owner.fetch(sql, list(names)) == []
    allowed = await filled.owner.fetch(sql, TABLES)
    assert sorted(tuple(row) for row in allowed) == sorted((table, "SELECT") for table in TABLES)


@pytest.mark.parametrize("ledger", [DEFAULT_LEDGER, OTHER])
async def test_the_reader_sees_its_own_ledger_only(filled: Stage, ledger: Ledger) -> None:
    """Every view shows what belongs to the ledger, and nothing of the other."""
    async with reading(filled, ledger) as connection:
        seen = {table: len(await connection.fetch(f"SELECT * FROM reading.{table}")) for table in TABLES}
        ids = {row[0] for row in await connection.fetch("SELECT event_id FROM reading.activity")}
    versioned = {name.rsplit("_", 1)[0]: name for name in await filled.tables()}
    counts = {
        table: await filled.owner.fetchval(f"SELECT count(*) FROM reading.{versioned[table]} WHERE ledger = $1", ledger)
        for table in TABLES
    }
    assert seen == counts
    assert all(seen.values())
    mine = await filled.owner.fetch("SELECT event_id FROM reading.activity_1 WHERE ledger = $1", ledger)
    assert ids == {row[0] for row in mine}


async def test_without_a_ledger_there_is_nothing_to_see(filled: Stage) -> None:
    """A binding ends with its transaction, so a forgotten one shows nothing, and not the last caller's ledger."""
    async with filled.reader.acquire() as connection:
        for _ in range(2):
            for table in TABLES:
                assert await connection.fetch(f"SELECT * FROM reading.{table}") == []
            async with connection.transaction():
                await connection.execute("SELECT set_config('certinext_audit.ledger', 'default', true)")
                assert await connection.fetchval("SELECT count(*) FROM reading.activity") == 260


async def test_the_reader_changes_nothing(filled: Stage) -> None:
    """Not what is applied either, nor who works on it."""
    for statement in (
        "DELETE FROM reading.activity",
        "UPDATE reading.modules SET events = 0",
        "INSERT INTO reading.tracking VALUES ('default', 'activity', 1, 99)",
        "DELETE FROM reading.set_aside",
        "UPDATE reading.generations SET generation = 1",
        "DELETE FROM reading.leases",
        "CREATE TABLE reading.mine (a integer)",
        "SELECT * FROM reading.leases",
        "SELECT * FROM audit.events",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await filled.reader.execute(statement)
