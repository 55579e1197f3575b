"""Hashes of the Merkle tree over a ledger's records, as RFC 6962 defines them."""

from hashlib import sha256


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data): 32 bytes (RFC 6962, section 2.1)."""
    return sha256(b"\x00" + data).digest()
