"""The read table `modules`: how often each activity of each module happened, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.event import AuditEvent
from domain.words import Ledger, Status
from projections.database import Connection
from projections.projection import Table
from projections.turns import turns

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
    # Rows change again and again: there is room in their pages for that, so that no index must be told.
    storage="fillfactor = 50",
)

_APPLY = """
INSERT INTO {table} AS known
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::timestamptz[])
ON CONFLICT (ledger, module, activity) DO UPDATE SET
    events = known.events + EXCLUDED.events,
    failures = known.failures + EXCLUDED.failures,
    first_occurred_at = least(known.first_occurred_at, EXCLUDED.first_occurred_at),
    last_occurred_at = greatest(known.last_occurred_at, EXCLUDED.last_occurred_at)
"""


@dataclass(slots=True)
class _Happened:
    """How often an activity happened in a batch, how often it failed, and when."""

    first: datetime
    last: datetime
    events: int = 0
    failures: int = 0


class ModulesProjection:
    """Keeps `modules`."""

    name = "modules"
    tables: Sequence[Table] = (_MODULES,)

    async def apply(
        self, connection: Connection, generation: int, ledger: Ledger, events: Sequence[AuditEvent]
    ) -> None:
        rows = [
            (*key, happened.events, happened.failures, happened.first, happened.last)
            for key, happened in sorted((await _summed(events)).items())
        ]
        columns = zip(*rows, strict=True)
        await connection.execute(_APPLY.format(table=_MODULES.versioned(generation)), ledger, *columns)


async def _summed(events: Sequence[AuditEvent]) -> Mapping[tuple[Any, Any], _Happened]:
    """By module and activity."""
    summed: dict[tuple[Any, Any], _Happened] = {}
    async for some in turns(events):
        for event in some:
            key = event.facts["module"], event.facts["activity"]
            moment = event.occurred_at
            happened = summed.get(key)
            if happened is None:
                happened = summed[key] = _Happened(moment, moment)
            elif moment < happened.first:
                happened.first = moment
            elif moment > happened.last:
                happened.last = moment
            happened.events += 1
            happened.failures += event.status is Status.FAILURE
    return summed
