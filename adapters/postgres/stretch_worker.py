"""What a process does that checks stretches, with a connection of its own.

It reads no module that it can do without: on a small ledger, starting it is most of the work.
"""

import asyncio
import gc

import asyncpg

from adapters.postgres.roles import PROJECTOR, settings_of
from adapters.postgres.stretch_reader import StretchTask, check_stretch
from domain.errors import StoreUnavailable
from domain.stretch import Stretch
from projections.database import Pool, translated_errors

_SECONDS = 60
"""How long the database may take to answer."""


class _Session:
    """The process's event loop and connection, for as long as it lives."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self._pool: Pool | None = None
        """Never closed but by the end of the process, which only ever reads."""

    def check(self, task: StretchTask) -> Stretch:
        return self._runner.run(self._check(task))

    async def _check(self, task: StretchTask) -> Stretch:
        if self._pool is None:
            with translated_errors():
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=1,
                    max_size=1,
                    timeout=_SECONDS,
                    command_timeout=_SECONDS,
                    server_settings=settings_of(PROJECTOR),
                )
        return await check_stretch(self._pool, task)


_sessions: list[_Session] = []


def begin(url: str) -> None:
    """Make the process ready; called once."""
    gc.freeze()
    _sessions.append(_Session(url))


def check(task: StretchTask) -> Stretch:
    """Raises StoreUnavailable, of a kind that can be sent to another process."""
    try:
        return _sessions[0].check(task)
    except StoreUnavailable as error:
        raise StoreUnavailable(str(error)) from None
