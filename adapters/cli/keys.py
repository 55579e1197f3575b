"""`certinext-audit keys`: the API keys of a ledger."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table

from adapters.bootstrap import Trail
from adapters.cli.on_trail import with_trail
from adapters.cli.output import complain, console, print_json, say
from adapters.cli.signing_keys import list_signing_keys
from application.credentials import InvalidCredential
from domain.credential import Credential
from domain.values import JsonObject, rfc3339
from domain.words import Module, Role

_LIFE = re.compile(r"(\d{1,6})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}

keys = App(name="keys", help="Create, list and revoke API keys; list the public keys of checkpoints.")
keys.command(list_signing_keys, name="signing")


@keys.command
def create(
    *,
    name: str,
    role: Role,
    modules: Annotated[list[Module] | None, Parameter(consume_multiple=True)] = None,
    actor: str | None = None,
    expires_in: str | None = None,
    ledger: str | None = None,
    json: bool = False,
) -> int:
    """Create an API key. It is shown once, and kept only as a hash.

    Parameters
    ----------
    name
        Who or what will use it.
    role
        module appends; user reads its own events; auditor reads; operator runs the service.
    modules
        The modules that a key of role module may report for; all of them if left out.
    actor
        The actor id of a key of role user.
    expires_in
        How long it lives, as 90d, 12h or 30m; for ever if left out.
    ledger
        The ledger that it belongs to; that of CERTINEXT_AUDIT_LEDGER if left out.
    """
    life = _life(expires_in)

    async def work(trail: Trail, caller: Credential) -> tuple[Credential, str]:
        return await trail.create_credential.create(
            caller, name, role, modules=frozenset(modules or ()), actor_id=actor, lives_for=life
        )

    credential, key = with_trail(ledger, work)
    if json:
        print_json(_as_json(credential) | {"key": key})
    else:
        say(f"id   {credential.id}\nkey  {key}\n\nKeep the key now: it is not shown again.")
    return 0


@keys.command(name="list")
def list_keys(*, ledger: str | None = None, json: bool = False) -> int:
    """List the API keys of a ledger, expired and revoked ones among them."""

    async def work(trail: Trail, caller: Credential) -> list[Credential]:
        return list(await trail.credentials.all(caller.ledger))

    found = with_trail(ledger, work)
    if json:
        for credential in found:
            print_json(_as_json(credential))
        return 0
    table = Table("id", "name", "role", "modules or actor", "created", "state", box=None)
    for credential in found:
        bound = ", ".join(sorted(credential.modules)) or credential.actor_id or ""
        table.add_row(
            credential.id,
            credential.name,
            credential.role,
            bound,
            rfc3339(credential.created_at),
            _state(credential),
        )
    console.print(table)
    return 0


@keys.command
def revoke(key_id: str, /, *, ledger: str | None = None, json: bool = False) -> int:
    """Revoke an API key, by its id. Exits with 1 if there is none of that id that is still valid."""

    async def work(trail: Trail, caller: Credential) -> bool:
        return await trail.revoke_credential.revoke(caller, key_id)

    revoked = with_trail(ledger, work)
    if json:
        print_json({"id": key_id, "revoked": revoked})
    elif revoked:
        say(f"{key_id} is revoked.")
    else:
        complain(f"there is no valid key with the id {key_id}")
    return 0 if revoked else 1


def _life(text: str | None) -> timedelta | None:
    if text is None:
        return None
    parts = _LIFE.fullmatch(text)
    if parts is None:
        raise InvalidCredential(f"expires-in: {text!r} must be a number of days, hours or minutes, as 90d, 12h or 30m")
    return timedelta(**{_UNITS[parts[2]]: int(parts[1])})


def _state(credential: Credential) -> str:
    if credential.revoked_at is not None:
        return f"revoked {rfc3339(credential.revoked_at)}"
    if not credential.lives(datetime.now(UTC)):
        return "expired"
    return "valid" if credential.expires_at is None else f"valid until {rfc3339(credential.expires_at)}"


def _as_json(credential: Credential) -> JsonObject:
    return {
        "id": credential.id,
        "ledger": credential.ledger,
        "name": credential.name,
        "role": credential.role,
        "modules": [*sorted(credential.modules)],
        "actor_id": credential.actor_id,
        "created_at": rfc3339(credential.created_at),
        "expires_at": rfc3339(credential.expires_at) if credential.expires_at else None,
        "revoked_at": rfc3339(credential.revoked_at) if credential.revoked_at else None,
    }
