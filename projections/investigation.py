"""An investigation: every event of an actor, a session, a token, an address or a story, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

import asyncpg

from domain import canonical
from domain.catalogue import CATALOGUE
from domain.entities.life import UNBORN
from domain.entities.links import LINKS, TYPED
from domain.entities.state import differences, may_be_told, state_of
from domain.span import Span
from domain.values import JsonObject, parse_rfc3339
from domain.words import Position, Status
from projections import entities_query
from projections.database import Connection
from projections.statement import Statement

MOST_CONSEQUENCES = 200
_MOST_OF_ONE = 25
_MOST_ENTITIES = 200

Keyset: TypeAlias = tuple[datetime, Position]
EntityId: TypeAlias = tuple[str, str]


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


@dataclass(frozen=True)
class Consequence:
    """An event that came of what was investigated, and why it is thought to have."""

    event: JsonObject
    because: str


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

_LATER = """
SELECT event, because FROM (
    SELECT position, string_agg(DISTINCT because, '; ' ORDER BY because) AS because FROM (
        SELECT found.position, 'about the ' || type || ' ' || id AS because
        FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS touched (type, id, since)
        CROSS JOIN LATERAL (
            SELECT position FROM reading.activity
            WHERE entity_type = type AND entity_id = id AND occurred_at > since AND NOT position = ANY($4::bigint[])
            ORDER BY occurred_at, position LIMIT $5
        ) AS found
        UNION ALL
        SELECT found.position, 'affects the ' || type || ' ' || id
        FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS touched (type, id, since)
        CROSS JOIN LATERAL (
            SELECT position FROM reading.activity_affected
            WHERE entity_type = type AND entity_id = id AND occurred_at > since AND NOT position = ANY($4::bigint[])
            ORDER BY occurred_at, position LIMIT $5
        ) AS found
        UNION ALL
        SELECT found.position, 'belongs to the story ' || story
        FROM unnest($6::text[], $7::timestamptz[]) AS told (story, since)
        CROSS JOIN LATERAL (
            SELECT position FROM reading.activity
            WHERE correlation_id = story AND occurred_at >= since AND NOT position = ANY($4::bigint[])
            ORDER BY occurred_at, position LIMIT $5
        ) AS found
        UNION ALL
        SELECT found.from_position, 'has the ' || to_type || ' ' || id || ' as its ' || attribute
        FROM unnest($8::text[], $9::text[], $10::text[], $11::text[], $12::timestamptz[])
            AS linked (from_type, attribute, to_type, id, since)
        CROSS JOIN LATERAL (
            SELECT from_position FROM reading.entity_holds AS hold
            WHERE hold.entity_type = from_type AND hold.attribute = linked.attribute AND value = id
                AND from_time > since AND NOT from_position = ANY($4::bigint[])
            ORDER BY from_time, entity_id LIMIT $5
        ) AS found
    ) AS every
    GROUP BY position
) AS later
JOIN reading.activity USING (position)
ORDER BY occurred_at, position LIMIT $13
"""

_BEARERS = """
SELECT hold.entity_type AS type, hold.entity_id AS id, min(since) AS since
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS linked (from_type, attribute, id, since)
JOIN reading.entity_holds AS hold
    ON hold.entity_type = from_type AND hold.attribute = linked.attribute AND hold.value = linked.id
GROUP BY hold.entity_type, hold.entity_id LIMIT $5
"""


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
    return [_event(row) for row in rows]


async def with_changes(connection: Connection, found: Sequence[JsonObject]) -> list[JsonObject]:
    """The events, each with what it changed of its entity: from what to what."""
    keys = [(*_entity(event), _position(event)) for event in found]
    lives = await entities_query.lives_around(connection, keys)
    shown = []
    for event, key in zip(found, keys, strict=True):
        before, after = lives.get(key, (UNBORN, UNBORN))
        changed = differences(state_of(before or UNBORN), state_of(after))
        shown.append(event | {"changed": [change.as_json() for change in changed]})
    return shown


def touched(found: Iterable[JsonObject]) -> list[JsonObject]:
    """The entities that events were about or also affected, each with what happened to it."""
    entities: dict[EntityId, dict[str, Any]] = {}
    for event in found:
        for entity in _entities(event):
            known = entities.setdefault(
                (entity["type"], entity["id"]),
                {**entity, "events": 0, "failures": 0, "activities": {}, "first_position": _position(event)},
            )
            known["events"] += 1
            known["failures"] += event["status"] == Status.FAILURE
            known["activities"][event["activity"]] = known["activities"].get(event["activity"], 0) + 1
            known["last_position"] = _position(event)
            known["last_occurred_at"] = event["occurred_at"]
    return list(entities.values())


async def consequences(connection: Connection, found: Sequence[JsonObject]) -> list[Consequence]:
    """What came of successful events: later ones about the same entities and stories, and what was linked to them."""
    since = _since(found)
    kinds, ids, times = _columns([(*key, moment) for key, moment in since.items()], 3)
    links = _links(since)
    bearers = await connection.fetch(_BEARERS, *_columns([(a, b, d, e) for a, b, _, d, e in links], 4), _MOST_ENTITIES)
    links += _links({(row["type"], row["id"]): row["since"] for row in bearers})
    rows = await connection.fetch(
        _LATER,
        kinds,
        ids,
        times,
        [_position(event) for event in found],
        _MOST_OF_ONE,
        *_columns(list(_stories(found).items()), 2),
        *_columns(links, 5),
        MOST_CONSEQUENCES,
    )
    return [Consequence(_event(row), row["because"]) for row in rows]


def _since(found: Sequence[JsonObject]) -> dict[EntityId, datetime]:
    """The entities that successful events touched, and when they did last; not the ledger, which everybody reads."""
    since: dict[EntityId, datetime] = {}
    for event in found:
        if event["status"] == Status.SUCCESS:
            for entity in _entities(event):
                if entity["type"] != "ledger" and len(since) < _MOST_ENTITIES:
                    since[entity["type"], entity["id"]] = parse_rfc3339(event["occurred_at"])
    return since


def _stories(found: Sequence[JsonObject]) -> dict[str, datetime]:
    stories: dict[str, datetime] = {}
    for event in found:
        story = event.get("correlation_id")
        if isinstance(story, str) and len(stories) < _MOST_ENTITIES:
            stories.setdefault(story, parse_rfc3339(event["occurred_at"]))
    return stories


def _links(since: Mapping[EntityId, datetime]) -> list[tuple[str, str, str, str, datetime]]:
    """By which attributes of which types of entities these are linked to: type, attribute, linked type, id, since."""
    return [
        (entity_type, attribute, kind, id_, moment)
        for (kind, id_), moment in since.items()
        for entity_type, attribute, to in _LINKING
        if to == kind
    ]


_LINKING = tuple(
    (entity_type, attribute, LINKS[attribute])
    for entity_type in sorted({activity.entity_type for activity in CATALOGUE})
    for attribute in may_be_told(entity_type)
    if attribute in LINKS and attribute not in TYPED
)


def _entities(event: JsonObject) -> list[dict[str, Any]]:
    entity, others = event["entity"], event.get("also_affected")
    assert isinstance(entity, dict)
    return [entity, *(other for other in (others if isinstance(others, list) else []) if isinstance(other, dict))]


def _entity(event: JsonObject) -> EntityId:
    entity: Any = event["entity"]
    return entity["type"], entity["id"]


def _position(event: JsonObject) -> int:
    position = event["position"]
    assert isinstance(position, int)
    return position


def _event(row: asyncpg.Record) -> JsonObject:
    return canonical.decode_object(row["event"].encode())


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]
