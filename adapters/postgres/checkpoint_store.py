"""Checkpoints, signing keys and the signer's alarms on PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.checkpoint import SignedCheckpoint, UsedKey
from domain.signed_note import VerifierKey
from domain.words import Ledger
from projections import checkpoints
from projections.database import Pool, bound, translated_errors

_ADD_KEY = """
INSERT INTO audit.signing_keys (ledger, name, key_id, public_key, first_used_at)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
"""

_ADD = """
INSERT INTO audit.checkpoints (ledger, size, previous_size, note, key_name, key_id, signed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
RETURNING size
"""

_RAISE_ALARM = """
INSERT INTO audit.signing_alarms AS alarm (ledger, reason, raised_at) VALUES ($1, $2, $3)
ON CONFLICT (ledger) DO UPDATE SET reason = EXCLUDED.reason WHERE alarm.reason <> EXCLUDED.reason
"""


@dataclass(frozen=True)
class PostgresCheckpointStore:
    """Keeps the promises of `application.ports.CheckpointStore`."""

    writer: Pool
    reader: Pool
    """The appends' connections are not for those who ask for keys, who may be anybody."""
    projector: Pool

    async def latest(self, ledger: Ledger) -> SignedCheckpoint | None:
        async with bound(self.reader, ledger, readonly=True) as connection:
            return await checkpoints.latest(connection, ledger)

    async def add(self, ledger: Ledger, signed: SignedCheckpoint, key: VerifierKey, previous_size: int) -> bool:
        async with bound(self.writer, ledger) as connection:
            added = await connection.fetchval(
                _ADD, ledger, signed.size, previous_size, signed.note, key.name, key.key_id, signed.signed_at
            )
            if added is not None:
                await connection.execute(_ADD_KEY, ledger, key.name, key.key_id, key.public_key, signed.signed_at)
        return added is not None

    async def keys(self, ledger: Ledger) -> Sequence[UsedKey]:
        async with bound(self.reader, ledger, readonly=True) as connection:
            return await checkpoints.keys(connection, ledger)

    async def raise_alarm(self, ledger: Ledger, reason: str, at: datetime) -> None:
        async with bound(self.writer, ledger) as connection:
            await connection.execute(_RAISE_ALARM, ledger, reason, at)

    async def end_alarm(self, ledger: Ledger) -> None:
        async with bound(self.writer, ledger) as connection:
            await connection.execute("DELETE FROM audit.signing_alarms WHERE ledger = $1", ledger)

    async def alarms(self) -> int:
        with translated_errors():
            count: int = await self.projector.fetchval("SELECT count(*) FROM audit.signing_alarms")
        return count
