"""Commands that take their time, and show how far they are."""

import asyncio
from datetime import UTC, date, datetime, timedelta

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters import bootstrap
from adapters.bootstrap import Trail
from adapters.cli.output import console, say
from adapters.cli.running import account, until
from adapters.demo import player
from adapters.demo.estate import commands
from adapters.demo.lines import curl_lines
from adapters.settings import Settings
from application.credentials import InvalidCredential, checked_ledger
from application.credentials import console as console_caller
from domain.credential import Credential
from domain.errors import AuditError
from domain.words import Module, Role

_DEMO = "demo"
_DEMO_KEY_LIFE = timedelta(days=30)


async def rebuild_projection(url: str, configured: Settings, name: str, *, show_progress: bool) -> int:
    """Rebuild a projection and record that; how many events it was made from."""
    known = {projection.name: projection for projection in bootstrap.PROJECTIONS}
    if name not in known:
        raise InvalidCredential(f"there is no projection {name!r}; there are {', '.join(known)}")
    async with bootstrap.trail(url, configured) as trail:
        known = {projection.name: projection for projection in trail.projections}
        with progress_bar(hidden=not show_progress) as bar:
            task = bar.add_task(f"Rebuilding {name}", total=None)
            events = await trail.rebuild(known[name]).run(
                lambda done, total: bar.update(task, completed=done, total=total)
            )
        await trail.self_audit.projection_rebuilt(_caller(configured), name, events)
    return events


async def play_estate(url: str, configured: Settings, *, live: bool) -> None:
    """Serve, load the demonstration's ninety days through HTTP, say what to try, and go on until told to stop."""
    stop = bootstrap.stop_signal()
    async with bootstrap.server(url, configured) as (trail, address):
        caller = _caller(configured)
        await _refuse_a_ledger_in_use(trail, caller)
        end = await _end_of_estate(trail, caller)
        senders = {module: await _demo_key(trail, caller, Role.MODULE, module) for module in Module}
        history = await asyncio.to_thread(commands, end)
        with progress_bar(hidden=False) as bar:
            task = bar.add_task("Ninety days of CertiNext", total=len(history))
            await player.load(address, senders, history, lambda count: bar.advance(task, count))
        _invite(address, await _demo_key(trail, caller, Role.AUDITOR))
        if live:
            say("Live traffic goes on until Ctrl-C.")
            await until(stop, player.live(address, senders))


class LedgerInUse(AuditError):
    """A ledger of somebody's own, in which the demonstration would stay for ever."""


async def _refuse_a_ledger_in_use(trail: Trail, caller: Credential) -> None:
    names = [key.name for key in await trail.credentials.all(caller.ledger)]
    if names and not any(name.startswith(_DEMO) for name in names):
        raise LedgerInUse(
            f"The ledger {caller.ledger} is in use, and the demonstration would add 25,000 invented events to it "
            "that nobody can remove: set CERTINEXT_AUDIT_LEDGER to the name of a new one."
        )


async def _end_of_estate(trail: Trail, caller: Credential) -> date:
    """The day of the first demonstration on this data: a later one then repeats it, which adds nothing."""
    created = [key.created_at for key in await trail.credentials.all(caller.ledger) if key.name.startswith(_DEMO)]
    return min(created, default=datetime.now(UTC)).date()


async def _demo_key(trail: Trail, caller: Credential, role: Role, module: Module | None = None) -> str:
    _, key = await trail.create_credential.create(
        caller,
        f"{_DEMO} {module or role}",
        role,
        modules=frozenset([module] if module else ()),
        lives_for=_DEMO_KEY_LIFE,
    )
    return key


def _invite(address: str, key: str) -> None:
    say(f"\nThe audit trail is at {address} (its API: {address}/openapi.json). An auditor's key:\n\nKEY={key}\n")
    for question, line in curl_lines(address):
        say(f"# {question}\n{line}\n")


def _caller(configured: Settings) -> Credential:
    return console_caller(checked_ledger(configured.ledger), datetime.now(UTC), account())


def progress_bar(*, hidden: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=hidden,
        transient=False,
    )
