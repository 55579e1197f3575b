"""What came of the events of an investigation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from domain.catalogue import CATALOGUE
from domain.entities.links import LINKS, TYPED
from domain.entities.state import may_be_told
from domain.values import JsonObject, parse_rfc3339
from domain.words import Status
from projections.database import Connection
from projections.investigation import decoded, entities_of, position_of

MOST_CONSEQUENCES = 200
_MOST_OF_ONE = 25
_MOST_ENTITIES = 200

EntityId: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Consequence:
    """An event that came of what was investigated, and why it is thought to have."""

    event: JsonObject
    because: str


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
        [position_of(event) for event in found],
        _MOST_OF_ONE,
        *_columns(list(_stories(found).items()), 2),
        *_columns(links, 5),
        MOST_CONSEQUENCES,
    )
    return [Consequence(decoded(row), row["because"]) for row in rows]


def _since(found: Sequence[JsonObject]) -> dict[EntityId, datetime]:
    """The entities that successful events touched, and when they did last; not the ledger, which everybody reads."""
    since: dict[EntityId, datetime] = {}
    for event in found:
        if event["status"] == Status.SUCCESS:
            for entity in entities_of(event):
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


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]
