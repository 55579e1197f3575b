"""Loops over many events, in turns with the other tasks of the event loop.

A request waits for no more than one turn; and the database, which is sent rows by one of the tasks, hardly waits for
the next while others count: of those who take turns only one works between two passes of the event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from time import perf_counter
from typing import TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")

_AT_A_TIME = 25
"""So many are decoded in a quarter of a millisecond, and summed in a sixteenth."""

_SHARE = 20
"""A turn lasts a twentieth of the time for which was waited for it, if that is more than some items take."""

_next: WeakValueDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakValueDictionary()
"""Held, in each event loop, by the task whose turn is next; there while anybody takes turns. A lock refers to its loop,
so neither may be kept for the other.
"""


async def turns(items: Sequence[T]) -> AsyncIterator[Sequence[T]]:
    """The items, some at a time; before each turn others get theirs, and the longer these are the longer it lasts."""
    turn = _next.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    place = 0
    while place < len(items):
        asked = perf_counter()
        async with turn:
            await asyncio.sleep(0)
        now = perf_counter()
        end = now + (now - asked) / _SHARE
        while place < len(items):
            yield items[place : place + _AT_A_TIME]
            place += _AT_A_TIME
            if perf_counter() >= end:
                break
