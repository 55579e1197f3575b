"""The read table `modules`: how often each activity of each module happened, and how it ended."""

from collections.abc import Sequence

from domain.event import AuditEvent
from domain.values import parse_rfc3339
from domain.words import Ledger
from projections.database import Connection
from projections.projection import Table

_MODULES = Table(
    "modules",
    """
    module            text COLLATE "C" NOT NULL,
    activity          text COLLATE "C" NOT NULL,
    events            bigint NOT NULL,
    failures          bigint NOT NULL,
    first_occurred_at timestamptz NOT NULL,
    last_occurred_at  timestamptz NOT NULL
    """,
    "module, activity",
)

_APPLY = """
INSERT INTO {table} AS known
SELECT $1, module, activity, count(*), count(*) FILTER (WHERE status = 'failure'), min(occurred_at), max(occurred_at)
FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS row (module, activity, status, occurred_at)
GROUP BY module, activity
ORDER BY module, activity
ON CONFLICT (ledger, module, activity) DO UPDATE SET
    events = known.events + EXCLUDED.events,
    failures = known.failures + EXCLUDED.failures,
    first_occurred_at = least(known.first_occurred_at, EXCLUDED.first_occurred_at),
    last_occurred_at = greatest(known.last_occurred_at, EXCLUDED.last_occurred_at)
"""


class ModulesProjection:
    """Keeps `modules`."""

    name = "modules"
    tables: Sequence[Table] = (_MODULES,)

    async def apply(
        self, connection: Connection, generation: int, ledger: Ledger, events: Sequence[AuditEvent]
    ) -> None:
        await connection.execute(
            _APPLY.format(table=_MODULES.versioned(generation)),
            ledger,
            [event.facts["module"] for event in events],
            [event.facts["activity"] for event in events],
            [event.facts["status"] for event in events],
            [parse_rfc3339(event.facts["occurred_at"]) for event in events],
        )
