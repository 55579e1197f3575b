"""An investigation: every event of an actor, a session, a token, an address or a story, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

import asyncpg

from domain import canonical
from domain.entities.life import UNBORN
from domain.entities.state import differences, state_of
from domain.span import Span
from domain.values import JsonObject
from domain.words import Position, Status
from projections import entities_query
from projections.database import Connection
from projections.statement import Statement

Keyset: TypeAlias = tuple[datetime, Position]


class Clue(StrEnum):
    """By what events are found to belong together."""

    ACTOR = "actor"
    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a word
    IP = "ip"
    CORRELATION = "correlation"


@dataclass(frozen=True)
class Question:
    """What is investigated; `only_actor` is the one actor whose events may be seen, if not all may."""

    clue: Clue
    value: str
    span: Span
    only_actor: str | None = None


_SOURCES: Mapping[Clue, str] = {
    Clue.ACTOR: "SELECT position FROM reading.activity WHERE actor_id = $1 AND {span}",
    Clue.IP: "SELECT position FROM reading.activity WHERE ip = $1 AND {span}",
    Clue.CORRELATION: "SELECT position FROM reading.activity WHERE correlation_id = $1 AND {span}",
    Clue.SESSION: """
        SELECT position FROM reading.entity_sessions WHERE session_id = $1 AND {span}
        UNION SELECT position FROM reading.activity WHERE entity_type = 'session' AND entity_id = $1 AND {span}
    """,
    Clue.TOKEN: """
        SELECT position FROM reading.activity WHERE entity_type = 'token' AND entity_id = $1 AND {span}
        UNION SELECT position FROM reading.activity_affected
        WHERE entity_type = 'token' AND entity_id = $1 AND {span}
    """,
}


async def events(connection: Connection, question: Question, after: Keyset | None, limit: int) -> list[JsonObject]:
    """A page of the events that belong to it, in the order in which they occurred."""
    statement = Statement()
    statement.add(question.value)
    span = ["true"]
    if question.span.from_ is not None:
        span.append(f"occurred_at >= {statement.add(question.span.from_)}")
    if question.span.to is not None:
        span.append(f"occurred_at < {statement.add(question.span.to)}")
    if after is not None:
        occurred_at, position = after
        span.append(f"(occurred_at, position) > ({statement.add(occurred_at)}, {statement.add(position)})")
    found = _SOURCES[question.clue].format(span=" AND ".join(span))
    only = f"WHERE actor_id = {statement.add(question.only_actor)}" if question.only_actor is not None else ""
    rows = await connection.fetch(
        f"SELECT event FROM ({found}) AS found JOIN reading.activity USING (position) {only} "
        f"ORDER BY occurred_at, position LIMIT {statement.add(limit)}",
        *statement.arguments,
    )
    return [decoded(row) for row in rows]


async def with_changes(connection: Connection, found: Sequence[JsonObject]) -> list[JsonObject]:
    """The events, each with what it changed of its entity: from what to what."""
    keys = [(*_entity(event), position_of(event)) for event in found]
    lives = await entities_query.lives_around(connection, keys)
    shown = []
    for event, key in zip(found, keys, strict=True):
        before, after = lives.get(key, (UNBORN, UNBORN))
        changed = differences(state_of(before or UNBORN), state_of(after))
        shown.append(event | {"changed": [change.as_json() for change in changed]})
    return shown


def touched(found: Iterable[JsonObject]) -> list[JsonObject]:
    """The entities that events were about or also affected, each with what happened to it."""
    entities: dict[tuple[str, str], dict[str, Any]] = {}
    for event in found:
        for entity in entities_of(event):
            known = entities.setdefault(
                (entity["type"], entity["id"]),
                {**entity, "events": 0, "failures": 0, "activities": {}, "first_position": position_of(event)},
            )
            known["events"] += 1
            known["failures"] += event["status"] == Status.FAILURE
            known["activities"][event["activity"]] = known["activities"].get(event["activity"], 0) + 1
            known["last_position"] = position_of(event)
            known["last_occurred_at"] = event["occurred_at"]
    return list(entities.values())


def entities_of(event: JsonObject) -> list[dict[str, Any]]:
    entity, others = event["entity"], event.get("also_affected")
    assert isinstance(entity, dict)
    return [entity, *(other for other in (others if isinstance(others, list) else []) if isinstance(other, dict))]


def _entity(event: JsonObject) -> tuple[str, str]:
    entity: Any = event["entity"]
    return entity["type"], entity["id"]


def position_of(event: JsonObject) -> int:
    position = event["position"]
    assert isinstance(position, int)
    return position


def decoded(row: asyncpg.Record) -> JsonObject:
    return canonical.decode_object(row["event"].encode())
