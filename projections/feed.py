"""Following ledgers live: a broadcast for each ledger that anybody follows, and pages for who is behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog

from domain.errors import StoreUnavailable
from domain.words import Ledger, Position
from projections.activity_query import Query
from projections.broadcast import Broadcast, Encode
from projections.database import heed_cancellation
from projections.generations import NotBuilt
from projections.reads import AT_ONCE, Reads

T = TypeVar("T")

_PAGE, _PAGE_BYTES = 500, 128 * 1024
_KEPT_PAGES = 32
_AT_ONCE = 2
"""How many pages are read at the same time: who is behind must not keep the broadcasts waiting for a connection."""
_AFTER_TROUBLE_SECONDS = 0.5

log = structlog.get_logger()


@dataclass(frozen=True)
class Page:
    """What matches after a position, encoded, as far as one reading goes."""

    frames: bytes
    count: int
    until: Position
    """All that matches up to here is in it."""


@dataclass
class _Open:
    broadcast: Broadcast
    task: "asyncio.Task[None]"
    users: int = 0


class _Waiter:
    """Follows until there is something, and takes nothing."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    def offer(self, frames: bytes, count: int) -> bool:  # noqa: ARG002  # Of the protocol.
        self.over.set()
        return False

    def fell_behind(self, seen: Position) -> None:  # Of the protocol.
        """It has what it waited for."""


class Feed:
    """Of one process. Owns the broadcasts with their tasks, and the few pages read last."""

    def __init__(self, reads: Reads, encode: Encode) -> None:
        """`encode` makes of a row what followers are offered."""
        self._reads = reads
        self._encode = encode
        self._open: dict[Ledger, _Open] = {}
        self._opening = asyncio.Lock()
        self._waiters: dict[_Waiter, None] = {}
        self.is_ending = False
        self._reading = asyncio.Semaphore(_AT_ONCE)
        self._pages: dict[tuple[Ledger, Query, Position], asyncio.Task[Page]] = {}

    def wake(self, ledger: str) -> None:
        """There may be something new in this ledger, or in any if none is named."""
        for name, opened in self._open.items():
            if ledger in ("", name):
                opened.broadcast.wake()

    @asynccontextmanager
    async def opened(self, ledger: Ledger) -> AsyncIterator[Broadcast]:
        """The broadcast of a ledger, which runs for as long as anybody uses it. Raises as Reads does."""
        async with self._opening:
            if ledger not in self._open:
                broadcast = Broadcast(ledger, self._reads, self._encode, await self._reads.applied(ledger))
                task = asyncio.create_task(broadcast.run(), name=f"broadcast {ledger}")
                self._open[ledger] = _Open(broadcast, task)
            opened = self._open[ledger]
            opened.users += 1
        try:
            yield opened.broadcast
        finally:
            opened.users -= 1
            if not opened.users:
                del self._open[ledger]
                opened.task.cancel()
                await asyncio.wait([opened.task])

    async def something_new(self, broadcast: Broadcast, query: Query, seen: Position) -> None:
        """Wait until there may be an event that matches after `seen`, or waiting is to end."""
        waiter = _Waiter()
        membership = broadcast.join(query, waiter, seen)
        if membership is None or self.is_ending:
            return
        self._waiters[waiter] = None
        try:
            await waiter.over.wait()
        finally:
            del self._waiters[waiter]
            broadcast.leave(membership)

    def end_waits(self) -> None:
        """Let nobody wait for something new any more: this process goes away."""
        self.is_ending = True
        for waiter in self._waiters:
            waiter.over.set()

    async def page(self, ledger: Ledger, query: Query, after: Position) -> Page:
        """What follows a position; many may ask for the same, which is read once. Raises as Reads does."""
        key = (ledger, query, after)
        task = self._pages.get(key)
        if task is None:
            task = self._pages[key] = asyncio.create_task(self._read(ledger, query, after))
            task.add_done_callback(lambda done: self._forget_unfinished(key, done))
            while len(self._pages) > _KEPT_PAGES:
                self._pages.pop(next(iter(self._pages)))
        return await asyncio.shield(task)

    async def _read(self, ledger: Ledger, query: Query, after: Position) -> Page:
        async with self._reading:
            rows, until, _ = await self._reads.by_position(ledger, query, after, _PAGE, AT_ONCE, _PAGE_BYTES)
        return Page(b"".join(map(self._encode, rows)), len(rows), until)

    def _forget_unfinished(self, key: tuple[Ledger, Query, Position], done: "asyncio.Task[Page]") -> None:
        """Only a page that ends with a row for want of room stays what it is; others grow."""
        failed = done.cancelled() or done.exception() is not None
        if (failed or not self._is_full(done.result())) and self._pages.get(key) is done:
            del self._pages[key]

    def _is_full(self, page: Page) -> bool:
        return page.count == _PAGE or len(page.frames) >= _PAGE_BYTES


async def answered(read: Callable[[], Awaitable[T]]) -> T:
    """The answer of a read, however long the database is away."""
    while True:
        heed_cancellation()
        try:
            return await read()
        except (StoreUnavailable, NotBuilt) as error:
            log.warning("feed_interrupted", error=repr(error))
            await asyncio.sleep(_AFTER_TROUBLE_SECONDS)
