"""Pages that several workers build come out in their order, and no worker is given two at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from adapters.exports.in_turns import in_turns
from application.ahead import ahead


async def numbers(count: int) -> AsyncGenerator[int, None]:
    for number in range(count):
        yield number


class Workers:
    """Each does what it is given when it is its turn, in an order of the test's choice."""

    def __init__(self, count: int) -> None:
        self.names = [chr(ord("a") + number) for number in range(count)]
        self.busy: set[str] = set()
        self.most = 0
        self.begun: list[int] = []
        self.cancelled: list[int] = []

    async def work(self, worker: str, page: int) -> str:
        assert worker not in self.busy
        self.busy.add(worker)
        self.begun.append(page)
        self.most = max(self.most, len(self.busy))
        try:
            # The later of two ends first.
            for _ in range(5 - page % 2 * 4):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled.append(page)
            raise
        self.busy.discard(worker)
        return f"built {page}"


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("pages", [0, 1, 2, 7])
async def test_pages_come_out_in_their_order(count: int, pages: int) -> None:
    """Whoever builds them, and all workers are at work."""
    workers = Workers(count)
    async with aclosing(in_turns(workers.names, workers.work, ahead(numbers(pages)))) as built:
        found = [one async for one in built]
    assert found == [(page, f"built {page}") for page in range(pages)]
    assert workers.most == min(count, pages)
    assert not workers.busy


async def test_a_reader_that_takes_nothing_stops_the_workers() -> None:
    """No more is built than they have in hand; who leaves ends that, too."""
    workers = Workers(2)
    async with aclosing(in_turns(workers.names, workers.work, ahead(numbers(100)))) as built:
        assert await anext(built) == (0, "built 0")
        for _ in range(50):
            await asyncio.sleep(0)
        assert workers.begun == [0, 1, 2]
        assert await anext(built) == (1, "built 1")
        await asyncio.sleep(0)
        assert workers.begun == [0, 1, 2, 3]
    assert workers.cancelled == [3]


async def test_what_a_worker_raises_ends_it() -> None:
    """And nothing is left running."""

    async def fail(worker: str, page: int) -> int:
        if page == 1:
            raise ZeroDivisionError(worker)
        await asyncio.sleep(0)
        return page

    async with aclosing(in_turns(["a", "b"], fail, numbers(9))) as built:
        assert await anext(built) == (0, 0)
        with pytest.raises(ZeroDivisionError):
            await anext(built)
