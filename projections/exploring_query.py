"""Queries that help to ask: how many events there are over time, and what a filter could be completed to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from domain.words import Status
from projections.activity import ALIAS_LENGTH
from projections.activity_query import Query, conditions_on
from projections.database import Connection
from projections.statement import Statement, where

_HOUR = timedelta(hours=1)
_WIDTHS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        *(1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200),
        *(86_400 * days for days in (1, 7, 30, 90, 365, 3650)),
    )
)
"""What a bar may stand for: spans that people think in."""

_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
"""A Monday, at which a week begins."""

_EXTENT = """
SELECT min(hour) AS first, max(hour) + interval '1 hour' AS last FROM reading.statuses
"""

_FROM_ROLLUP = """
SELECT date_bin($1, hour, $2) AS begin, status, sum(events)::bigint AS events
FROM reading.statuses
WHERE hour >= $3 AND hour < $4
    AND ($5::text[] IS NULL OR module = ANY($5)) AND ($6::text[] IS NULL OR status = ANY($6))
GROUP BY 1, 2
"""

_NAMES = """
SELECT DISTINCT ON (alias, users.actor_id) users.actor_id AS value, coalesce(full_name, kind) AS label
FROM reading.activity_aliases JOIN reading.users USING (actor_id)
WHERE alias >= $1 AND alias < $1 || chr(1114111) AND ($2::text IS NULL OR actor_id = $2)
ORDER BY alias, users.actor_id LIMIT $3
"""

# Each step looks up the next value that is greater than the last, so it costs as many looks as values are wanted.
_STEPS = """
WITH RECURSIVE found (value, number) AS (
    (
        SELECT {column}, 1 FROM reading.activity
        WHERE {column} >= $1 AND {condition} ORDER BY {column} LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT {column} FROM reading.activity WHERE {column} > value AND {condition} ORDER BY {column} LIMIT 1
    ), number + 1
    FROM found WHERE value IS NOT NULL AND number < $2
)
SELECT value FROM found WHERE starts_with(value, $1)
"""

_OWN = """
SELECT DISTINCT {column} AS value FROM (
    SELECT entity_type, {column} FROM reading.activity WHERE actor_id = $3 ORDER BY occurred_at DESC LIMIT 5000
) AS latest
WHERE starts_with({column}, $1) AND ($4::text IS NULL OR entity_type = $4) ORDER BY 1 LIMIT $2
"""


class Suggested(StrEnum):
    """The filters whose values are only known from the events."""

    USER = "user"
    ENTITY = "entity"
    SOURCE = "source"
    IP = "ip"
    CORRELATION_ID = "correlation_id"


@dataclass(frozen=True)
class Suggestion:
    """A value of a filter, and what people call it."""

    value: str
    label: str | None


@dataclass(frozen=True)
class Bar:
    """How many events began in one span, by status."""

    begin: datetime
    success: int
    failure: int


@dataclass(frozen=True)
class Histogram:
    """Bars of one width over a span of time; those without events are left out."""

    begin: datetime | None
    """None if there are no events at all."""
    end: datetime | None
    width: timedelta
    bars: Sequence[Bar]


async def histogram(connection: Connection, query: Query, most: int) -> Histogram:
    """The events of a query by `occurred_at`, in `most` bars at most.

    From the counts by hour where these say enough; and otherwise from the events themselves.
    """
    wanted = query.filter
    extent = await connection.fetchrow(_EXTENT)
    assert extent is not None
    begin, end = wanted.from_ or extent["first"], wanted.to or extent["last"]
    if begin is None or end is None or begin >= end:
        return Histogram(None, None, _HOUR, ())
    width = next((width for width in _WIDTHS if (end - begin) / width < most - 1), _WIDTHS[-1])
    if _rollup_suffices(query, begin, end, width):
        rows = await connection.fetch(
            _FROM_ROLLUP, width, _EPOCH, begin, end, list(wanted.module) or None, list(wanted.status) or None
        )
    else:
        statement = Statement()
        binned = f"date_bin({statement.add(width)}, occurred_at, {statement.add(_EPOCH)})"
        span = [f"occurred_at >= {statement.add(begin)}", f"occurred_at < {statement.add(end)}"]
        sql = (
            f"SELECT {binned} AS begin, status, count(*) AS events FROM reading.activity "
            f"{where([*conditions_on(statement, query, None), *span])} GROUP BY 1, 2"
        )
        rows = await connection.fetch(sql, *statement.arguments)
    counts: dict[datetime, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(row["begin"], {})[row["status"]] = row["events"]
    bars = [
        Bar(start, by_status.get(Status.SUCCESS, 0), by_status.get(Status.FAILURE, 0))
        for start, by_status in sorted(counts.items())
    ]
    return Histogram(begin, end, width, bars)


def _rollup_suffices(query: Query, begin: datetime, end: datetime, width: timedelta) -> bool:
    """Whether whole hours of a module and a status tell it all."""
    asked = set(query.filter.model_fields_set) - {"module", "status", "from_", "to"}
    whole_hours = all((moment - _EPOCH) % _HOUR == timedelta(0) for moment in (begin, end))
    return query.only_actor is None and not asked and width >= _HOUR and whole_hours


async def suggestions(
    connection: Connection, of: Suggested, beginning: str, only_actor: str | None, limit: int
) -> Sequence[Suggestion]:
    """Values of a filter that begin so, in order; a `user` finds only what their own events hold."""
    if of is Suggested.ENTITY:
        return await _entities(connection, beginning, only_actor, limit)
    if of is not Suggested.USER:
        return await _values(connection, of.value, beginning, only_actor, limit)
    rows = await connection.fetch(_NAMES, beginning.casefold()[:ALIAS_LENGTH], only_actor, limit)
    return [Suggestion(row["value"], row["label"]) for row in rows]


async def _entities(connection: Connection, beginning: str, only_actor: str | None, limit: int) -> Sequence[Suggestion]:
    """Keys of entities, as `certificate:c-42`, once the type is known."""
    entity_type, colon, identity = beginning.partition(":")
    if not colon:
        return ()
    found = await _values(connection, "entity_id", identity, only_actor, limit, entity_type)
    return [Suggestion(f"{entity_type}:{one.value}", one.label) for one in found]


async def _values(
    connection: Connection,
    column: str,
    beginning: str,
    only_actor: str | None,
    limit: int,
    entity_type: str | None = None,
) -> Sequence[Suggestion]:
    if only_actor is not None:
        rows = await connection.fetch(_OWN.format(column=column), beginning, limit, only_actor, entity_type)
    elif entity_type is not None:
        steps = _STEPS.format(column=column, condition="entity_type = $3")
        rows = await connection.fetch(steps, beginning, limit, entity_type)
    else:
        rows = await connection.fetch(_STEPS.format(column=column, condition="true"), beginning, limit)
    return [Suggestion(row["value"], None) for row in rows]
