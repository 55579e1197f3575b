"""A process that checks stretches, with a connection of its own; it ends with its parent."""

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from contextlib import AsyncExitStack

from adapters.postgres.connections import PROJECTOR, open_pool
from adapters.postgres.stretch_reader import StretchTask, check_stretch
from domain.errors import StoreUnavailable
from domain.stretch import Stretch
from projections.database import Pool


class _Session:
    """The process's event loop and connection, for as long as it lives."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self._open = AsyncExitStack()
        """Never closed but by the end of the process, which only ever reads."""
        self._pool: Pool | None = None

    def check(self, task: StretchTask) -> Stretch:
        return self._runner.run(self._check(task))

    async def _check(self, task: StretchTask) -> Stretch:
        if self._pool is None:
            self._pool = await self._open.enter_async_context(open_pool(self._url, PROJECTOR, 1))
        return await check_stretch(self._pool, task)


_sessions: list[_Session] = []


def begin(url: str) -> None:
    """Make the process ready; called once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us.
    threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    _sessions.append(_Session(url))


def check(task: StretchTask) -> Stretch:
    """Raises StoreUnavailable, of a kind that can be sent to another process."""
    try:
        return _sessions[0].check(task)
    except StoreUnavailable as error:
        raise StoreUnavailable(str(error)) from None


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
