"""Running a coroutine of a command, on uvloop."""

import asyncio
import gc
import getpass
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

from adapters.settings import Settings

T = TypeVar("T")


def settings() -> Settings:
    """The settings of the environment. Raises pydantic's ValidationError that names those which do not fit."""
    return Settings()


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result. Of errors that came in a group the first is raised, since one line must tell it."""
    # Batches hold many thousands of objects for a moment: looking through them again and again took a fifth of all
    # time. What exists at the start stays anyway.
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(work)
        except BaseExceptionGroup as group:
            raise _first(group) from group


async def until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Run work that has no end of its own until told to stop; raises what it raises."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
    for one in (task, stopped):
        one.cancel()
    await asyncio.gather(task, stopped, return_exceptions=True)
    if not stop.is_set():
        task.result()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def account() -> str:
    """The name of the account that we run as, or its number where it has none, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
