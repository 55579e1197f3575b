"""What projectors read of a ledger is what the store keeps, in the same order and within the same bounds."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.postgres import ledger_rows
from adapters.postgres.connections import PROJECTOR, WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.ledger_records import PostgresLedgerRecords
from domain.errors import StoreUnavailable
from domain.ledger import Recorded
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections.database import Pool
from tests.builders import draft

_COUNT = 30


@dataclass
class Both:
    store: PostgresEventStore
    records: PostgresLedgerRecords
    pool: Pool
    """That of `records`."""


@pytest.fixture
async def both(database_url: str) -> AsyncIterator[Both]:
    async with open_pool(database_url, WRITER, 1) as writer, open_pool(database_url, PROJECTOR, 1) as projector:
        store = PostgresEventStore(writer, lambda _: None)
        nobody: Any = {"actor": {"id": "b-1", "kind": "bot"}}
        await store.append(DEFAULT_LEDGER, [draft(**(nobody if n % 3 else {})) for n in range(_COUNT)])
        yield Both(store, PostgresLedgerRecords(projector), projector)


def told(event: Recorded) -> tuple[object, ...]:
    return (
        event.position,
        event.originator_id,
        event.originator_version,
        event.topic,
        event.record,
        event.personal,
    )


@pytest.mark.parametrize(("after", "limit"), [(0, 100), (0, 7), (7, 7), (_COUNT - 1, 5), (_COUNT, 5)])
async def test_it_is_what_the_store_keeps(both: Both, after: int, limit: int) -> None:
    """With and without personal data, from any position on."""
    kept = await both.store.read(DEFAULT_LEDGER, Position(after), limit)
    found = await both.records.read(DEFAULT_LEDGER, Position(after), limit)
    assert [told(event) for event in found] == [told(event) for event in kept]
    assert len(found) == min(limit, _COUNT - after)
    if after == 0:
        assert {event.personal is None for event in found} == {True, False}


async def test_another_ledger_has_none_of_it(both: Both) -> None:
    """The transaction is bound to the one that is asked for."""
    assert await both.records.read(Ledger("other"), Position(0), 100) == []


async def test_the_bytes_of_one_read_are_bounded(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event that goes beyond is the last, so that each read brings one at least."""
    monkeypatch.setattr(ledger_rows, "MOST_READ_BYTES", 1)
    found = await both.records.read(DEFAULT_LEDGER, Position(3), 100)
    assert [event.position for event in found] == [4]


async def test_a_database_that_is_away_is_told(both: Both) -> None:
    """In the words of the port."""
    await both.pool.close()
    with pytest.raises(StoreUnavailable):
        await both.records.read(DEFAULT_LEDGER, Position(0), 1)
