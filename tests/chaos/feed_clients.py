"""Clients of the live feed that follow through whatever happens, and remember what they were sent."""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlencode

import orjson
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType

_AGAIN_SECONDS = 0.2
_EVENT = '{"type":"event","position":'


@dataclass
class Habit:
    """What a client does besides reading."""

    stalls: bool = False
    """Once, until the stream has ended."""
    leaves: bool = False
    """Again and again, in the midst of it, without a word."""


@dataclass
class FeedClient:
    """Follows from the beginning, by itself again and again, until it has seen all up to a position."""

    session: ClientSession
    url: str
    query: tuple[tuple[str, str], ...]
    habit: Habit
    positions: list[int] = field(default_factory=list)
    seen: int = 0
    connections: int = 0
    codes: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    async def follow(self, over: asyncio.Event, end: "asyncio.Future[int]") -> None:
        """`over` is set when the stream has ended; `end` then becomes its last position."""
        random = Random(str(self.query))
        while not (end.done() and self.seen >= end.result()):
            parameters = urlencode([*self.query, ("after", str(self.seen))])
            try:
                async with self.session.ws_connect(f"{self.url}?{parameters}", max_msg_size=0) as socket:
                    self.connections += 1
                    await self._read(socket, random, over, end)
            except (ClientError, ConnectionError, TimeoutError) as error:
                self.codes.add(getattr(error, "status", 0))
                await asyncio.sleep(random.uniform(0, _AGAIN_SECONDS))

    async def _read(
        self, socket: ClientWebSocketResponse, random: Random, over: asyncio.Event, end: "asyncio.Future[int]"
    ) -> None:
        leave_after = random.randrange(5, 200) if self.habit.leaves else -1
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            self._take(message.data)
            leave_after -= 1
            if leave_after == 0 and not over.is_set():
                return
            if self.habit.stalls and self.positions and not over.is_set():
                await over.wait()
            if end.done() and self.seen >= end.result():
                return
        self.codes.add(socket.close_code or 0)

    def _take(self, text: str) -> None:
        if text.startswith(_EVENT):
            position = int(text[len(_EVENT) : text.index(",", len(_EVENT))])
            if position <= self.seen:
                self.wrong.append(f"{position} came behind {self.seen}")
            self.positions.append(position)
            self.seen = position
            return
        frame: Any = orjson.loads(text)
        if frame["type"] == "problem":
            self.wrong.append(text)
        elif frame["type"] != "subscribed":
            if frame["position"] < self.seen:
                self.wrong.append(f"{text} behind {self.seen}")
            self.seen = max(self.seen, frame["position"])
