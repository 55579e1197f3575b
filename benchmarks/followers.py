"""Clients of live feeds, of ours and of a bare one, run in a process of their own."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

import aiohttp
import uvloop

_EVENT = '{"type":"event"'
_RECORDED = '"recorded_at":"'
_AT_ONCE = 50


@dataclass(frozen=True)
class Followed:
    frames: int
    """Events received by all clients together, until they were closed."""
    seconds: float
    """From the first of them to the last."""
    delays: Sequence[float]
    """Seconds from the stamp of an event, which is a little before its commit, to its frame."""


def follow(urls: Sequence[str], key: str, *, measure_delays: bool) -> Followed:
    """Follow each until it is closed."""
    return uvloop.run(_follow(urls, key, measure_delays=measure_delays))


def stall(urls: Sequence[str], key: str, seconds: float) -> None:
    """Connect, and read nothing for so long."""
    uvloop.run(_stall(urls, key, seconds))


class _Crowd:
    """What all clients have received."""

    def __init__(self) -> None:
        self.frames = 0
        self.first = self.last = 0.0
        self.delays: list[float] = []

    async def follow(self, socket: aiohttp.ClientWebSocketResponse, *, measure_delays: bool) -> None:
        async for message in socket:
            text = message.data
            if not text.startswith(_EVENT):
                continue
            self.last = time.perf_counter()
            self.first = self.first or self.last
            self.frames += 1
            if measure_delays:
                start = text.index(_RECORDED) + len(_RECORDED)
                self.delays.append(time.time() - datetime.fromisoformat(text[start : start + 27]).timestamp())


async def _follow(urls: Sequence[str], key: str, *, measure_delays: bool) -> Followed:
    crowd = _Crowd()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        for socket in await _connected(stack, urls, key):
            tasks.create_task(crowd.follow(socket, measure_delays=measure_delays))
    return Followed(crowd.frames, crowd.last - crowd.first, crowd.delays)


async def _stall(urls: Sequence[str], key: str, seconds: float) -> None:
    async with AsyncExitStack() as stack:
        sockets = await _connected(stack, urls, key)
        await asyncio.sleep(seconds)
        assert not any(socket.closed for socket in sockets)


async def _connected(stack: AsyncExitStack, urls: Sequence[str], key: str) -> list[aiohttp.ClientWebSocketResponse]:
    session = await stack.enter_async_context(
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers={"Authorization": f"Bearer {key}"},
            timeout=aiohttp.ClientTimeout(total=None),
        )
    )
    sockets: list[aiohttp.ClientWebSocketResponse] = []
    for start in range(0, len(urls), _AT_ONCE):
        connecting = [session.ws_connect(url, max_msg_size=0) for url in urls[start : start + _AT_ONCE]]
        sockets += await asyncio.gather(*connecting)
    return sockets
