"""The hash chain of a ledger: each link covers all events up to its own."""

from hashlib import sha256

from domain.words import Ledger


def genesis(ledger: Ledger) -> bytes:
    """The chain hash before the first event, which binds the chain to its ledger's name."""
    return sha256(b"certinext-audit/chain/v1\n" + ledger.encode()).digest()


def chain_hash(previous: bytes, leaf: bytes) -> bytes:
    """SHA-256(0x02 || previous || leaf): 32 bytes."""
    return sha256(b"\x02" + previous + leaf).digest()
