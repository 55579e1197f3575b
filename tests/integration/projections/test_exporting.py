"""Pages of exports: each event once, in bounded pages, found through indexes."""

from typing import Any

import pytest

from domain.filters import EventFilter
from domain.words import Module, Order, Position, Status
from projections import exporting
from projections.activity_query import Query
from projections.exporting import LedgerDamaged, page
from tests.builders import draft
from tests.integration.projections.stage import Stage, reading
from tests.integration.projections.test_activity_plans import plan_of, recording

LAST = Position(20_000)
FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "user": {"user": ["u-1"]},
    "module": {"module": [Module.KEY_AUTOMATION]},
    "modules": {"module": list(Module)},
    "failure": {"status": [Status.FAILURE]},
    "text": {"text": ["Zürich 17"]},
    "correlation": {"correlation_id": ["order-7"]},
}


async def positions(stage: Stage, query: Query, order: Order) -> list[int]:
    found: list[int] = []
    after = None
    while True:
        async with reading(stage) as connection:
            one = await page(connection, query, order, after)
        if one.rows is not None:
            found += one.rows.numbers()
            assert one.rows.size <= exporting.PAGE_ROWS
        if one.goes_on is None:
            return found
        after = one.goes_on


@pytest.mark.parametrize("until", [LAST, Position(7_001), Position(0)])
@pytest.mark.parametrize("name", FILTERS)
async def test_pages_hold_each_event_once_in_either_order(loaded: Stage, name: str, until: Position) -> None:
    """Newest first as `occurred_at` says, and by position; none behind the last."""
    query = Query(EventFilter.model_validate(FILTERS[name]), until=until)
    by_position = await positions(loaded, query, Order.RECORDED)
    by_time = await positions(loaded, query, Order.OCCURRED)
    assert by_position == sorted(set(by_time))
    assert len(by_time) == len(by_position)
    assert all(position <= until for position in by_time)
    async with reading(loaded) as connection:
        rows = await connection.fetch("SELECT position, occurred_at FROM reading.activity")
        when = {row["position"]: (row["occurred_at"], row["position"]) for row in rows}
    assert by_time == sorted(by_time, key=lambda position: when[position], reverse=True)
    if name == "none":
        assert by_position == list(range(1, until + 1))


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("name", [name for name in FILTERS if name != "text"])
async def test_a_page_is_found_through_indexes(loaded: Stage, name: str, order: Order) -> None:
    """And its events are looked up one by one: a page costs the same however large the ledger is."""
    query = Query(EventFilter.model_validate(FILTERS[name]), until=LAST)
    async with reading(loaded) as connection:
        recorder, recorded = recording(connection)
        found = await page(recorded, query, order, None)
        plan = await plan_of(connection, recorder)
    assert found.rows
    assert "Seq Scan" not in {scan["Node Type"] for scan in plan.scans if scan.get("Relation Name") == "events"}
    if name not in {"failure", "correlation"} or order is Order.OCCURRED:
        assert plan.rows_read <= 20 * exporting.PAGE_ROWS + len(Module) * exporting.PAGE_ROWS


async def test_a_page_is_bounded_in_bytes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for one event, which is given however long it is."""
    monkeypatch.setattr(exporting, "PAGE_BYTES", 30_000)
    await stage.append([draft(changes=[{"path": "/a", "old": "x" * 12_000, "new": n}]) for n in range(10)])
    await stage.project()
    query = Query(EventFilter(), until=Position(10))
    async with reading(stage) as connection:
        found = await page(connection, query, Order.RECORDED, None)
    assert found.rows is not None
    assert found.rows.size == 3
    monkeypatch.setattr(exporting, "PAGE_BYTES", 1)
    for order in Order:
        assert sorted(await positions(stage, query, order)) == list(range(1, 11))


async def test_an_event_that_is_gone_from_the_ledger_is_no_gap_in_a_file(stage: Stage) -> None:
    """Somebody above the service took it out: the export breaks off and says which it is."""
    await stage.append([draft() for _ in range(5)])
    await stage.project()
    await stage.owner.execute("ALTER TABLE audit.events DISABLE TRIGGER ALL")
    await stage.owner.execute("DELETE FROM audit.events WHERE position = 3")
    query = Query(EventFilter(), until=Position(5))
    async with reading(stage) as connection:
        with pytest.raises(LedgerDamaged, match="position 3"):
            await page(connection, query, Order.OCCURRED, None)
