"""Asking such a process to do things.

What crosses to it is pickled: functions of ours by their names, and plain values.
"""

import asyncio
import fcntl
import os
import pickle
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

from adapters.processes.frames import LENGTH
from domain.errors import AuditError

P = ParamSpec("P")
T = TypeVar("T")

# Not `multiprocessing`: its processes read the whole program that has started them before they do anything.
_COMMAND = (sys.executable, "-P", "-m", "adapters.processes.child")
_BUFFER = 1024 * 1024
_DIED = "a process that works for this one has ended; try again"


class ProcessDied(AuditError):
    """A process that worked for us has ended before its time."""


class WorkProcess:
    """One such process, which does one thing after the other."""

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
        self._owed = 0
        """How many things were asked whose answers nobody has taken yet."""
        self._is_out_of_step = False
        """Whether somebody left whose answer comes all the same."""
        self._turn = asyncio.Lock()
        """Answers are taken in the order in which was asked."""

    @property
    def process(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def is_fit(self) -> bool:
        """Whether it lives, to our knowledge, and owes no answer, as one does that was asked by somebody who left."""
        return self._is_open and not self._owed

    @property
    def _is_open(self) -> bool:
        return self._process.returncode is None and not self._asks.is_closing()

    async def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a function of a module, done there. Raises what it raises, and ProcessDied.

        What is asked meanwhile waits in its pipe already, so that it need not wait for us in between.
        """
        if not self._is_open or self._is_out_of_step:
            raise ProcessDied(_DIED)
        asked = pickle.dumps((work, args, kwargs), pickle.HIGHEST_PROTOCOL)
        self._asks.writelines((LENGTH.pack(len(asked)), asked))
        self._owed += 1
        try:
            async with self._turn:
                answer = await self._answer()
        except BaseException:
            self._is_out_of_step = True
            raise
        self._owed -= 1
        good, value = pickle.loads(answer)  # noqa: S301 - from a process of ours.
        if not good:
            raise value
        result: T = value
        return result

    async def _answer(self) -> bytes:
        if self._is_out_of_step:
            raise ProcessDied(_DIED)
        try:
            (length,) = LENGTH.unpack(await self._answers.readexactly(LENGTH.size))
            return await self._answers.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ProcessDied(_DIED) from error

    async def end(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        if not self._asks.is_closing():
            self._asks.abort()
        self._answering.close()
        await self._process.wait()


async def started_process(prepare: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> WorkProcess:
    """A process that has done `prepare` first. Raises OSError, ProcessDied, and what that raises."""
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
    started = WorkProcess(process, writing, reading, reader)
    try:
        await started.call(prepare, *args, **kwargs)
    except BaseException:
        await asyncio.shield(started.end())
        raise
    return started


def _pipe() -> tuple[int, int]:
    """A pipe that holds a page, where the system lets it: each wake-up for the next few bytes costs time."""
    ends = os.pipe()
    with suppress(OSError, AttributeError):
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, _BUFFER)
    return ends
