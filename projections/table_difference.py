"""In which rows a read table, as readers see it, differs from the same table filled by a replay."""

from collections.abc import Iterator, Sequence

import asyncpg

from domain.tampering import Tampering, TamperingKind, Tamperings
from domain.words import Ledger, Position
from projections.database import Connection
from projections.projection import Table

_LONG_SECONDS = 3600

_DIFFERENCES = """
WITH shown AS (SELECT {columns}, true AS is_there FROM reading.{name} {span}),
    replayed AS (SELECT {columns}, true AS is_there FROM {replayed} WHERE ledger = $1 {replayed_span})
SELECT {key}, shown.is_there AS is_shown, replayed.is_there AS is_replayed, ARRAY[{different}]::boolean[] AS different
FROM shown FULL JOIN replayed USING ({key})
WHERE shown IS DISTINCT FROM replayed
ORDER BY {key} LIMIT $2
"""


async def differences(
    connection: Connection, ledger: Ledger, table: Table, generation: int, span: tuple[Position, Position] | None
) -> Sequence[Tampering]:
    """The rows that differ, in the order of the key, for a transaction that is bound to the ledger.

    `span` bounds them to the positions after its first up to its last, in a table with a row for each event.
    """
    keys = table.key_names
    others = [name for name in table.names[1:] if name not in keys]
    statement = _DIFFERENCES.format(
        columns=", ".join(table.names[1:]),
        name=table.name,
        replayed=table.versioned(generation),
        key=", ".join(keys),
        different=", ".join(f"shown.{name} IS DISTINCT FROM replayed.{name}" for name in others),
        span="WHERE position > $3 AND position <= $4" if span else "",
        replayed_span="AND position > $3 AND position <= $4" if span else "",
    )
    rows = await connection.fetch(statement, ledger, Tamperings.MOST, *(span or ()), timeout=_LONG_SECONDS)
    return [_tampering(table, row, others) for row in rows]


def _tampering(table: Table, row: asyncpg.Record, others: Sequence[str]) -> Tampering:
    position = Position(row["position"] if "position" in table.key_names else 0)
    message = f"{_row(table, row)} {_what(row, others)}"
    return Tampering(TamperingKind.TABLE_ALTERED, position, message, position, table.name)


def _row(table: Table, row: asyncpg.Record) -> str:
    """Which row it is, as far as its position does not say that."""
    named = ", ".join(_named(table, row))
    return f"the row of {named}" if named else "the row"


def _named(table: Table, row: asyncpg.Record) -> Iterator[str]:
    for name in table.key_names:
        if name != "position":
            yield f"a certain {name}" if name in table.personal else f"{name} {str(row[name])!r}"


def _what(row: asyncpg.Record, others: Sequence[str]) -> str:
    if row["is_shown"] is None:
        return "is missing"
    if row["is_replayed"] is None:
        return "is one that the ledger knows nothing of"
    wrong = [name for name, differs in zip(others, row["different"], strict=True) if differs]
    return f"does not say what the ledger says, in {', '.join(wrong)}"
