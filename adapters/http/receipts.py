"""Receipts as JSON."""

from typing import Annotated

from pydantic import BaseModel, Field

from domain.receipt import Receipt
from domain.values import JsonObject, Sha256, Timestamp, rfc3339


class ReceiptBody(BaseModel):
    """The proof that a command became an event, given only once that is durable."""

    event_id: Annotated[str, Field(description="A UUID of version 7.")]
    ledger: str
    position: Annotated[int, Field(description="The event's number in its ledger, from 1.")]
    recorded_at: Timestamp
    leaf_hash: Annotated[Sha256, Field(description="SHA-256(0x00 || record), as RFC 6962.")]
    chain_hash: Annotated[Sha256, Field(description="SHA-256(0x02 || chain hash before || leaf hash).")]
    duplicate: Annotated[bool, Field(description="Whether the command had been recorded before.")]


def receipt_body(receipt: Receipt) -> JsonObject:
    return {
        "event_id": receipt.event_id,
        "ledger": receipt.ledger,
        "position": receipt.position,
        "recorded_at": rfc3339(receipt.recorded_at),
        "leaf_hash": receipt.leaf_hash.hex(),
        "chain_hash": receipt.chain_hash.hex(),
        "duplicate": receipt.duplicate,
    }
