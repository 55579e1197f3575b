"""The read table `users`: what each actor did, in sum."""

from collections.abc import Sequence
from typing import Any

from domain.event import AuditEvent
from domain.values import parse_rfc3339
from domain.words import Ledger
from projections.database import Connection
from projections.projection import Table

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
    ("(ledger, last_occurred_at)",),
)

_APPLY = """
INSERT INTO {table} AS known
SELECT $1, actor_id, (array_agg(kind ORDER BY position DESC))[1],
    (array_agg(full_name ORDER BY position DESC) FILTER (WHERE full_name IS NOT NULL))[1],
    min(actor_id_fold),
    (array_agg(full_name_fold ORDER BY position DESC) FILTER (WHERE full_name IS NOT NULL))[1],
    count(*), count(*) FILTER (WHERE status = 'failure'), min(occurred_at), max(occurred_at), max(position)
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
    AS row (position, actor_id, kind, full_name, actor_id_fold, full_name_fold, status, occurred_at)
GROUP BY actor_id
ORDER BY actor_id
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


class UsersProjection:
    """Keeps `users`."""

    name = "users"
    tables: Sequence[Table] = (_USERS,)

    async def apply(
        self, connection: Connection, generation: int, ledger: Ledger, events: Sequence[AuditEvent]
    ) -> None:
        columns = zip(*(_row(event) for event in events), strict=True)
        await connection.execute(_APPLY.format(table=_USERS.versioned(generation)), ledger, *columns)


def _row(event: AuditEvent) -> tuple[Any, ...]:
    facts = event.facts
    actor: Any = facts["actor"]
    name = actor.get("full_name")
    return (
        facts["position"],
        actor["id"],
        actor["kind"],
        name,
        actor["id"].casefold(),
        name and name.casefold(),
        facts["status"],
        parse_rfc3339(facts["occurred_at"]),
    )
