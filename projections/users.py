"""The read table `users`: what each actor did, in sum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.event import AuditEvent
from domain.words import Ledger, Status
from projections.database import Connection
from projections.projection import Table
from projections.turns import turns

_USERS = Table(
    "users",
    """
    actor_id          text COLLATE "C" NOT NULL,
    kind              text NOT NULL,
    full_name         text,
    actor_id_fold     text COLLATE "C" NOT NULL,
    full_name_fold    text COLLATE "C",
    events            bigint NOT NULL,
    failures          bigint NOT NULL,
    first_occurred_at timestamptz NOT NULL,
    last_occurred_at  timestamptz NOT NULL,
    last_position     bigint NOT NULL
    """,
    "actor_id",
    # Rows change again and again: there is room in their pages for that, so that no index must be told.
    storage="fillfactor = 50",
)

_APPLY = """
INSERT INTO {table} AS known
SELECT $1, * FROM unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::bigint[], $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::bigint[]
)
ON CONFLICT (ledger, actor_id) DO UPDATE SET
    kind = EXCLUDED.kind,
    full_name = coalesce(EXCLUDED.full_name, known.full_name),
    full_name_fold = coalesce(EXCLUDED.full_name_fold, known.full_name_fold),
    events = known.events + EXCLUDED.events,
    failures = known.failures + EXCLUDED.failures,
    first_occurred_at = least(known.first_occurred_at, EXCLUDED.first_occurred_at),
    last_occurred_at = greatest(known.last_occurred_at, EXCLUDED.last_occurred_at),
    last_position = EXCLUDED.last_position
"""


@dataclass(slots=True)
class _Acts:
    """What one actor did in a batch."""

    kind: Any
    name: Any
    first: datetime
    last: datetime
    position: Any = 0
    events: int = 0
    failures: int = 0


class UsersProjection:
    """Keeps `users`."""

    name = "users"
    tables: Sequence[Table] = (_USERS,)

    async def apply(
        self, connection: Connection, generation: int, ledger: Ledger, events: Sequence[AuditEvent]
    ) -> None:
        columns = zip(*_rows(await _summed(events)), strict=True)
        await connection.execute(_APPLY.format(table=_USERS.versioned(generation)), ledger, *columns)


async def _summed(events: Sequence[AuditEvent]) -> Mapping[str, _Acts]:
    """By actor, from events in their order: of kind and name the latest counts."""
    actors: dict[str, _Acts] = {}
    async for some in turns(events):
        for event in some:
            actor: Any = event.facts["actor"]
            moment = event.occurred_at
            acts = actors.get(actor["id"])
            if acts is None:
                acts = actors[actor["id"]] = _Acts(None, None, moment, moment)
            acts.kind = actor["kind"]
            acts.name = actor.get("full_name") or acts.name
            if moment < acts.first:
                acts.first = moment
            elif moment > acts.last:
                acts.last = moment
            acts.position = event.facts["position"]
            acts.events += 1
            acts.failures += event.status is Status.FAILURE
    return actors


def _rows(actors: Mapping[str, _Acts]) -> list[tuple[Any, ...]]:
    """In the order of the key, so that no two batches ever lock each other out."""
    return [
        (
            actor_id,
            acts.kind,
            acts.name,
            actor_id.casefold(),
            acts.name and acts.name.casefold(),
            acts.events,
            acts.failures,
            acts.first,
            acts.last,
            acts.position,
        )
        for actor_id, acts in sorted(actors.items())
    ]
