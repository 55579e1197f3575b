"""Sessions of people: what a browser keeps in a cookie instead of the key itself.

A token names a credential and an end, and is signed; nothing is stored. It is worth what the credential is worth: one
that is revoked or has expired ends its sessions too.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from application.credentials import Authenticate, NotAuthenticated, SignInRefusal
from application.ports import Clock
from domain import canonical
from domain.credential import Credential
from domain.values import parse_rfc3339, rfc3339
from domain.words import Ledger

SESSION_LIFE = timedelta(hours=12)

_CLAIM: TypeAdapter[tuple[str, str, str]] = TypeAdapter(tuple[str, str, str])
"""Ledger, credential and end."""


@dataclass(frozen=True)
class Sessions:
    """Gives out tokens and knows callers by them; all processes of the service share the key."""

    key: bytes = field(repr=False)
    authenticate: Authenticate
    clock: Clock

    def begin(self, caller: Credential) -> tuple[str, datetime]:
        """A token for a caller who has shown a key, and when it ends: with the credential at the latest."""
        end = self.clock() + SESSION_LIFE
        if caller.expires_at is not None:
            end = min(end, caller.expires_at)
        claim = canonical.encode([caller.ledger, caller.id, rfc3339(end)])
        return urlsafe_b64encode(self._signature(claim) + claim).decode(), end

    async def caller(self, token: str) -> Credential:
        """The credential of a session. Raises NotAuthenticated if the token is not ours or has ended."""
        ledger, credential_id, end = self._claim(token)
        if parse_rfc3339(end) <= self.clock():
            raise NotAuthenticated(SignInRefusal.EXPIRED, "the session has ended: sign in again")
        return await self.authenticate.of_session(Ledger(ledger), credential_id)

    def _claim(self, token: str) -> tuple[str, str, str]:
        try:
            data = urlsafe_b64decode(token.encode())
            signature, claim = data[:32], data[32:]
            if hmac.compare_digest(signature, self._signature(claim)):
                return _CLAIM.validate_json(claim)
        except ValueError:  # Of base64, of UTF-8 or, for a claim of another version, of pydantic.
            pass
        raise NotAuthenticated(SignInRefusal.UNKNOWN, "the session is unknown: sign in again")

    def _signature(self, claim: bytes) -> bytes:
        return hmac.digest(self.key, claim, "sha256")
