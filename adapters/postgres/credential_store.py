"""Credentials on PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from domain.credential import Credential
from domain.words import Ledger, Module, Role
from projections.database import Pool, bound

CHANGED = "certinext_audit_credentials"
"""The channel on which every process is told that a credential has changed."""

_COLUMNS = "ledger, id, name, role, modules, actor_id, created_at, expires_at, revoked_at"

_ADD = f"INSERT INTO audit.credentials ({_COLUMNS}, key_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"

_REVOKE = """
UPDATE audit.credentials SET revoked_at = $3
WHERE ledger = $1 AND id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)
RETURNING id
"""


class PostgresCredentialStore:
    """Keeps the promises of `application.ports.CredentialStore`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, credential: Credential, key_hash: bytes) -> None:
        async with bound(self._pool, credential.ledger) as connection:
            await connection.execute(
                _ADD,
                credential.ledger,
                credential.id,
                credential.name,
                credential.role,
                sorted(credential.modules),
                credential.actor_id,
                credential.created_at,
                credential.expires_at,
                credential.revoked_at,
                key_hash,
            )

    async def find(self, ledger: Ledger, credential_id: str) -> tuple[Credential, bytes] | None:
        async with bound(self._pool, ledger) as connection:
            row = await connection.fetchrow(
                f"SELECT {_COLUMNS}, key_hash FROM audit.credentials WHERE ledger = $1 AND id = $2",
                ledger,
                credential_id,
            )
        return None if row is None else (_credential(row), row["key_hash"])

    async def all(self, ledger: Ledger) -> Sequence[Credential]:
        async with bound(self._pool, ledger) as connection:
            rows = await connection.fetch(
                f"SELECT {_COLUMNS} FROM audit.credentials WHERE ledger = $1 ORDER BY created_at, id", ledger
            )
        return [_credential(row) for row in rows]

    async def revoke(self, ledger: Ledger, credential_id: str, at: datetime) -> bool:
        async with bound(self._pool, ledger) as connection:
            revoked = await connection.fetchval(_REVOKE, ledger, credential_id, at)
            await connection.execute(f"NOTIFY {CHANGED}")
        return revoked is not None


def _credential(row: asyncpg.Record) -> Credential:
    return Credential(
        Ledger(row["ledger"]),
        row["id"],
        row["name"],
        Role(row["role"]),
        frozenset(map(Module, row["modules"])),
        row["actor_id"],
        row["created_at"],
        row["expires_at"],
        row["revoked_at"],
    )
