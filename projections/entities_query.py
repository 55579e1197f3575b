"""Queries of the read table `entities`; the connection must be bound to a ledger.

What is wanted is found in the order in which it came to be so, newest first: of a state, of a value that an
attribute has, or of a type at all. So a page costs the same among ten entities and among a million.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import asyncpg

from domain.entities.life import Life
from domain.entities.moment import Moment
from projections.database import Connection
from projections.entities import VALUE_LENGTH
from projections.entity_rows import decode
from projections.statement import Statement, where

Place: TypeAlias = tuple[datetime | int, str]
"""Since when, and which entity: where the next page goes on."""


@dataclass(frozen=True)
class Wanted:
    """Entities of a type, in one of some states, that hold one of some values of each attribute."""

    type: str
    states: Sequence[str] = ()
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """An entity in the state that it had."""

    id: str
    name: str | None
    life: Life
    from_position: int
    from_time: datetime
    place: Place


@dataclass(frozen=True)
class _Axis:
    """Along which the moment is given: time, or positions."""

    begin: str
    end: str
    value: datetime | int


async def find(connection: Connection, wanted: Wanted, moment: Moment, before: Place | None, limit: int) -> list[Found]:
    """A page of the entities that were so at a moment, which must not stand for now."""
    axis = _axis(moment)
    statement = Statement()
    if wanted.attributes:
        sql = _by_attribute(statement, wanted, axis, before, limit)
    else:
        sql = _by_state(statement, wanted, axis, before, limit)
    return [_found(row) for row in await connection.fetch(sql, *statement.arguments)]


async def lives_around(
    connection: Connection, entities: Sequence[tuple[str, str, int]]
) -> Mapping[tuple[str, str, int], tuple[Life | None, Life]]:
    """What was known before and after events, each given by its entity's type and id and its position.

    Those that told nothing are left out.
    """
    rows = await connection.fetch(_AROUND, *([list(column) for column in zip(*entities, strict=True)] or [[], [], []]))
    return {
        (row["type"], row["id"], row["position"]): (
            None if row["before"] is None else decode(row["before"]),
            decode(row["after"]),
        )
        for row in rows
    }


_AROUND = """
SELECT type, id, position, before.life AS before, after.life AS after
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS wanted (type, id, position)
JOIN reading.entities AS after ON after.entity_type = type AND after.entity_id = id
    AND after.from_position = position AND after.until_position > position
LEFT JOIN reading.entities AS before ON before.entity_type = type AND before.entity_id = id
    AND before.until_position = position AND before.from_position < position
"""

_COLUMNS = "entity_id, name, life, from_position, from_time"


def _axis(moment: Moment) -> _Axis:
    if moment.position is not None:
        return _Axis("from_position", "until_position", moment.position)
    assert moment.at is not None
    return _Axis("from_time", "until_time", moment.at)


def _by_state(statement: Statement, wanted: Wanted, axis: _Axis, before: Place | None, limit: int) -> str:
    moment, most = statement.add(axis.value), statement.add(limit)
    conditions = [
        f"entity_type = {statement.add(wanted.type)}",
        f"{axis.begin} <= {moment}",
        f"{axis.end} > {moment}",
        *_behind(statement, axis, before),
    ]
    order = f"ORDER BY {axis.begin} DESC, entity_id DESC LIMIT {most}"
    if not wanted.states:
        return f"SELECT {_COLUMNS}, {axis.begin} AS since FROM reading.entities {where(conditions)} {order}"
    of_state = where([*conditions, "state = wanted.state"])
    return (
        f"SELECT found.* FROM unnest({statement.add(list(wanted.states))}::text[]) AS wanted (state) "
        f"CROSS JOIN LATERAL (SELECT {_COLUMNS}, {axis.begin} AS since FROM reading.entities {of_state} {order}) "
        f"AS found ORDER BY since DESC, entity_id DESC LIMIT {most}"
    )


def _by_attribute(statement: Statement, wanted: Wanted, axis: _Axis, before: Place | None, limit: int) -> str:
    """The first attribute drives; each entity counts for the first of the values that it held."""
    moment, most, kind = statement.add(axis.value), statement.add(limit), statement.add(wanted.type)
    (name, values), *others = wanted.attributes.items()
    holds = [_hold(name, value) for value in values]
    candidates = [
        f"hold.entity_type = {kind}",
        f"hold.attribute = {statement.add(name)}",
        "hold.value = wanted.value",
        f"hold.{axis.begin} <= {moment}",
        *_behind(statement, axis, before, "hold."),
    ]
    then = [
        f"entity_type = {kind}",
        "entity_id = hold.entity_id",
        f"{axis.begin} <= {moment}",
        f"{axis.end} > {moment}",
        f"holds @> ARRAY[({statement.add(holds)}::text[])[wanted.number]]",
        f"NOT holds && ({statement.add(holds)}::text[])[:wanted.number - 1]",
        *(f"holds && {statement.add([_hold(other, one) for one in several])}::text[]" for other, several in others),
    ]
    if wanted.states:
        then.append(f"state = ANY({statement.add(list(wanted.states))}::text[])")
    order = "ORDER BY since DESC, entity_id DESC"
    return (
        f"SELECT found.* FROM unnest({statement.add([value[:VALUE_LENGTH] for value in values])}::text[]) "
        f"WITH ORDINALITY AS wanted (value, number) CROSS JOIN LATERAL ("
        f"SELECT was.*, hold.{axis.begin} AS since FROM reading.entity_holds AS hold CROSS JOIN LATERAL ("
        f"SELECT {_COLUMNS} FROM reading.entities {where(then)} LIMIT 1) AS was {where(candidates)} "
        f"ORDER BY hold.{axis.begin} DESC, hold.entity_id DESC LIMIT {most}) AS found {order} LIMIT {most}"
    )


def _behind(statement: Statement, axis: _Axis, before: Place | None, table: str = "") -> list[str]:
    if before is None:
        return []
    since, entity_id = before
    return [f"({table}{axis.begin}, {table}entity_id) < ({statement.add(since)}, {statement.add(entity_id)})"]


def _hold(name: str, value: str) -> str:
    return f"{name}={value[:VALUE_LENGTH]}"


def _found(row: asyncpg.Record) -> Found:
    return Found(
        row["entity_id"],
        row["name"],
        decode(row["life"]),
        row["from_position"],
        row["from_time"],
        (row["since"], row["entity_id"]),
    )
