"""Verifications on PostgreSQL."""

from datetime import datetime

import asyncpg
import orjson

from domain.ledger import Head
from domain.stretch import Border
from domain.verification import Trusted
from domain.verification_run import VerificationKind, VerificationRun
from domain.words import Ledger, Position
from projections.database import Pool, bound, translated_errors

_KEEP = """
INSERT INTO audit.verifications (
    ledger, id, kind, source, whole, started_at, updated_at, stage, done, total, finished_at, verdict, report,
    end_position, end_chain_hash, end_recorded_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::json, $14, $15, $16)
ON CONFLICT ON CONSTRAINT verifications_id DO UPDATE SET
    started_at = excluded.started_at, updated_at = excluded.updated_at, stage = excluded.stage, done = excluded.done,
    total = excluded.total, finished_at = excluded.finished_at, verdict = excluded.verdict, report = excluded.report,
    end_position = excluded.end_position, end_chain_hash = excluded.end_chain_hash,
    end_recorded_at = excluded.end_recorded_at
"""

_SELECT = """
SELECT ledger, id, kind, source, whole, started_at, updated_at, stage, done, total, finished_at, verdict, report
FROM audit.verifications
"""

_FIND = f"{_SELECT} WHERE ledger = $1 AND id = $2"

_LAST = f"{_SELECT} WHERE ledger = $1 ORDER BY started_at DESC LIMIT 1"

_LAST_WHOLE = f"{_SELECT} WHERE ledger = $1 AND whole ORDER BY started_at DESC LIMIT 1"

_LAST_END = """
SELECT verdict, end_position, end_chain_hash, end_recorded_at FROM audit.verifications
WHERE ledger = $1 AND verdict IN ('intact', 'tampered') ORDER BY started_at DESC LIMIT 1
"""

_LAST_STARTED = "SELECT max(started_at) FROM audit.verifications WHERE ledger = $1 AND kind = $2"

_ALARMS = """
SELECT count(DISTINCT bad.ledger) FROM audit.verifications AS bad
WHERE bad.verdict = 'tampered' AND NOT EXISTS (
    SELECT FROM audit.verifications AS good
    WHERE good.ledger = bad.ledger AND good.verdict = 'intact' AND good.whole AND good.started_at > bad.started_at
)
"""

_HEADS = """
SELECT ledger, head.position, head.chain_hash, head.recorded_at
FROM audit.heads AS head FULL JOIN (SELECT DISTINCT ledger FROM audit.verifications) AS verified USING (ledger)
ORDER BY ledger
"""


class PostgresVerificationStore:
    """Keeps the promises of `application.verifying.VerificationStore`; the projector's pool tells of all ledgers."""

    def __init__(self, pool: Pool, projector_pool: Pool) -> None:
        self._pool = pool
        self._projector_pool = projector_pool

    async def keep(self, run: VerificationRun, end: Trusted | None = None) -> None:
        border = end.border if end is not None else None
        async with bound(self._pool, run.ledger) as connection:
            await connection.execute(
                _KEEP,
                run.ledger,
                run.id,
                run.kind,
                run.source,
                run.whole,
                run.started_at,
                run.updated_at,
                run.stage,
                run.done,
                run.total,
                run.finished_at,
                run.verdict,
                None if run.report is None else orjson.dumps(run.report).decode(),
                border and border.position,
                border and border.chain_hash,
                border and border.recorded_at,
            )

    async def find(self, ledger: Ledger, verification_id: str) -> VerificationRun | None:
        return await self._one(ledger, _FIND, verification_id)

    async def last(self, ledger: Ledger) -> VerificationRun | None:
        return await self._one(ledger, _LAST)

    async def last_whole(self, ledger: Ledger) -> VerificationRun | None:
        return await self._one(ledger, _LAST_WHOLE)

    async def _one(self, ledger: Ledger, query: str, *arguments: object) -> VerificationRun | None:
        async with bound(self._pool, ledger, readonly=True) as connection:
            row = await connection.fetchrow(query, ledger, *arguments)
        return None if row is None else _run(row)

    async def last_end(self, ledger: Ledger) -> Trusted | None:
        async with bound(self._pool, ledger, readonly=True) as connection:
            row = await connection.fetchrow(_LAST_END, ledger)
        if row is None or row["end_position"] is None:
            return None
        border = Border(Position(row["end_position"]), row["end_chain_hash"], row["end_recorded_at"])
        return Trusted(border, None)

    async def last_started(self, ledger: Ledger, kind: VerificationKind) -> datetime | None:
        async with bound(self._pool, ledger, readonly=True) as connection:
            started: datetime | None = await connection.fetchval(_LAST_STARTED, ledger, kind)
        return started

    async def alarms(self) -> int:
        with translated_errors():
            count: int = await self._projector_pool.fetchval(_ALARMS)
        return count

    async def heads(self) -> dict[Ledger, Head | None]:
        """Of all ledgers that there are, or that were verified once. Raises StoreUnavailable."""
        with translated_errors():
            rows = await self._projector_pool.fetch(_HEADS)
        return {Ledger(row["ledger"]): _head(row) for row in rows}


def _head(row: asyncpg.Record) -> Head | None:
    if row["position"] is None:
        return None
    return Head(Position(row["position"]), row["chain_hash"], row["recorded_at"])


def _run(row: asyncpg.Record) -> VerificationRun:
    return VerificationRun(
        Ledger(row["ledger"]),
        str(row["id"]),
        VerificationKind(row["kind"]),
        row["source"],
        row["whole"],
        row["started_at"],
        row["updated_at"],
        row["stage"],
        row["done"],
        row["total"],
        row["finished_at"],
        row["verdict"],
        None if row["report"] is None else orjson.loads(row["report"]),
    )
