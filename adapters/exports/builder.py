"""Processes that do the costly part of exports, so that the server's own goes on answering.

They hold no connection and no key.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from adapters.exports import building
from adapters.exports.room import Room
from adapters.processes import ProcessDied, WorkProcess, started_process

PER_EXPORT = min(2, os.cpu_count() or 1)
"""What the file costs is done by two, while the server reads and sends."""

_WARM_AFTER_SECONDS = 5.0
"""A service that starts has better things to do, and one that ends soon never needed them."""

log = structlog.get_logger()


class Builders:
    """Keeps the processes that there are: each is used again."""

    def __init__(self) -> None:
        self._idle: list[WorkProcess] = []
        self._all: set[WorkProcess] = set()
        self.room = Room(lambda: [builder.process for builder in self._all])
        self._starting = asyncio.Lock()
        """Held while one starts: whoever comes meanwhile had better take it than start another."""

    @asynccontextmanager
    async def one(self) -> AsyncIterator[WorkProcess]:
        """A process for one export, which may have PER_EXPORT of them."""
        async with self._starting:
            builder = await self._fit_one() or await self._start()
        try:
            yield builder
        finally:
            if builder.is_fit:
                self._idle.append(builder)
            else:
                await asyncio.shield(self._end(builder))

    async def warm_up(self) -> None:
        """Have those of one export ready, so that the first bytes of the first export need not wait for it."""
        await asyncio.sleep(_WARM_AFTER_SECONDS)
        try:
            while len(self._all) < PER_EXPORT:
                async with self._starting:
                    self._idle.append(await self._start())
        except (ProcessDied, OSError) as error:
            log.warning("no_process_for_exports", error=str(error))

    async def close(self) -> None:
        self._idle.clear()
        while self._all:
            await self._all.pop().end()

    async def _fit_one(self) -> WorkProcess | None:
        """One that waits for work; those that were killed meanwhile are left behind."""
        while self._idle:
            builder = self._idle.pop()
            if builder.is_fit:
                return builder
            await self._end(builder)
        return None

    async def _start(self) -> WorkProcess:
        builder = await started_process(building.prepare)
        self._all.add(builder)
        self.room.place(builder.process)
        return builder

    async def _end(self, builder: WorkProcess) -> None:
        self._all.discard(builder)
        await builder.end()
