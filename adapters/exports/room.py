"""One processor for everybody else, while exports run and others are being answered, too."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress

_SECONDS = 1.0
"""For so long after the last answer the processor is left to who may come next."""


class Room:
    """Says on which processors the builders work. Owned by them; used in one event loop.

    What others do takes a millisecond here and there, on the server and in the database. Wherever a builder runs, they
    may come to wait behind it, or behind one another; on a processor without builders they do not.
    """

    def __init__(self, processes: Callable[[], Iterable[int]]) -> None:
        self._processes = processes
        self._all = frozenset(os.sched_getaffinity(0)) if sys.platform == "linux" else frozenset()
        self._until = 0.0
        self.is_left = False
        """Whether others are being answered."""

    def leave(self) -> None:
        """Somebody was answered: leave one processor free for a while."""
        loop = asyncio.get_running_loop()
        self._until = loop.time() + _SECONDS
        if not self.is_left and len(self._all) > 1:
            self.is_left = True
            self._place_all()
            loop.call_at(self._until, self._look, loop)

    def place(self, process: int) -> None:
        """Let a builder work where it may."""
        if sys.platform == "linux":
            # It may have ended, and a container may forbid it: then others wait a little longer.
            with suppress(OSError):
                os.sched_setaffinity(process, self._all - {min(self._all)} if self.is_left else self._all)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop.time() < self._until:
            loop.call_at(self._until, self._look, loop)
            return
        self.is_left = False
        self._place_all()

    def _place_all(self) -> None:
        for process in self._processes():
            self.place(process)
