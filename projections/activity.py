"""The read table `activity`: one row per event, made for filters."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from struct import Struct
from typing import Any

from uuid_utils import UUID

from domain import canonical
from domain.event import AuditEvent
from domain.search import searchable
from domain.values import JsonObject
from domain.words import Ledger
from projections.binary_copy import NULL, copying, field, microseconds, text, texts, tsvector
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
        affected: list[tuple[Any, ...]] = []
        actors: set[tuple[str, str | None]] = set()
        rows = _rows(ledger, events, affected, actors)
        async with copying(connection, "reading", f"{_ACTIVITY.name}_{generation}", _ACTIVITY.names, rows):
            aliases = _aliases(actors)
        for statement, table, values in ((_INSERT_AFFECTED, _AFFECTED, affected), (_INSERT_ALIASES, _ALIASES, aliases)):
            if values:
                columns = zip(*values, strict=True)
                await connection.execute(statement.format(table=table.versioned(generation)), ledger, *columns)


def document(event: AuditEvent) -> JsonObject:
    """The event as queries and feeds show it: the record's facts, without the digest that only proofs need."""
    shown = event.facts | {"description": event.description}
    shown.pop("personal", None)
    return shown


def _rows(
    ledger: Ledger,
    events: Iterable[AuditEvent],
    affected: list[tuple[Any, ...]],
    actors: set[tuple[str, str | None]],
) -> Iterator[bytes]:
    """Gathers meanwhile what the two other tables hold, for which the database would wait at the end.

    `affected` is in the order of its columns; `actors` are ids and full names.
    """
    for event in events:
        facts: Any = event.facts
        actors.add((facts["actor"]["id"], facts["actor"].get("full_name")))
        if "also_affected" in facts:
            place = event.occurred_at, facts["position"]
            affected += ((other["type"], other["id"], *place) for other in facts["also_affected"])
        yield _row(ledger, event)


def _row(ledger: Ledger, event: AuditEvent) -> bytes:
    """The columns in their order, as COPY takes them."""
    facts: Any = event.facts
    actor, entity = facts["actor"], facts["entity"]
    actor_id, name, affected = actor["id"], actor.get("full_name"), facts.get("also_affected")
    return b"".join(
        (
            _FIELDS,
            _known(ledger),
            _BIGINT(8, facts["position"]),
            field(UUID(facts["event_id"]).bytes),
            _TIMES(8, microseconds(event.occurred_at), 8, microseconds(event.timestamp)),
            _known(facts["module"]),
            _known(facts["activity"]),
            _known(event.status),
            _known(actor_id),
            _known(actor_id.casefold()),
            _text(name and name.casefold()),
            _known(entity["type"]),
            text(entity["id"]),
            NULL if affected is None else texts([f"{other['type']}:{other['id']}" for other in affected]),
            _known(facts["source"]),
            _text(actor.get("ip")),
            _text(facts.get("correlation_id")),
            tsvector(searchable(event.description, facts["details"])),
            field(canonical.encode(document(event))),
        )
    )


def _text(value: str | None) -> bytes:
    return NULL if value is None else text(value)


_known = lru_cache(maxsize=20_000)(text)
"""For texts of which there are few, or which come again and again."""

_FIELDS = Struct("!h").pack(len(_ACTIVITY.names))
_BIGINT = Struct("!iq").pack
_TIMES = Struct("!iqiq").pack


def _aliases(actors: Iterable[tuple[str, str | None]]) -> set[tuple[str, str]]:
    """The names of actors, given by id and full name, each with the actor's id."""
    return {(name.casefold()[:ALIAS_LENGTH], actor[0]) for actor in actors for name in actor if name}
