"""The columns of events, and how they are asked for; the transaction is bound to the ledger."""

COLUMNS = (
    "position",
    "command_id",
    "originator_id",
    "originator_version",
    "topic",
    "recorded_at",
    "record",
    "personal",
    "leaf_hash",
    "chain_hash",
)
"""In the order of `LedgerEvent`. Their ledger is that of the transaction: the writer may name no other."""

SELECT = f"SELECT {', '.join(COLUMNS)} FROM audit.ledger_events WHERE ledger = $1"
