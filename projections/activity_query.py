"""Queries of the read table `activity`.

A filter with few values, each with an index that ends in time order, drives: every value brings the places of its
newest rows, already sorted, the best of them are merged, and only these are fetched. So a page costs the same in a
small ledger and in a huge one. The connection must be bound to a ledger; the views show no other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from domain.filters import EventFilter
from domain.words import Position
from projections.activity import ALIAS_LENGTH
from projections.activity_conditions import conditions_of
from projections.database import Connection
from projections.statement import Statement, where

_MOST_DRIVING_ACTORS = 500
SCAN = 50_000
"""How many positions one page in recorded order looks through at most."""

MOST_BYTES = 8 * 1024 * 1024
"""How long the events of one page in recorded order are together, unless one alone is longer."""

_COLUMNS = "position, occurred_at, event"
_NEWEST_FIRST = "ORDER BY occurred_at DESC, position DESC"


@dataclass(frozen=True)
class Row:
    position: Position
    occurred_at: datetime
    event: str
    """The event as JSON."""


@dataclass(frozen=True)
class Query:
    """A filter, and whose events may be seen: all, or one actor's."""

    filter: EventFilter
    only_actor: str | None = None
    until: Position | None = None
    """Only events up to this position, if it is given: they never change."""


@dataclass(frozen=True)
class _Branch:
    """Rows of one wanted value: where they come from, and on what condition."""

    source: str
    condition: str


@dataclass(frozen=True)
class _Driver:
    """The values wanted, and the branches that bring the rows of each."""

    wanted: str
    branches: Sequence[_Branch]
    finds_once: bool
    """Whether no row is found by more than one branch or value."""


async def newest_first(
    connection: Connection, query: Query, before: tuple[datetime, Position] | None, limit: int
) -> list[Row]:
    """A page of the order for people: by `occurred_at`, newest first, from a keyset on."""
    statement = Statement()
    sql, is_merged = await newest_places(connection, statement, query, before, limit, _COLUMNS)
    if is_merged:
        sql = (
            f"WITH page AS MATERIALIZED ({sql}) "
            "SELECT position, page.occurred_at, event FROM page JOIN reading.activity USING (position) "
            "ORDER BY page.occurred_at DESC, position DESC"
        )
    return [_row(row) for row in await connection.fetch(sql, *statement.arguments)]


async def newest_places(
    connection: Connection,
    statement: Statement,
    query: Query,
    before: tuple[datetime, Position] | None,
    limit: int,
    columns: str = "occurred_at, position",
) -> tuple[str, bool]:
    """The statement that finds `occurred_at` and `position` of a page in the order for people, and whether it merges.

    Where it does not, but reads the table in its order, it gives these columns at once.
    """
    actors = await _actors(connection, query)
    driver, driving = _driver(statement, query, actors)
    conditions = conditions_on(statement, query, driving)
    if before is not None:
        moment, position = before
        conditions.append(f"(occurred_at, position) < ({statement.add(moment)}, {statement.add(position)})")
    most = statement.add(limit)
    if driver is None:
        return f"SELECT {columns} FROM reading.activity {where(conditions)} {_NEWEST_FIRST} LIMIT {most}", False
    branches = " UNION ALL ".join(
        f"(SELECT occurred_at, position FROM {branch.source} {where([branch.condition, *conditions])} "
        f"{_NEWEST_FIRST} LIMIT {most})"
        for branch in driver.branches
    )
    merged = (
        f"SELECT {'' if driver.finds_once else 'DISTINCT'} occurred_at, position "
        f"FROM {driver.wanted} CROSS JOIN LATERAL ({branches}) AS found {_NEWEST_FIRST} LIMIT {most}"
    )
    return merged, True


async def by_position(
    connection: Connection,
    query: Query,
    after: Position,
    applied: Position,
    limit: int,
    most_bytes: int = MOST_BYTES,
) -> tuple[list[Row], Position]:
    """A page of the order for machines: by position, up to `applied`.

    It ends with the row that brings its events to `most_bytes`, if not before. Also gives the position that the
    next page goes on from: a bounded stretch is looked through, so a page may hold few rows or none and still not
    be the last.
    """
    statement = Statement()
    until = Position(min(applied, after + SCAN))
    page = by_position_sql(statement, query, (after, until), limit, _COLUMNS)
    sql = (
        f"SELECT * FROM (SELECT {_COLUMNS}, octet_length(event) AS bytes, "
        f"sum(octet_length(event)) OVER (ORDER BY position) AS so_far FROM ({page}) AS page) AS summed "
        f"WHERE so_far - bytes < {statement.add(most_bytes)} ORDER BY position"
    )
    found = await connection.fetch(sql, *statement.arguments)
    rows = [_row(row) for row in found]
    is_full = len(rows) == limit or (rows and found[-1]["so_far"] >= most_bytes)
    return rows, rows[-1].position if is_full else max(after, until)


def by_position_sql(
    statement: Statement, query: Query, stretch: tuple[Position, Position], limit: int, columns: str
) -> str:
    """The statement of `by_position`, behind the first position of the stretch and up to the second."""
    after, until = stretch
    conditions = [
        f"position > {statement.add(after)}",
        f"position <= {statement.add(until)}",
        *conditions_on(statement, query, None),
    ]
    return f"SELECT {columns} FROM reading.activity {where(conditions)} ORDER BY position LIMIT {statement.add(limit)}"


async def count(connection: Connection, query: Query) -> int:
    """How many events fit, which costs a look at each."""
    statement = Statement()
    sql = f"SELECT count(*) FROM reading.activity {where(conditions_on(statement, query, None))}"
    return int(await connection.fetchval(sql, *statement.arguments))


async def by_event_id(connection: Connection, event_id: str, only_actor: str | None) -> Row | None:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM reading.activity WHERE event_id = $1::uuid AND ($2::text IS NULL OR actor_id = $2)",
        event_id,
        only_actor,
    )
    return None if row is None else _row(row)


async def _actors(connection: Connection, query: Query) -> list[str] | None:
    """The ids of the actors that may match, or None if they are too many to drive."""
    if query.only_actor is not None:
        return [query.only_actor]
    if not query.filter.user:
        return None
    rows = await connection.fetch(
        "SELECT DISTINCT actor_id FROM unnest($1::text[]) AS wanted (prefix) CROSS JOIN LATERAL ("
        "SELECT actor_id FROM reading.activity_aliases WHERE alias >= prefix AND alias < prefix || chr(1114111) "
        "ORDER BY alias LIMIT $2) AS found LIMIT $2",
        [prefix.casefold()[:ALIAS_LENGTH] for prefix in query.filter.user],
        _MOST_DRIVING_ACTORS + 1,
    )
    return [row["actor_id"] for row in rows] if len(rows) <= _MOST_DRIVING_ACTORS else None


def _driver(statement: Statement, query: Query, actors: list[str] | None) -> tuple[_Driver | None, str | None]:
    """What drives, most telling first, and the name of the filter that it makes good."""
    wanted = query.filter

    def of_column(column: str, values: Sequence[str]) -> _Driver:
        return _Driver(
            f"unnest({statement.add(list(dict.fromkeys(values)))}::text[]) AS wanted (value)",
            [_Branch("reading.activity", f"{column} = value")],
            finds_once=True,
        )

    choices: list[tuple[str, bool, Callable[[], _Driver]]] = [
        (
            "correlation_id",
            bool(wanted.correlation_id),
            lambda: of_column("correlation_id", wanted.correlation_id),
        ),
        ("entity", _all_entities_named(wanted), lambda: _entity_driver(statement, wanted.entity)),
        ("ip", bool(wanted.ip), lambda: of_column("ip", wanted.ip)),
        ("user", actors is not None, lambda: of_column("actor_id", actors or [])),
        ("activity", bool(wanted.activity), lambda: of_column("activity", wanted.activity)),
        ("source", bool(wanted.source), lambda: of_column("source", wanted.source)),
        ("module", bool(wanted.module), lambda: of_column("module", wanted.module)),
    ]
    for name, usable, make in choices:
        if usable:
            return make(), name
    return None, None


def _all_entities_named(wanted: EventFilter) -> bool:
    return bool(wanted.entity) and all(":" in key for key in wanted.entity)


def _entity_driver(statement: Statement, keys: Sequence[str]) -> _Driver:
    """Acted on, or also affected: the second kind is found by a table of its own, in the same order of time."""
    types, ids = zip(*(key.split(":", 1) for key in keys), strict=True)
    return _Driver(
        f"unnest({statement.add(types)}::text[], {statement.add(ids)}::text[]) AS wanted (type, id)",
        [
            _Branch("reading.activity", "entity_type = type AND entity_id = id"),
            _Branch(
                "reading.activity_affected AS affected JOIN reading.activity USING (occurred_at, position)",
                "affected.entity_type = type AND affected.entity_id = id",
            ),
        ],
        finds_once=False,
    )


def conditions_on(statement: Statement, query: Query, driving: str | None) -> list[str]:
    """All that a row must hold, but for what the driver sees to."""
    found = conditions_of(statement, query.filter, driving)
    if query.until is not None:
        found.append(f"position <= {statement.add(query.until)}")
    if query.only_actor is not None:
        found.append(f"actor_id = {statement.add(query.only_actor)}")
    return found


def _row(row: asyncpg.Record) -> Row:
    return Row(Position(row["position"]), row["occurred_at"], row["event"])
