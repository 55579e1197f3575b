"""Commands that take their time, and show how far they are."""

import getpass
from datetime import UTC, datetime

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters import bootstrap
from adapters.cli.output import console
from adapters.settings import Settings
from application.credentials import InvalidCredential, checked_ledger
from application.credentials import console as console_caller


async def rebuild_projection(url: str, configured: Settings, name: str, *, show_progress: bool) -> int:
    """Rebuild a projection and record that; how many events it was made from."""
    known = {projection.name: projection for projection in bootstrap.PROJECTIONS}
    if name not in known:
        raise InvalidCredential(f"there is no projection {name!r}; there are {', '.join(known)}")
    async with bootstrap.trail(url, configured) as trail:
        with progress_bar(hidden=not show_progress) as bar:
            task = bar.add_task(f"Rebuilding {name}", total=None)
            events = await trail.rebuild(known[name]).run(
                lambda done, total: bar.update(task, completed=done, total=total)
            )
        caller = console_caller(checked_ledger(configured.ledger), datetime.now(UTC), getpass.getuser())
        await trail.self_audit.projection_rebuilt(caller, {"projection": name})
    return events


async def play_estate(url: str, configured: Settings, *, live: bool) -> None:
    raise NotImplementedError


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
