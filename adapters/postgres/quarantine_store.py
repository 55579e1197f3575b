"""The quarantine on PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import asyncpg
import orjson

from domain.errors import FieldError
from domain.quarantined import Quarantined, QuarantineFilter, Reason
from domain.words import Ledger, Position, QuarantineState, Refusal
from projections.database import Pool, bound, translated_errors

_COLUMNS = (
    "ledger, id, source, sha256, size, truncated, reason, received_at, last_received_at, count, retried_at, position"
)

# One look into the index for each row, however many are known. Whether there is room is asked only for what is new, so
# a sender in a loop costs no more. The order of digests keeps two transactions from waiting for each other's rows.
_KEEP = """
WITH looked_up AS (
    SELECT sent.*, (
        SELECT true FROM audit.quarantine AS known
        WHERE known.ledger = $1 AND known.source = $2 AND known.sha256 = sent.sha256
    ) AS is_known
    FROM unnest($3::uuid[], $4::bytea[], $5::bytea[], $6::bigint[], $7::boolean[], $8::text[], $9::text[],
            $10::timestamptz[], $11::timestamptz[], $12::bigint[]) WITH ORDINALITY
        AS sent (id, sha256, body, size, truncated, kind, reason, received_at, last_received_at, count, number)
), numbered AS (
    SELECT *, count(*) FILTER (WHERE is_known IS NULL) OVER (ORDER BY number) AS how_many_new FROM looked_up
)
INSERT INTO audit.quarantine AS kept
    (ledger, id, source, sha256, body, size, truncated, kind, reason, received_at, last_received_at, count)
SELECT $1, id, $2, sha256, body, size, truncated, kind, reason::json, received_at, last_received_at, count
FROM numbered
WHERE is_known OR how_many_new <= $13 - (SELECT count(*) FROM audit.quarantine WHERE ledger = $1)
ORDER BY sha256
ON CONFLICT ON CONSTRAINT quarantine_once DO UPDATE SET
    count = kept.count + excluded.count,
    last_received_at = greatest(kept.last_received_at, excluded.last_received_at)
RETURNING sha256, id
"""

_PAGE = f"""
SELECT {_COLUMNS} FROM audit.quarantine
WHERE ledger = $1
    AND ($2::uuid IS NULL OR id < $2)
    AND ($3::text[] IS NULL OR source = ANY($3))
    AND ($4::text[] IS NULL OR kind = ANY($4))
    AND ($5::timestamptz IS NULL OR received_at >= $5)
    AND ($6::timestamptz IS NULL OR received_at < $6)
    AND {{state}}
ORDER BY id DESC
LIMIT $7
"""

_STATES = {
    None: "true",
    QuarantineState.WAITING: "retried_at IS NULL",
    QuarantineState.RETRIED: "retried_at IS NOT NULL",
}

_RETRIED = """
UPDATE audit.quarantine SET retried_at = $3, position = $4 WHERE ledger = $1 AND id = $2 AND retried_at IS NULL
"""


class PostgresQuarantineStore:
    """Keeps the promises of `application.ports.QuarantineStore`; the projector's pool counts over all ledgers."""

    def __init__(self, pool: Pool, projector_pool: Pool) -> None:
        self._pool = pool
        self._projector_pool = projector_pool

    async def keep(
        self, ledger: Ledger, source: str, refused: Sequence[tuple[Quarantined, bytes]], most: int
    ) -> list[str | None]:
        if not refused:
            return []
        different: dict[bytes, tuple[Quarantined, bytes]] = {}
        for quarantined, body in refused:
            first, _ = different.get(quarantined.sha256, (None, body))
            different[quarantined.sha256] = (_together(first, quarantined), body)
        columns = zip(*(_row(quarantined, body) for quarantined, body in different.values()), strict=True)
        async with bound(self._pool, ledger) as connection:
            rows = await connection.fetch(_KEEP, ledger, source, *columns, most)
        ids = {row["sha256"]: str(row["id"]) for row in rows}
        return [ids.get(quarantined.sha256) for quarantined, _ in refused]

    async def find(self, ledger: Ledger, quarantined_id: str) -> tuple[Quarantined, bytes] | None:
        async with bound(self._pool, ledger) as connection:
            row = await connection.fetchrow(
                f"SELECT {_COLUMNS}, body FROM audit.quarantine WHERE ledger = $1 AND id = $2", ledger, quarantined_id
            )
        return None if row is None else (_quarantined(row), row["body"])

    async def page(
        self, ledger: Ledger, wanted: QuarantineFilter, before: str | None, limit: int
    ) -> Sequence[Quarantined]:
        async with bound(self._pool, ledger) as connection:
            rows = await connection.fetch(
                _PAGE.format(state=_STATES[wanted.state]),
                ledger,
                before,
                wanted.source or None,
                wanted.kind or None,
                wanted.from_,
                wanted.to,
                limit,
            )
        return [_quarantined(row) for row in rows]

    async def retried(self, ledger: Ledger, quarantined_id: str, at: datetime, position: Position) -> None:
        async with bound(self._pool, ledger) as connection:
            await connection.execute(_RETRIED, ledger, quarantined_id, at, position)

    async def waiting_in(self, ledger: Ledger) -> int:
        async with bound(self._pool, ledger, readonly=True) as connection:
            count: int = await connection.fetchval(
                "SELECT count(*) FROM audit.quarantine WHERE ledger = $1 AND retried_at IS NULL", ledger
            )
        return count

    async def waiting(self) -> int:
        with translated_errors():
            count: int = await self._projector_pool.fetchval(
                "SELECT count(*) FROM audit.quarantine WHERE retried_at IS NULL"
            )
        return count


def _together(first: Quarantined | None, again: Quarantined) -> Quarantined:
    """The first of the same bytes, counted with the next: a statement may touch a row once only."""
    if first is None:
        return again
    return replace(first, count=first.count + again.count, last_received_at=again.last_received_at)


def _row(quarantined: Quarantined, body: bytes) -> tuple[object, ...]:
    return (
        quarantined.id,
        quarantined.sha256,
        body,
        quarantined.size,
        quarantined.truncated,
        quarantined.reason.kind,
        orjson.dumps(quarantined.reason.as_json()).decode(),
        quarantined.received_at,
        quarantined.last_received_at,
        quarantined.count,
    )


def _quarantined(row: asyncpg.Record) -> Quarantined:
    reason = orjson.loads(row["reason"])
    return Quarantined(
        Ledger(row["ledger"]),
        str(row["id"]),
        row["source"],
        row["sha256"],
        row["size"],
        row["truncated"],
        Reason(
            Refusal(reason["kind"]),
            reason["title"],
            reason["detail"],
            tuple(FieldError(error["pointer"], error["detail"]) for error in reason["errors"]),
        ),
        row["received_at"],
        row["last_received_at"],
        row["count"],
        row["retried_at"],
        None if row["position"] is None else Position(row["position"]),
    )
