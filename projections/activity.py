"""The read table `activity`: one row per event, made for filters."""

from collections.abc import Iterable, Sequence
from typing import Any

from domain import canonical
from domain.event import AuditEvent
from domain.search import searchable
from domain.values import JsonObject
from domain.words import Ledger
from projections.database import Connection
from projections.projection import Table

ALIAS_LENGTH = 128
"""How much of a name finds its actor: an entry of an index is a third of a page at most, and names may be longer."""

_ACTIVITY = Table(
    "activity",
    """
    position       bigint NOT NULL,
    event_id       uuid NOT NULL,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    module         text COLLATE "C" NOT NULL,
    activity       text COLLATE "C" NOT NULL,
    status         text COLLATE "C" NOT NULL,
    actor_id       text COLLATE "C" NOT NULL,
    actor_id_fold  text COLLATE "C" NOT NULL,
    actor_name_fold text COLLATE "C",
    entity_type    text COLLATE "C" NOT NULL,
    entity_id      text COLLATE "C" NOT NULL,
    also_affected  text[],
    source         text COLLATE "C" NOT NULL,
    ip             text COLLATE "C",
    correlation_id text COLLATE "C",
    words          tsvector NOT NULL,
    event          text NOT NULL
    """,
    "position",
    (
        "(ledger, occurred_at, position)",
        "(ledger, actor_id, occurred_at, position)",
        "(ledger, module, occurred_at, position)",
        "(ledger, activity, occurred_at, position)",
        "(ledger, occurred_at, position) WHERE status = 'failure'",
        "(ledger, entity_type, entity_id, occurred_at, position)",
        "(ledger, source, occurred_at, position)",
        "(ledger, ip, occurred_at, position) WHERE ip IS NOT NULL",
        "(ledger, correlation_id, occurred_at, position) WHERE correlation_id IS NOT NULL",
        "(ledger, event_id)",
        # A word is put in its place together with many others; until then a search walks through what waits (0012).
        "USING gin (words) WITH (gin_pending_list_limit = 16384)",
    ),
)

# The entities that each event also affected, in the order in which the events of one are read.
_AFFECTED = Table(
    "activity_affected",
    """
    entity_type text COLLATE "C" NOT NULL,
    entity_id   text COLLATE "C" NOT NULL,
    occurred_at timestamptz NOT NULL,
    position    bigint NOT NULL
    """,
    "entity_type, entity_id, occurred_at, position",
)

# Under which names each actor is found: the beginnings of the folded id and of every full name that it ever had.
_ALIASES = Table(
    "activity_aliases",
    """
    alias    text COLLATE "C" NOT NULL,
    actor_id text COLLATE "C" NOT NULL
    """,
    "alias, actor_id",
    personal=("alias",),
)

_INSERT_AFFECTED = """
INSERT INTO {table}
SELECT DISTINCT $1, entity_type, entity_id, occurred_at, position
FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::bigint[])
    AS row (entity_type, entity_id, occurred_at, position)
"""

_INSERT_ALIASES = """
INSERT INTO {table}
SELECT $1, alias, actor_id FROM unnest($2::text[], $3::text[]) AS row (alias, actor_id)
ON CONFLICT DO NOTHING
"""


class ActivityProjection:
    """Keeps `activity`, with the entities also affected and the names by which actors are found."""

    name = "activity"
    # In the order in which queries read them, so that a query and a switch of the views never wait for each other.
    tables: Sequence[Table] = (_ALIASES, _ACTIVITY, _AFFECTED)

    async def apply(
        self, connection: Connection, generation: int, ledger: Ledger, events: Sequence[AuditEvent]
    ) -> None:
        await connection.copy_records_to_table(
            f"{_ACTIVITY.name}_{generation}",
            schema_name="reading",
            columns=_ACTIVITY.names,
            records=(_row(ledger, event) for event in events),
        )
        for statement, table, rows in (
            (_INSERT_AFFECTED, _AFFECTED, [row for event in events for row in _affected(event)]),
            (_INSERT_ALIASES, _ALIASES, _aliases(events)),
        ):
            if rows:
                columns = zip(*rows, strict=True)
                await connection.execute(statement.format(table=table.versioned(generation)), ledger, *columns)


def document(event: AuditEvent) -> JsonObject:
    """The event as queries and feeds show it: the record's facts, without the digest that only proofs need."""
    shown = event.facts | {"description": event.description}
    shown.pop("personal", None)
    return shown


def _row(ledger: Ledger, event: AuditEvent) -> tuple[Any, ...]:
    facts = event.facts
    actor: Any = facts["actor"]
    entity: Any = facts["entity"]
    also_affected: Any = facts.get("also_affected")
    name = actor.get("full_name")
    return (
        ledger,
        facts["position"],
        facts["event_id"],
        event.occurred_at,
        event.timestamp,
        facts["module"],
        facts["activity"],
        event.status,
        actor["id"],
        actor["id"].casefold(),
        name and name.casefold(),
        entity["type"],
        entity["id"],
        also_affected and [f"{other['type']}:{other['id']}" for other in also_affected],
        facts["source"],
        actor.get("ip"),
        facts.get("correlation_id"),
        searchable(event.description, facts["details"]),
        canonical.encode(document(event)).decode(),
    )


def _affected(event: AuditEvent) -> Sequence[tuple[Any, ...]]:
    affected: Any = event.facts.get("also_affected")
    if not affected:
        return ()
    return [(other["type"], other["id"], event.occurred_at, event.facts["position"]) for other in affected]


def _aliases(events: Iterable[AuditEvent]) -> set[tuple[str, str]]:
    """The names of the actors, each with the actor's id."""
    actors: list[Any] = [event.facts["actor"] for event in events]
    # The same few act again and again.
    called = {(name, actor["id"]) for actor in actors for name in (actor["id"], actor.get("full_name")) if name}
    return {(name.casefold()[:ALIAS_LENGTH], actor_id) for name, actor_id in called}
