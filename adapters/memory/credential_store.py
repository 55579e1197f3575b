"""The credentials in memory: a fake of the port, for tests of what stands on it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.credential import Credential
from domain.words import Ledger


class MemoryCredentialStore:
    """Keeps the promises of `application.ports.CredentialStore`."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Ledger, str], tuple[Credential, bytes]] = {}

    async def add(self, credential: Credential, key_hash: bytes) -> None:
        self._kept[credential.ledger, credential.id] = (credential, key_hash)

    async def find(self, ledger: Ledger, credential_id: str) -> tuple[Credential, bytes] | None:
        return self._kept.get((ledger, credential_id))

    async def all(self, ledger: Ledger) -> Sequence[Credential]:
        mine = [credential for credential, _ in self._kept.values() if credential.ledger == ledger]
        return sorted(mine, key=lambda credential: credential.created_at)

    async def revoke(self, ledger: Ledger, credential_id: str, at: datetime) -> bool:
        found = self._kept.get((ledger, credential_id))
        if found is None or not found[0].lives(at):
            return False
        credential, key_hash = found
        self._kept[ledger, credential_id] = (replace(credential, revoked_at=at), key_hash)
        return True
