"""The read table `statuses`: how many events succeeded and failed, hour by hour."""

from collections.abc import Sequence

from domain.event import AuditEvent
from domain.values import parse_rfc3339
from domain.words import Ledger
from projections.database import Connection
from projections.projection import Table

_STATUSES = Table(
    "statuses",
    """
    hour   timestamptz NOT NULL,
    module text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    events bigint NOT NULL
    """,
    "hour, module, status",
)

_APPLY = """
INSERT INTO {table} AS known
SELECT $1, hour, module, status, count(*)
FROM unnest($2::timestamptz[], $3::text[], $4::text[]) AS row (hour, module, status)
GROUP BY hour, module, status
ORDER BY hour, module, status
ON CONFLICT (ledger, hour, module, status) DO UPDATE SET events = known.events + EXCLUDED.events
"""


class StatusesProjection:
    """Keeps `statuses`."""

    name = "statuses"
    tables: Sequence[Table] = (_STATUSES,)

    async def apply(
        self, connection: Connection, generation: int, ledger: Ledger, events: Sequence[AuditEvent]
    ) -> None:
        await connection.execute(
            _APPLY.format(table=_STATUSES.versioned(generation)),
            ledger,
            [parse_rfc3339(event.facts["occurred_at"]).replace(minute=0, second=0, microsecond=0) for event in events],
            [event.facts["module"] for event in events],
            [event.facts["status"] for event in events],
        )
