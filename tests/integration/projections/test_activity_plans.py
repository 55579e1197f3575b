"""Every first page costs a few index entries, however large the ledger: the plans of what is really asked."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import asyncpg
import pytest

from domain.filters import EventFilter
from domain.words import Module, Position, Status
from projections.activity_query import Query, by_event_id, by_position, newest_first
from projections.database import Connection
from tests.builders import NOW
from tests.integration.projections.stage import Stage, reading

LIMIT = 50
TIME = "(ledger, occurred_at, position)"
MIDDLE = NOW - timedelta(days=45)


class Recording:
    """A connection that keeps what it is asked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.asked: list[tuple[str, Sequence[Any]]] = []

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        self.asked.append((sql, arguments))
        return await self._connection.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        self.asked.append((sql, arguments))
        return await self._connection.fetchrow(sql, *arguments)


@dataclass(frozen=True)
class Plan:
    scans: Sequence[dict[str, Any]]
    """The nodes that read a table or an index."""

    @property
    def kinds(self) -> set[str]:
        return {scan["Node Type"] for scan in self.scans}

    @property
    def indexes(self) -> set[str]:
        return {scan["Index Name"] for scan in self.scans if "Index Name" in scan}

    @property
    def rows_read(self) -> float:
        """How many entries were looked at, the ones that did not fit among them."""
        counted = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        return sum(float(scan.get(rows, 0) * scan["Actual Loops"]) for scan in self.scans for rows in counted)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def recording(connection: Connection) -> tuple[Recording, Connection]:
    recorder = Recording(connection)
    return recorder, cast("Connection", recorder)


async def plan_of(connection: Connection, recorder: Recording) -> Plan:
    """Of all statements asked, run again by the same role in the same transaction."""
    scans: list[dict[str, Any]] = []
    for sql, arguments in recorder.asked:
        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments)
        found = nodes(json.loads(explained)[0]["Plan"])
        scans += [node for node in found if "Relation Name" in node or "Index Name" in node]
    return Plan(scans)


async def columns_of(stage: Stage, names: set[str]) -> set[str]:
    """The definitions of indexes, from the columns on."""
    rows = await stage.owner.fetch("SELECT indexdef FROM pg_indexes WHERE indexname = ANY($1)", list(names))
    return {re.sub(r"^.* USING (btree )?", "", row["indexdef"]).replace('"position"', "position") for row in rows}


ALIASES = "(ledger, alias, actor_id)"
BY_POSITION = "(ledger, position)"
WORDS = "gin (words) WITH (gin_pending_list_limit='16384')"
ACTOR = "(ledger, actor_id, occurred_at, position)"
MODULE = "(ledger, module, occurred_at, position)"
ACTIVITY = "(ledger, activity, occurred_at, position)"
ENTITY = "(ledger, entity_type, entity_id, occurred_at, position)"

FIRST_PAGES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "none": ({}, {TIME}),
    "user by id": ({"user": ["u-1"]}, {ALIASES, ACTOR, BY_POSITION}),
    "user by name": ({"user": ["björn rao 1"]}, {ALIASES, ACTOR, BY_POSITION}),
    "user by one letter": ({"user": ["u"]}, {ALIASES, ACTOR, BY_POSITION}),
    "unknown user": ({"user": ["nobody"]}, {ALIASES, ACTOR, BY_POSITION}),
    "module": ({"module": [Module.KEY_AUTOMATION]}, {MODULE, BY_POSITION}),
    "modules": ({"module": [Module.KEY_AUTOMATION, Module.USER_ACTIVITY]}, {MODULE, BY_POSITION}),
    "activity": ({"activity": ["key.rotated"]}, {ACTIVITY, BY_POSITION}),
    "activity that never was": ({"activity": ["hsm.zeroized"]}, {ACTIVITY, BY_POSITION}),
    "failure": ({"status": [Status.FAILURE]}, {f"{TIME} WHERE (status = 'failure'::text)"}),
    "success": ({"status": [Status.SUCCESS]}, {TIME}),
    "from": ({"from": MIDDLE}, {TIME}),
    "to": ({"to": MIDDLE}, {TIME}),
    "from and to": ({"from": MIDDLE, "to": MIDDLE + timedelta(hours=1)}, {TIME}),
    "entity": ({"entity": ["certificate:c-42"]}, {ENTITY, BY_POSITION}),
    "entity type": ({"entity": ["key"]}, {TIME}),
    "entity types, one of which never was": ({"entity": ["key", "hsm"]}, {TIME}),
    "entity type that never was": ({"entity": ["hsm"]}, {ENTITY}),
    "source": ({"source": ["key-7"]}, {"(ledger, source, occurred_at, position)", BY_POSITION}),
    "ip": ({"ip": ["10.1.2.1"]}, {"(ledger, ip, occurred_at, position) WHERE (ip IS NOT NULL)", BY_POSITION}),
    "correlation": (
        {"correlation_id": ["order-7"]},
        {"(ledger, correlation_id, occurred_at, position) WHERE (correlation_id IS NOT NULL)", BY_POSITION},
    ),
    "rare text": ({"text": ["Quota 17 of Zürich"]}, {WORDS}),
    "rare text with a short beginning": ({"text": ["quota 17 of z"]}, {WORDS}),
    "text that is not there": ({"text": ["xyzzy"]}, {WORDS}),
}
NOTHING_FOUND = {"unknown user", "activity that never was", "entity type that never was", "text that is not there"}
# How many pages' worth of rows may be looked at, where it is more than two: each actor of those whose names begin
# alike brings a page; entities of one type are picked out in the order of time; a bitmap reads all that it finds.
PAGES_READ = {
    "user by id": 25,
    "user by one letter": 300,
    "user by name": 12,
    "modules": 3,
    "entity type": 12,
    "entity types, one of which never was": 12,
    "rare text": 10,
    "rare text with a short beginning": 10,
}


@pytest.mark.parametrize("name", FIRST_PAGES)
async def test_a_first_page_is_found_through_its_index(loaded: Stage, name: str) -> None:
    """No table is scanned, and what is read is a small multiple of what is shown."""
    parameters, expected = FIRST_PAGES[name]
    async with reading(loaded) as connection:
        recorder, recorded = recording(connection)
        rows = await newest_first(recorded, Query(EventFilter.model_validate(parameters)), None, LIMIT)
        plan = await plan_of(connection, recorder)
    assert bool(rows) == (name not in NOTHING_FOUND)
    assert "Seq Scan" not in plan.kinds
    # Rows that are looked up by time and position are found by the one index as well as by the other.
    either = {"(ledger, occurred_at, position)"} if name == "entity" else set()
    assert await columns_of(loaded, plan.indexes) - either == expected - either
    assert plan.rows_read <= PAGES_READ.get(name, 2) * LIMIT


async def test_a_common_word_is_found_without_reading_the_table(loaded: Stage) -> None:
    """By its index or in the order of time, whichever is cheaper."""
    async with reading(loaded) as connection:
        recorder, recorded = recording(connection)
        rows = await newest_first(recorded, Query(EventFilter(text=("rao",))), None, LIMIT)
        plan = await plan_of(connection, recorder)
    assert len(rows) == LIMIT
    assert "Seq Scan" not in plan.kinds
    assert plan.rows_read <= 5 * LIMIT


@pytest.mark.parametrize("name", ["none", "user by id", "module", "failure", "source", "correlation"])
async def test_a_deep_page_costs_what_the_first_does(loaded: Stage, name: str) -> None:
    """The keyset leads into the middle of the index; nothing before it is read."""
    parameters, expected = FIRST_PAGES[name]
    async with reading(loaded) as connection:
        recorder, recorded = recording(connection)
        query = Query(EventFilter.model_validate(parameters))
        await newest_first(recorded, query, (MIDDLE, Position(10_000)), LIMIT)
        plan = await plan_of(connection, recorder)
    assert "Seq Scan" not in plan.kinds
    assert await columns_of(loaded, plan.indexes) == expected
    assert plan.rows_read <= PAGES_READ.get(name, 2) * LIMIT


@pytest.mark.parametrize("name", ["none", "success", "module"])
async def test_a_page_in_recorded_order_walks_along_the_key(loaded: Stage, name: str) -> None:
    """What comes after a position stands next to it."""
    async with reading(loaded) as connection:
        recorder, recorded = recording(connection)
        query = Query(EventFilter.model_validate(FIRST_PAGES[name][0]))
        rows, _ = await by_position(recorded, query, Position(10_000), Position(20_000), LIMIT)
        plan = await plan_of(connection, recorder)
    assert len(rows) == LIMIT
    assert plan.kinds == {"Index Scan"}
    assert await columns_of(loaded, plan.indexes) == {"(ledger, position)"}
    assert plan.rows_read <= 20 * LIMIT


async def test_an_event_is_found_by_its_id(loaded: Stage) -> None:
    """In one look, whether or not only one actor's events may be seen."""
    event_id = await loaded.owner.fetchval("SELECT event_id::text FROM reading.activity_1 WHERE position = 777")
    async with reading(loaded) as connection:
        recorder, recorded = recording(connection)
        row = await by_event_id(recorded, event_id, None)
        assert await by_event_id(recorded, event_id, "somebody else") is None
        plan = await plan_of(connection, recorder)
    assert row is not None
    assert row.position == 777
    assert await columns_of(loaded, plan.indexes) == {"(ledger, event_id)"}
    assert plan.rows_read <= 2


async def test_what_one_actor_may_see_is_found_by_the_actor(loaded: Stage) -> None:
    """Whose events are limited to their own does not pay for those of others."""
    async with reading(loaded) as connection:
        recorder, recorded = recording(connection)
        rows = await newest_first(recorded, Query(EventFilter(), only_actor="U-1"), None, LIMIT)
        plan = await plan_of(connection, recorder)
    assert len(rows) == LIMIT
    assert await columns_of(loaded, plan.indexes) == {ACTOR, BY_POSITION}
    assert plan.rows_read <= 2 * LIMIT
