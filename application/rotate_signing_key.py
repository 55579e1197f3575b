"""Replacing the key that signs checkpoints."""

import asyncio
from dataclasses import dataclass

from application.ports import SigningKeys
from application.self_audit import SelfAudit
from domain.credential import Credential
from domain.values import JsonObject


@dataclass(frozen=True)
class RotateSigningKey:
    keys: SigningKeys
    self_audit: SelfAudit

    async def rotate(self, by: Credential) -> JsonObject:
        """Make a new key, with which services that run sign from now on, and record that.

        The new public key and the one before, in hexadecimal. Raises NoSigningKey, AuditError if the key is given by
        the operator, and StoreUnavailable if the rotation, which then has happened, cannot be recorded.
        """
        before = (await asyncio.to_thread(self.keys.present)).public_key
        after = (await asyncio.to_thread(self.keys.rotate)).public_key
        await self.self_audit.signing_key_rotated(by, after, before)
        return {"public_key": after.hex(), "previous_public_key": before.hex()}
