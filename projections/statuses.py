"""The read table `statuses`: how many events succeeded and failed, hour by hour."""

from collections import Counter
from collections.abc import Sequence

from domain.event import AuditEvent
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
    # Rows change again and again: there is room in their pages for that, so that no index must be told.
    storage="fillfactor = 50",
)

_APPLY = """
INSERT INTO {table} AS known
SELECT $1, * FROM unnest($2::timestamptz[], $3::text[], $4::text[], $5::bigint[])
ON CONFLICT (ledger, hour, module, status) DO UPDATE SET events = known.events + EXCLUDED.events
"""


class StatusesProjection:
    """Keeps `statuses`."""

    name = "statuses"
    tables: Sequence[Table] = (_STATUSES,)

    async def apply(
        self, connection: Connection, generation: int, ledger: Ledger, events: Sequence[AuditEvent]
    ) -> None:
        counted = Counter(
            (event.occurred_at.replace(minute=0, second=0, microsecond=0), event.facts["module"], event.status)
            for event in events
        )
        columns = zip(*((*key, count) for key, count in sorted(counted.items())), strict=True)
        await connection.execute(_APPLY.format(table=_STATUSES.versioned(generation)), ledger, *columns)
