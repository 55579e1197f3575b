"""Giving out, checking and ending credentials."""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from application.ports import Clock, CredentialStore
from application.self_audit import CONSOLE, SelfAudit
from domain.credential import Credential
from domain.errors import AuditError
from domain.words import Ledger, Module, Role

_KEY = re.compile(r"cna_([a-z0-9-]{1,63})_([a-z0-9-]{1,100})_([0-9a-f]{64})")
_LEDGER = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_KEPT_FOR = timedelta(seconds=5)
_MOST_KEPT = 10_000


class SignInRefusal(StrEnum):
    """Why somebody is not let in."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"


class NotAuthenticated(AuditError):
    """Nobody whom we know."""

    def __init__(self, refusal: SignInRefusal, message: str, credential: Credential | None = None) -> None:
        """`credential` is the one whose key was right once."""
        super().__init__(message)
        self.refusal = refusal
        self.credential = credential


class InvalidCredential(AuditError):
    """A credential that cannot be made as asked for."""


@dataclass(frozen=True)
class CreateCredential:
    """Makes a credential with a fresh key, which is shown once and kept only as a hash."""

    store: CredentialStore
    self_audit: SelfAudit
    clock: Clock
    random_hex: Callable[[int], str]

    async def create(
        self,
        by: Credential,
        name: str,
        role: Role,
        *,
        modules: frozenset[Module] = frozenset(),
        actor_id: str | None = None,
        lives_for: timedelta | None = None,
    ) -> tuple[Credential, str]:
        """The credential and its key, `cna_<ledger>_<id>_<secret>`.

        Its making is recorded first, so that none exists without a trace. Raises InvalidCredential if what is
        asked for makes no sense.
        """
        _check(by.ledger, name, role, modules, actor_id)
        if lives_for is not None and lives_for <= timedelta(0):
            raise InvalidCredential("expires-in: must be longer than nothing")
        now = self.clock()
        credential = Credential(
            by.ledger,
            f"{_slug(name)}-{self.random_hex(4)}",
            name,
            role,
            modules or (frozenset(Module) if role is Role.MODULE else frozenset()),
            actor_id,
            now,
            None if lives_for is None else now + lives_for,
        )
        secret = self.random_hex(32)
        await self.self_audit.credential_created(by, credential)
        await self.store.add(credential, _hash(secret))
        return credential, f"cna_{credential.ledger}_{credential.id}_{secret}"


@dataclass(frozen=True)
class RevokeCredential:
    store: CredentialStore
    self_audit: SelfAudit
    clock: Clock

    async def revoke(self, by: Credential, credential_id: str) -> bool:
        """Record the end of a credential's life and end it; False if there is none of that id that lives.

        Recorded first, so that none ends without a trace.
        """
        found = await self.store.find(by.ledger, credential_id)
        if found is None or not found[0].lives(self.clock()):
            return False
        await self.self_audit.credential_revoked(by, credential_id)
        return await self.store.revoke(by.ledger, credential_id, self.clock())


class Authenticate:
    """Knows callers by their keys.

    Owns a short memory of keys that were right, so that the database is not asked for each request: a revoked
    key ends within five seconds at most, and at once where `forget` is called.
    """

    def __init__(self, store: CredentialStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[object, tuple[Credential, datetime]] = {}

    async def authenticate(self, key: str) -> Credential:
        """The credential of a key. Raises NotAuthenticated with a reason that gives nothing away."""
        return await self._living(_hash(key), self._look_up(key))

    async def of_session(self, ledger: Ledger, credential_id: str) -> Credential:
        """The credential that a session began with. Raises NotAuthenticated if it lives no more."""
        return await self._living((ledger, credential_id), self._find(ledger, credential_id))

    async def _living(self, known_as: object, look_up: Coroutine[Any, Any, Credential]) -> Credential:
        now = self._clock()
        kept = self._known.get(known_as)
        if kept is None or kept[1] < now:
            kept = (await look_up, now + _KEPT_FOR)
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[known_as] = kept
        else:
            look_up.close()
        self._check_lives(kept[0], now)
        return kept[0]

    async def check_again(self, credential: Credential) -> None:
        """Ask the database whether a credential that was good still is. Raises NotAuthenticated if it has ended."""
        found = await self._store.find(credential.ledger, credential.id)
        if found is None:
            raise NotAuthenticated(SignInRefusal.UNKNOWN, "the API key is unknown")
        self._check_lives(found[0], self._clock())

    def forget(self) -> None:
        """Ask the database again about every key: a credential has changed."""
        self._known.clear()

    def _check_lives(self, credential: Credential, now: datetime) -> None:
        if credential.revoked_at is not None:
            raise NotAuthenticated(SignInRefusal.REVOKED, "the API key was revoked", credential)
        if not credential.lives(now):
            raise NotAuthenticated(SignInRefusal.EXPIRED, "the API key has expired", credential)

    async def _look_up(self, key: str) -> Credential:
        parts = _KEY.fullmatch(key)
        found = await self._store.find(Ledger(parts[1]), parts[2]) if parts else None
        if parts is None or found is None or not compare_digest(found[1], _hash(parts[3])):
            raise NotAuthenticated(SignInRefusal.UNKNOWN, "the API key is unknown")
        return found[0]

    async def _find(self, ledger: Ledger, credential_id: str) -> Credential:
        found = await self._store.find(ledger, credential_id)
        if found is None:
            raise NotAuthenticated(SignInRefusal.UNKNOWN, "the session is unknown: sign in again")
        return found[0]


def console(ledger: Ledger, now: datetime, name: str) -> Credential:
    """The caller at the command line of the service's own machine, called by the account's name."""
    return Credential(ledger, CONSOLE, name, Role.OPERATOR, frozenset(), None, now)


def checked_ledger(name: str) -> Ledger:
    """Raises InvalidCredential if it is not a ledger's name."""
    if not _LEDGER.fullmatch(name):
        raise InvalidCredential(f"ledger: {name!r} must be of a-z, 0-9 and hyphens, at most 63, as `default`")
    return Ledger(name)


def _check(ledger: Ledger, name: str, role: Role, modules: frozenset[Module], actor_id: str | None) -> None:
    checked_ledger(ledger)
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise InvalidCredential("name: must be a printable text of 1 to 100 characters")
    if modules and role is not Role.MODULE:
        raise InvalidCredential("modules: only a credential of role `module` is bound to modules")
    if actor_id is not None and not 1 <= len(actor_id) <= 256:
        raise InvalidCredential("actor: must be an actor's id of 1 to 256 characters")
    if (actor_id is not None) != (role is Role.USER):
        raise InvalidCredential("actor: names the actor of a credential of role `user`, and of no other")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "key"


def _hash(text: str) -> bytes:
    """Enough for a key of 256 random bits, which nobody can guess offline."""
    return sha256(text.encode()).digest()
