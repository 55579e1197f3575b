"""Loops over many events leave the event loop to others, and to each other."""

import asyncio
import gc

import pytest

from projections import turns as module
from projections.turns import turns
from tests.patience import PATIENCE

ITEMS = range(1000)


class Watch:
    """Counts the turns that are taken between two passes of the event loop."""

    def __init__(self) -> None:
        self.between: list[int] = []
        self._taken = 0

    async def count(self) -> list[int]:
        seen: list[int] = []
        async for some in turns(ITEMS):
            self._taken += 1
            seen += some
        return seen

    async def look(self) -> None:
        while True:
            self.between.append(self._taken)
            self._taken = 0
            await asyncio.sleep(0)


async def test_between_two_passes_one_at_most_takes_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many want one; and each gets all of its items, in their order."""
    monkeypatch.setattr(module, "perf_counter", lambda: 0.0)
    watch = Watch()
    looking = asyncio.create_task(watch.look())
    assert await asyncio.gather(*(watch.count() for _ in range(4))) == [list(ITEMS)] * 4
    looking.cancel()
    assert max(watch.between) == 1
    assert sum(watch.between) == 4 * len(ITEMS) / module._AT_A_TIME


async def test_a_turn_is_the_longer_the_longer_was_waited_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """So others who keep the event loop busy cannot hold up those who take turns for ever."""
    clock = iter([0.0, 20.0, 20.5, 20.9, 21.0, 21.0, 21.0, *[21.0] * len(ITEMS)])
    monkeypatch.setattr(module, "perf_counter", lambda: next(clock))
    watch = Watch()
    looking = asyncio.create_task(watch.look())
    await watch.count()
    looking.cancel()
    assert [taken for taken in watch.between if taken][:3] == [3, 1, 1]


async def test_one_that_fails_in_its_turn_holds_up_nobody() -> None:
    """Even while its error, and so all that it was in the midst of, is kept."""

    taking = turns(ITEMS)

    async def fail() -> None:
        async for _ in taking:
            raise ValueError

    others = [asyncio.create_task(Watch().count()) for _ in range(2)]
    async with asyncio.timeout(PATIENCE):
        try:
            await fail()
        except ValueError:
            assert await asyncio.gather(*others, Watch().count()) == [list(ITEMS)] * 3


async def test_one_that_is_cancelled_while_it_waits_holds_up_nobody() -> None:
    """The next one comes."""
    tasks = [asyncio.create_task(Watch().count()) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[1].cancel()
    assert await tasks[2] == list(ITEMS)


def test_nothing_is_kept_of_an_event_loop_that_is_over() -> None:
    """Tests have thousands of them."""

    async def both() -> None:
        await asyncio.gather(Watch().count(), Watch().count())

    asyncio.run(both())
    gc.collect()
    assert not module._next
