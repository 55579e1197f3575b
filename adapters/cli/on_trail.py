"""Working on one ledger of the trail, without a server."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from adapters import bootstrap
from adapters.bootstrap import Trail
from adapters.cli.running import account, run, settings
from application.credentials import checked_ledger
from application.credentials import console as console_caller
from domain.credential import Credential

T = TypeVar("T")


def with_trail(ledger: str | None, work: Callable[[Trail, Credential], Awaitable[T]]) -> T:
    """The result of work, done as the caller at the console of this ledger, or of that of the settings."""
    configured = settings()
    checked = checked_ledger(ledger or configured.ledger)
    caller = console_caller(checked, datetime.now(UTC), account())

    async def connected(url: str) -> T:
        async with bootstrap.trail(url, configured) as trail:
            return await work(trail, caller)

    with bootstrap.database(configured) as url:
        return run(connected(url))
