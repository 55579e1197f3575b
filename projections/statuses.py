"""The read table `statuses`: how many events succeeded and failed, hour by hour."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.event import AuditEvent
from domain.values import parse_rfc3339
from domain.words import Ledger
from projections.database import Connection
from projections.projection import Table
from projections.turns import turns

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
        columns = zip(*_rows(await _counted(events)), strict=True)
        await connection.execute(_APPLY.format(table=_STATUSES.versioned(generation)), ledger, *columns)


async def _counted(events: Sequence[AuditEvent]) -> Counter[tuple[Any, Any, Any]]:
    """By the hour as the record writes it (`2026-11-24T10`), module and status."""
    counted: Counter[tuple[Any, Any, Any]] = Counter()
    async for some in turns(events):
        facts: list[Any] = [event.facts for event in some]
        counted.update((each["occurred_at"][:13], each["module"], each["status"]) for each in facts)
    return counted


def _rows(counted: Counter[tuple[Any, Any, Any]]) -> list[tuple[datetime, Any, Any, int]]:
    """In the order of the key, so that no two batches ever lock each other out."""
    return [
        (parse_rfc3339(f"{hour}:00:00.000000Z"), module, status, count)
        for (hour, module, status), count in sorted(counted.items())
    ]
