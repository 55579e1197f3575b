"""Credentials: who may call the service, in which role, for which ledger."""

from dataclasses import dataclass
from datetime import datetime

from domain.words import Ledger, Module, Role


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential, without its key. Its id is the `source` of the events that it sends."""

    ledger: Ledger
    id: str
    name: str
    role: Role
    modules: frozenset[Module]
    """The modules that a credential of role `module` may report for."""
    actor_id: str | None
    """The actor whose events a credential of role `user` may read."""
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def lives(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def may_append(self, module: Module) -> bool:
        return self.role is Role.MODULE and module in self.modules
