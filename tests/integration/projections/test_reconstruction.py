"""Reconstructions come from the ledger's records: they read no read table, and refuse a record that does not hold."""

from datetime import UTC, datetime
from random import Random

import pytest

from adapters.postgres.entity_history import PostgresEntityHistory
from application.reconstruct import Reconstruct
from domain.catalogue import CATALOGUE
from domain.entities.history import SEGMENT, BrokenRecord
from domain.entities.moment import Moment
from domain.entities.replay import Snapshots
from domain.mapper import RecordMapper
from domain.values import JsonObject
from domain.words import DEFAULT_LEDGER, Ledger, Position
from tests.builders import draft
from tests.integration.projections.stage import Stage
from tests.lives import lives
from tests.told import step

_KEYS = [("certificate", "certificate-0"), ("user", "user-1")]


def reconstruct(stage: Stage) -> Reconstruct:
    history = PostgresEntityHistory(stage.reader)
    return Reconstruct(history, RecordMapper(CATALOGUE), lambda: datetime.now(UTC), Snapshots())


async def _all(stage: Stage) -> list[JsonObject]:
    work = reconstruct(stage)
    found = []
    for kind, id_ in _KEYS:
        for moment in (Moment(), Moment(position=Position(60)), Moment(datetime(2026, 11, 22, 12, 30, tzinfo=UTC))):
            found.append((await work.entity(DEFAULT_LEDGER, kind, id_, moment)).as_json())
            told = await work.timeline(DEFAULT_LEDGER, kind, id_, moment, 0, 100)
            found += [one.as_json() for one in told.steps]
    return found


async def test_no_read_table_changes_a_reconstruction(stage: Stage) -> None:
    """Not when they are emptied, and not when there are none."""
    await stage.append(lives(Random(3), 90, DEFAULT_LEDGER))
    await stage.project()
    before = await _all(stage)
    for table in await stage.tables():
        await stage.owner.execute(f"TRUNCATE reading.{table}")
    assert await _all(stage) == before
    await stage.owner.execute("DROP SCHEMA reading CASCADE")
    assert await _all(stage) == before


@pytest.mark.parametrize("version", [1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT + 10])
async def test_a_record_that_somebody_changed_is_named(stage: Stage, version: int) -> None:
    """Whether it was replayed before or not."""
    steps = [step("CheckInBot", "bot:b", n // 60) for n in range(2 * SEGMENT + 20)]
    await stage.append([draft(**one) for one in steps])
    work = reconstruct(stage)
    assert (await work.entity(DEFAULT_LEDGER, "bot", "b", Moment())).entity.events == len(steps)
    await stage.owner.execute("ALTER TABLE audit.events DISABLE TRIGGER ALL")
    await stage.owner.execute(
        "UPDATE audit.events SET record = convert_to(replace(convert_from(record, 'UTF8'), 'u-17', 'u-18'), 'UTF8') "
        "WHERE originator_version = $1",
        version,
    )
    for again in (work, reconstruct(stage)):
        with pytest.raises(BrokenRecord) as refusal:
            await again.entity(DEFAULT_LEDGER, "bot", "b", Moment())
        assert refusal.value.position == version


async def test_ledgers_have_entities_of_their_own(stage: Stage) -> None:
    other = Ledger("other")
    await stage.append([draft(**step("CreateUser", "user:u"))])
    ended = [step("CreateUser", "user:u"), step("DeleteUser", "user:u", 1)]
    await stage.append([draft(other, **one) for one in ended], other)
    work = reconstruct(stage)
    states = [(await work.entity(ledger, "user", "u", Moment())).state["state"] for ledger in (DEFAULT_LEDGER, other)]
    assert states == ["active", "deleted"]
