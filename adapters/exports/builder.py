"""Processes that do the costly part of exports, so that the server's own goes on answering.

What crosses to them is pickled: functions of ours by their names, and plain values. They hold no connection and no key.
"""

import asyncio
import fcntl
import os
import pickle
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import ParamSpec, TypeVar

import structlog

from adapters.exports.frames import LENGTH
from domain.errors import AuditError

P = ParamSpec("P")
T = TypeVar("T")

_COMMAND = (sys.executable, "-P", "-m", "adapters.exports.builder_process")
_BUFFER = 1024 * 1024
_DIED = "a process that makes exports has ended; try again"

log = structlog.get_logger()


class BuilderDied(AuditError):
    """A process that made a file has ended before its time."""


class Builder:
    """One such process, which does one thing at a time for one export at a time."""

    def __init__(
        self,
        process: Process,
        asks: asyncio.WriteTransport,
        answering: asyncio.ReadTransport,
        answers: asyncio.StreamReader,
    ) -> None:
        self._process = process
        self._asks = asks
        self._answering = answering
        self._answers = answers
        self._busy = False

    @property
    def is_fit(self) -> bool:
        """Whether it lives and owes no answer, as one does that was asked by somebody who left."""
        return self._process.returncode is None and not self._busy

    async def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a function of a module, done there. Raises what it raises, and BuilderDied."""
        if self._process.returncode is not None or self._asks.is_closing():
            raise BuilderDied(_DIED)
        self._busy = True
        asked = pickle.dumps((work, args, kwargs), pickle.HIGHEST_PROTOCOL)
        try:
            # What is asked is as large as a page, and nothing is asked before it is answered.
            self._asks.writelines((LENGTH.pack(len(asked)), asked))
            (length,) = LENGTH.unpack(await self._answers.readexactly(LENGTH.size))
            answer = await self._answers.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise BuilderDied(_DIED) from error
        self._busy = False
        good, value = pickle.loads(answer)  # noqa: S301 - from a process of ours.
        if not good:
            raise value
        result: T = value
        return result

    async def end(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        if not self._asks.is_closing():
            self._asks.abort()
        self._answering.close()
        await self._process.wait()


async def _started() -> Builder:
    """A process that has read its modules. Raises OSError, and BuilderDied."""
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    loop = asyncio.get_running_loop()
    asked, asks = _pipe()
    answers, answered = _pipe()
    reader = asyncio.StreamReader(limit=_BUFFER)
    # Each of these steps is done at once or not at all, so that nothing is left open by who is told to stop.
    writing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(asks, "wb"))
    reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(answers, "rb"))
    try:
        process = await asyncio.create_subprocess_exec(
            *_COMMAND, stdin=asked, stdout=answered, env=os.environ | {"PYTHONPATH": path}
        )
    except BaseException:
        writing.abort()
        reading.close()
        raise
    finally:
        os.close(asked)
        os.close(answered)
    builder = Builder(process, writing, reading, reader)
    try:
        await builder.call(os.getpid)
    except BaseException:
        await asyncio.shield(builder.end())
        raise
    return builder


def _pipe() -> tuple[int, int]:
    """A pipe that holds a page, where the system lets it: each wake-up for the next few bytes costs time."""
    ends = os.pipe()
    with suppress(OSError, AttributeError):
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, _BUFFER)
    return ends


class Builders:
    """Keeps the processes that there are: each is used again, and none is made before it is needed."""

    def __init__(self) -> None:
        self._idle: list[Builder] = []
        self._all: set[Builder] = set()
        self._starting = asyncio.Lock()
        """Held while one starts: whoever comes meanwhile had better take it than start another."""

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Builder]:
        """A process for one export."""
        async with self._starting:
            builder = self._idle.pop() if self._idle else await self._start()
        try:
            yield builder
        finally:
            if builder.is_fit:
                self._idle.append(builder)
            else:
                self._all.discard(builder)
                await asyncio.shield(builder.end())

    async def warm_up(self) -> None:
        """Have one ready, so that the first bytes of the first export need not wait for it."""
        try:
            async with self._starting:
                self._idle.append(await self._start())
        except (BuilderDied, OSError) as error:
            log.warning("no_process_for_exports", error=str(error))

    async def close(self) -> None:
        for builder in self._all:
            await builder.end()
        self._all.clear()
        self._idle.clear()

    async def _start(self) -> Builder:
        builder = await _started()
        self._all.add(builder)
        return builder
