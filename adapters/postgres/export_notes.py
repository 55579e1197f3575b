"""Exports under way, on PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import orjson

from application.lost_exports import ExportNote
from application.self_audit import Origin
from domain.credential import Credential
from domain.words import Ledger, Role
from projections.database import Pool, bound, translated_errors

_KEEP = """
INSERT INTO audit.exports (ledger, id, source, name, role, actor_id, ip, user_agent, details, rows)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::json, $10)
"""
_REFRESH = "UPDATE audit.exports SET rows = $3, seen_at = clock_timestamp() WHERE ledger = $1 AND id = $2"
_FORGET = "DELETE FROM audit.exports WHERE ledger = $1 AND id = $2"

# By the clock of the database, which all processes share.
_LOST = "SELECT ledger, id FROM audit.exports WHERE seen_at < clock_timestamp() - make_interval(secs => $1)"
_FIND = """
SELECT id, source, name, role, actor_id, ip, user_agent, details, rows, seen_at
FROM audit.exports WHERE ledger = $1 AND id = $2
"""


class PostgresExportNotes:
    """Keeps the promises of `application.lost_exports.ExportNotes`; the projector's pool tells of all ledgers."""

    def __init__(self, pool: Pool, projector_pool: Pool) -> None:
        self._pool = pool
        self._projector_pool = projector_pool

    async def keep(self, note: ExportNote) -> None:
        by, details = note.by, {**note.details}
        rows = details.pop("rows")
        async with bound(self._pool, by.ledger) as connection:
            await connection.execute(
                _KEEP,
                by.ledger,
                note.export_id,
                by.id,
                by.name,
                by.role,
                by.actor_id,
                note.origin.ip,
                note.origin.user_agent,
                orjson.dumps(details).decode(),
                rows,
            )

    async def refresh(self, ledger: Ledger, export_id: str, rows: int) -> None:
        async with bound(self._pool, ledger) as connection:
            await connection.execute(_REFRESH, ledger, export_id, rows)

    async def forget(self, ledger: Ledger, export_id: str) -> None:
        async with bound(self._pool, ledger) as connection:
            await connection.execute(_FORGET, ledger, export_id)

    async def lost(self, seconds: float) -> Sequence[tuple[ExportNote, datetime]]:
        with translated_errors():
            places = await self._projector_pool.fetch(_LOST, seconds)
        found = [await self._find(Ledger(place["ledger"]), place["id"]) for place in places]
        return [one for one in found if one is not None]

    async def _find(self, ledger: Ledger, export_id: str) -> tuple[ExportNote, datetime] | None:
        async with bound(self._pool, ledger, readonly=True) as connection:
            row = await connection.fetchrow(_FIND, ledger, export_id)
        return None if row is None else (_note(ledger, row), row["seen_at"])


def _note(ledger: Ledger, row: asyncpg.Record) -> ExportNote:
    by = Credential(
        ledger, row["source"], row["name"], Role(row["role"]), frozenset(), row["actor_id"], created_at=row["seen_at"]
    )
    details = {**orjson.loads(row["details"]), "rows": row["rows"]}
    return ExportNote(str(row["id"]), by, Origin(row["ip"], row["user_agent"]), details)
