"""Keeping a turn for as long as a piece of work takes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from application.ports import Turn
from domain.errors import AuditError, StoreUnavailable

_SECONDS = 2.0

log = structlog.get_logger()


class TurnLost(AuditError):
    """Another process does this work now, since we gave no word in time."""


@asynccontextmanager
async def meanwhile(turn: Turn | None, word: Callable[[], Awaitable[None]] | None = None) -> AsyncIterator[None]:
    """While the block runs, keep a turn that is held, and give word every two seconds.

    The block is cancelled if the turn is lost. Raises TurnLost then, and otherwise what the block raises.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(_keep(turn, word))
            yield
            keeping.cancel()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


async def _keep(turn: Turn | None, word: Callable[[], Awaitable[None]] | None) -> None:
    while True:
        try:
            if word is not None:
                await word()
            if turn is not None and not await turn.hold():
                raise TurnLost("another process does this now, since we gave no word in time")
        except StoreUnavailable as error:
            log.warning("no_word_given", error=repr(error))
        await asyncio.sleep(_SECONDS)
