"""`certinext-audit signing-keys`: the keys that sign checkpoints."""

from cyclopts import App
from rich.table import Column, Table

from adapters.bootstrap import Trail
from adapters.cli.on_trail import with_trail
from adapters.cli.output import console, print_json, say
from domain.credential import Credential
from domain.values import JsonObject

signing_keys = App(name="signing-keys", help="List and rotate the keys that sign checkpoints.")


@signing_keys.command(name="list")
def list_signing_keys(*, ledger: str | None = None, json: bool = False) -> int:
    """List the public keys of a ledger's checkpoints, those that were replaced among them; the current one is last.

    Parameters
    ----------
    ledger
        The ledger whose checkpoints they sign; that of CERTINEXT_AUDIT_LEDGER if left out.
    """

    async def work(trail: Trail, caller: Credential) -> list[JsonObject]:
        return await trail.services.signer.known_keys(caller.ledger)

    found = with_trail(ledger, work)
    if json:
        for key in found:
            print_json(key)
        return 0
    # To be of use, a verifier key must be there whole, however narrow the terminal is.
    table = Table(Column("verifier key", no_wrap=True, overflow="ignore"), "first used", "last used", box=None)
    for key in found:
        table.add_row(*(str(key[name] or "not yet") for name in ("verifier_key", "first_used_at", "last_used_at")))
    console.print(table, soft_wrap=True)
    return 0


@signing_keys.command
def rotate(*, ledger: str | None = None, json: bool = False) -> int:
    """Sign with a new key from now on. Services that run take it up by themselves; old checkpoints stay verifiable.

    Parameters
    ----------
    ledger
        The ledger that records the rotation; that of CERTINEXT_AUDIT_LEDGER if left out. The key is that of all.
    """

    async def work(trail: Trail, caller: Credential) -> JsonObject:
        return await trail.rotate_signing_key.rotate(caller)

    rotated = with_trail(ledger, work)
    if json:
        print_json(rotated)
    else:
        say(f"Checkpoints are signed with {rotated['public_key']} from now on.")
    return 0
