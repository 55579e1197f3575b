"""Reading signed checkpoints and the keys that signed them; the transaction is bound to the ledger."""

from collections.abc import Sequence

from domain.checkpoint import SignedCheckpoint, UsedKey
from domain.signed_note import VerifierKey
from domain.words import Ledger
from projections.database import Connection

_SELECT = "SELECT size, note, signed_at FROM audit.checkpoints WHERE ledger = $1"

_NEIGHBOURS = """
SELECT (SELECT max(size) FROM audit.checkpoints WHERE ledger = $1 AND size < $2) AS below,
    (SELECT min(size) FROM audit.checkpoints WHERE ledger = $1 AND size > $2) AS above
"""

_KEYS = """
SELECT name, public_key, first_used_at, (
    SELECT signed_at FROM audit.checkpoints AS signed
    WHERE signed.ledger = key.ledger AND signed.key_name = key.name AND signed.key_id = key.key_id
    ORDER BY size DESC LIMIT 1
) AS last_used_at
FROM audit.signing_keys AS key WHERE ledger = $1 ORDER BY first_used_at, name, public_key
"""


async def latest(connection: Connection, ledger: Ledger) -> SignedCheckpoint | None:
    """The largest."""
    row = await connection.fetchrow(f"{_SELECT} ORDER BY size DESC LIMIT 1", ledger)
    return None if row is None else SignedCheckpoint(*row)


async def of_size(connection: Connection, ledger: Ledger, size: int) -> SignedCheckpoint | None:
    row = await connection.fetchrow(f"{_SELECT} AND size = $2", ledger, size)
    return None if row is None else SignedCheckpoint(*row)


async def neighbours(connection: Connection, ledger: Ledger, size: int) -> Sequence[int]:
    """The sizes signed next below and next above a size, as far as there are any."""
    row = await connection.fetchrow(_NEIGHBOURS, ledger, size)
    return [found for found in row or () if found is not None]


async def keys(connection: Connection, ledger: Ledger) -> list[UsedKey]:
    """Those that have signed, in the order of their first use."""
    rows = await connection.fetch(_KEYS, ledger)
    return [
        UsedKey(VerifierKey(row["name"], row["public_key"]), row["first_used_at"], row["last_used_at"]) for row in rows
    ]
