"""The ledgers as projectors read them: what tells of events, without the hashes that link them."""

from collections.abc import Sequence
from typing import NamedTuple

from adapters.postgres import ledger_rows
from domain.ledger import Recorded
from domain.words import Ledger, Position
from projections.database import Pool, bound


class _Recorded(NamedTuple):
    """In the order of the columns that are asked for."""

    position: Position
    originator_id: str
    originator_version: int
    topic: str
    record: bytes
    personal: bytes | None


_READ = ledger_rows.reading(_Recorded._fields)


class PostgresLedgerRecords:
    """Implements `projections.batches.LedgerReader`, in half of the time that it takes to read whole rows."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(self, ledger: Ledger, after: Position, limit: int) -> Sequence[Recorded]:
        async with bound(self._pool, ledger, readonly=True) as connection:
            rows = await connection.fetch(_READ, ledger, after, limit, ledger_rows.MOST_READ_BYTES)
        return [_Recorded._make(row) for row in rows]
