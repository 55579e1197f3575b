"""The read tables `entities` and `entity_holds`: in which state each entity was, and when; and what finds it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeAlias

from domain.catalogue import CATALOGUE
from domain.entities.life import tells
from domain.entities.links import FILTERABLE, filterable
from domain.entities.state import state_of
from domain.event import AuditEvent
from domain.values import parse_rfc3339
from domain.words import Ledger
from projections.database import Connection
from projections.entity_rows import LAST_POSITION, EntityRow, EntityRows, decode, encode
from projections.projection import Table

VALUE_LENGTH = 256
"""How much of a value finds an entity: an entry of an index is a third of a page at most."""

_TOLD = repr([(activity.event_type, activity.effect) for activity in CATALOGUE] + [sorted(FILTERABLE)])
"""What events tell of their entities."""

_ENTITIES = Table(
    "entities",
    """
    entity_type    text COLLATE "C" NOT NULL,
    entity_id      text COLLATE "C" NOT NULL,
    from_position  bigint NOT NULL,
    from_time      timestamptz NOT NULL,
    until_position bigint NOT NULL,
    until_time     timestamptz NOT NULL,
    state          text COLLATE "C",
    holds          text[] NOT NULL,
    name           text,
    life           text NOT NULL
    """,
    "entity_type, entity_id, from_position, from_time",
    (
        "(ledger, entity_type, state, from_time, entity_id)",
        "(ledger, entity_type, from_time, entity_id)",
        "(ledger, entity_type, from_position, entity_id)",
    ),
    # Each row is closed once: there is room for that in its page, so that no index must be told.
    "fillfactor = 60",
    rules=sha256(_TOLD.encode()).hexdigest(),
)

# Which entities ever held a value of an attribute, and since when first; whether they still did then, their rows say.
_HOLDS = Table(
    "entity_holds",
    """
    entity_type   text COLLATE "C" NOT NULL,
    attribute     text COLLATE "C" NOT NULL,
    value         text COLLATE "C" NOT NULL,
    entity_id     text COLLATE "C" NOT NULL,
    from_position bigint NOT NULL,
    from_time     timestamptz NOT NULL
    """,
    "entity_type, attribute, value, entity_id",
    (
        "(ledger, entity_type, attribute, value, from_time, entity_id)",
        "(ledger, entity_type, attribute, value, from_position, entity_id)",
    ),
)

# In which sessions events occurred: an event of `activity` is found by its actor, but not by the session.
_SESSIONS = Table(
    "entity_sessions",
    """
    session_id  text COLLATE "C" NOT NULL,
    occurred_at timestamptz NOT NULL,
    position    bigint NOT NULL
    """,
    "session_id, occurred_at, position",
)

_LATEST = """
SELECT wanted.number, found.* FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS wanted (type, id, number)
CROSS JOIN LATERAL (
    SELECT from_position, from_time, until_position, until_time, holds, name, life FROM {table}
    WHERE ledger = $1 AND entity_type = type AND entity_id = id AND until_position = $4
    ORDER BY from_position DESC LIMIT 1
) AS found
"""

_SINCE = """
SELECT wanted.number, found.* FROM unnest($2::text[], $3::text[], $4::timestamptz[])
    WITH ORDINALITY AS wanted (type, id, since, number)
CROSS JOIN LATERAL (
    SELECT from_position, from_time, until_position, until_time, holds, name, life FROM {table}
    WHERE ledger = $1 AND entity_type = type AND entity_id = id AND until_time > since AND from_time < until_time
) AS found
ORDER BY wanted.number, found.from_time
"""

_END = """
UPDATE {table} AS known SET until_position = ended.until_position, until_time = ended.until_time
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::bigint[], $7::timestamptz[])
    AS ended (entity_type, entity_id, from_position, from_time, until_position, until_time)
WHERE known.ledger = $1 AND known.entity_type = ended.entity_type AND known.entity_id = ended.entity_id
    AND known.from_position = ended.from_position AND known.from_time = ended.from_time
"""

_HOLD = """
INSERT INTO {table} AS known
SELECT $1, entity_type, attribute, value, entity_id, min(from_position), min(from_time)
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[])
    AS row (entity_type, attribute, value, entity_id, from_position, from_time)
GROUP BY entity_type, attribute, value, entity_id
ORDER BY entity_type, attribute, value, entity_id
ON CONFLICT (ledger, entity_type, attribute, value, entity_id) DO UPDATE SET from_time = EXCLUDED.from_time
WHERE known.from_time > EXCLUDED.from_time
"""

Key: TypeAlias = tuple[str, str]
"""The type and the id of an entity."""


class EntitiesProjection:
    """Keeps `entities`, with what finds them and the sessions in which events occurred."""

    name = "entities"
    tables: Sequence[Table] = (_ENTITIES, _HOLDS, _SESSIONS)

    async def apply(
        self, connection: Connection, generation: int, ledger: Ledger, events: Sequence[AuditEvent]
    ) -> None:
        told = _by_entity(events)
        known = await _loaded(connection, _ENTITIES.versioned(generation), ledger, told)
        for key, mine in told.items():
            for event in mine:
                known[key].apply(event)
        await _store(connection, generation, ledger, known)
        await connection.copy_records_to_table(
            f"{_SESSIONS.name}_{generation}",
            schema_name="reading",
            columns=_SESSIONS.names,
            records=[(ledger, *row) for event in events for row in _sessions(event)],
        )


def _by_entity(events: Iterable[AuditEvent]) -> Mapping[Key, list[AuditEvent]]:
    """The events that tell something, by the entity of which they do."""
    found: dict[Key, list[AuditEvent]] = {}
    for event in events:
        if next(tells(event), None) is not None:
            entity: Any = event.facts["entity"]
            found.setdefault((entity["type"], entity["id"]), []).append(event)
    return found


async def _loaded(
    connection: Connection, table: str, ledger: Ledger, told: Mapping[Key, Sequence[AuditEvent]]
) -> Mapping[Key, EntityRows]:
    """The rows that the events may change."""
    keys = list(told)
    known = {key: EntityRows() for key in keys}
    for row in await connection.fetch(_LATEST.format(table=table), ledger, *_columns(keys, 2), LAST_POSITION):
        known[keys[row["number"] - 1]].load(_row_of(row), row["holds"])
    late = [(*key, since) for key in keys if (since := _earliest_late(known[key].latest, told[key])) is not None]
    for kind, id_, _ in late:
        known[kind, id_] = EntityRows()
    if late:
        for row in await connection.fetch(_SINCE.format(table=table), ledger, *_columns(late, 3)):
            known[late[row["number"] - 1][:2]].load(_row_of(row), row["holds"])
    return known


def _earliest_late(latest: EntityRow | None, events: Sequence[AuditEvent]) -> datetime | None:
    """When the first of the events occurred that are earlier than what is stored; None if none is."""
    if latest is None:
        return None
    first = min(parse_rfc3339(event.facts["occurred_at"]) for event in events)
    return first if first < latest.from_time else None


async def _store(connection: Connection, generation: int, ledger: Ledger, known: Mapping[Key, EntityRows]) -> None:
    ended: list[tuple[Any, ...]] = []
    new: list[tuple[Any, ...]] = []
    held: list[tuple[Any, ...]] = []
    for key, rows in known.items():
        for row in rows.touched:
            if row.is_changed:
                ended.append((*key, row.from_position, row.from_time, row.until_position, row.until_time))
            elif not row.is_stored:
                new.append((ledger, *_stored(key, row, rows.held, held)))
    await connection.copy_records_to_table(
        f"{_ENTITIES.name}_{generation}", schema_name="reading", columns=_ENTITIES.names, records=new
    )
    for statement, table, changes in ((_END, _ENTITIES, ended), (_HOLD, _HOLDS, held)):
        if changes:
            await connection.execute(statement.format(table=table.versioned(generation)), ledger, *_columns(changes, 6))


def _stored(key: Key, row: EntityRow, known: set[str] | None, held: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The columns of a new row; what it is found by, and was not before, is added to `held`."""
    state = state_of(row.life)
    pairs = [(name, value[:VALUE_LENGTH]) for name, value in sorted(filterable(state))]
    holds = [f"{name}={value}" for name, value in pairs]
    for (name, value), hold in zip(pairs, holds, strict=True):
        if known is None or hold not in known:
            held.append((key[0], name, value, key[1], row.from_position, row.from_time))
    if known is not None:
        known.update(holds)
    return (
        *key,
        row.from_position,
        row.from_time,
        row.until_position,
        row.until_time,
        state["state"],
        holds,
        row.name,
        encode(row.life),
    )


def _sessions(event: AuditEvent) -> Iterator[tuple[Any, ...]]:
    actor: Any = event.facts["actor"]
    details: Any = event.facts["details"]
    occurred_at = parse_rfc3339(event.facts["occurred_at"])
    for session_id in {actor.get("session_id"), details.get("session_id")} - {None}:
        yield session_id, occurred_at, event.facts["position"]


def _row_of(row: Any) -> EntityRow:
    return EntityRow(
        decode(row["life"]),
        row["name"],
        row["from_position"],
        row["from_time"],
        row["until_position"],
        row["until_time"],
    )


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]
