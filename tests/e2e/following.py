"""A client of the live feed, made with a library that has nothing in common with the service's."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.e2e.client import Client, Parameters
from tests.patience import PATIENCE


@dataclass
class Follower:
    """One connection."""

    connection: ClientConnection
    after: int
    """Where it began."""
    seen: int = 0
    _unread: list[Any] = field(default_factory=list)

    async def frame(self) -> Any:
        """The next frame."""
        async with asyncio.timeout(PATIENCE):
            return orjson.loads(await self.connection.recv())

    async def frame_of(self, kind: str) -> Any:
        """The next frame of this kind, whatever comes before."""
        while (frame := await self.frame())["type"] != kind:
            pass
        return frame

    async def events(self, until: int) -> list[Any]:
        """The events up to this position, once all up to it were sent; in order, and none twice."""
        while self.seen < until:
            frame = await self.frame()
            if frame["type"] == "event":
                self._unread.append(frame["event"])
            if frame["type"] in {"event", "caught_up", "heartbeat"}:
                self.seen = frame["position"]
        positions = [event["position"] for event in self._unread]
        assert positions == sorted(set(positions))
        found = [event for event in self._unread if event["position"] <= until]
        self._unread = self._unread[len(found) :]
        return found

    async def rest(self) -> list[Any]:
        """The events that still come before the connection ends, however it does."""
        found = []
        with suppress(ConnectionClosed):
            while True:
                if (frame := await self.frame())["type"] == "event":
                    found.append(frame["event"])
        return found

    async def send(self, message: Any) -> None:
        """Bytes as a binary frame, text as it is, anything else as JSON."""
        await self.connection.send(message if isinstance(message, str | bytes) else orjson.dumps(message).decode())

    async def closed(self) -> tuple[int, str]:
        """How the service closes it, whatever it sends before."""
        await self.rest()
        code, reason = self.connection.close_code, self.connection.close_reason
        assert code is not None
        return code, reason or ""


@asynccontextmanager
async def following(
    client: Client, parameters: Parameters = (), *, headers: Mapping[str, str] | None = None, **options: Any
) -> AsyncIterator[Follower]:
    """A follower that is subscribed."""
    async with connect(_url(client, parameters), additional_headers=_headers(client, headers), **options) as connection:
        follower = Follower(connection, 0)
        frame = await follower.frame()
        assert frame["type"] == "subscribed"
        follower.after = frame["after"]
        yield follower


async def refused(
    client: Client, parameters: Parameters = (), *, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """The status and the problem of an upgrade that must be refused."""
    with pytest.raises(InvalidStatus) as caught:
        async with connect(_url(client, parameters), additional_headers=_headers(client, headers)):
            pass
    response = caught.value.response
    return response.status_code, orjson.loads(response.body)


def _url(client: Client, parameters: Parameters) -> str:
    pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
    return f"{client.address.replace('http', 'ws', 1)}/v1/feed?{urlencode(list(pairs))}"


def _headers(client: Client, headers: Mapping[str, str] | None) -> dict[str, str]:
    return ({} if client.key is None else {"Authorization": f"Bearer {client.key}"}) | dict(headers or {})
