"""Pages of an export on their way through several processes, in their order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
W = TypeVar("W")
B = TypeVar("B")


async def in_turns(
    workers: Sequence[W], work: Callable[[W, T], Awaitable[B]], pages: AsyncGenerator[T, None]
) -> AsyncGenerator[tuple[T, B], None]:
    """Each page with what a worker made of it, in the order of the pages; each worker has one at a time.

    While a page is taken, all workers are at the next ones.
    """
    idle = deque(workers)
    at_work: deque[tuple[T, W, asyncio.Future[B]]] = deque()
    try:
        async for page in pages:
            if not idle:
                done, worker, built = at_work.popleft()
                result = await built
                idle.append(worker)
                at_work.append((page, worker, asyncio.ensure_future(work(idle.popleft(), page))))
                yield done, result
            else:
                worker = idle.popleft()
                at_work.append((page, worker, asyncio.ensure_future(work(worker, page))))
        while at_work:
            done, _, built = at_work.popleft()
            yield done, await built
    finally:
        for _, _, built in at_work:
            built.cancel()
        await asyncio.gather(*(built for _, _, built in at_work), return_exceptions=True)
