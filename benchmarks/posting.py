"""A client that posts commands over HTTP/1.1 and takes as little as it can of the machine that the service is on, too.

A tenth of what a client library takes: it knows only the answers of this service.
"""

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import cast
from urllib.parse import urlsplit

import orjson
import uvloop

from benchmarks.data import BLOCK, Estate

_SECONDS = 120
_STATUS = re.compile(rb"HTTP/1\.1 20[01] ")
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_END_OF_CHUNKS = b"\r\n0\r\n\r\n"


@dataclass(frozen=True)
class Sending:
    """Commands to send: how many, in bodies of how many lines, over how many connections at once."""

    events: int
    lines: int
    """1 sends a command as JSON, more send NDJSON."""
    connections: int


@dataclass(frozen=True)
class Sent:
    seconds: float
    latencies: Sequence[float]
    """Seconds from sending a body to having read the answer, for each body."""


def post_commands(url: str, key: str, sending: Sending, seed: int) -> Sent:
    """Post commands, each of which occurs once only for each seed; every answer must say that all is recorded."""
    requests = [_request(url, key, body, sending.lines) for body in _bodies(sending, seed)]
    return uvloop.run(_post(url, sending.connections, requests))


def _bodies(sending: Sending, seed: int) -> Iterator[bytes]:
    events = -(-sending.events // BLOCK) * BLOCK
    commands = islice(Estate(events, seed).commands(events), sending.events)
    while lines := list(islice(commands, sending.lines)):
        yield b"\n".join(map(orjson.dumps, lines))


def _request(url: str, key: str, body: bytes, lines: int) -> bytes:
    where = urlsplit(url)
    kind = "application/json" if lines == 1 else "application/x-ndjson"
    head = (
        f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _post(url: str, connections: int, requests: Sequence[bytes]) -> Sent:
    where = urlsplit(url)
    assert where.hostname
    assert where.port
    host, port = where.hostname, where.port
    loop = asyncio.get_running_loop()
    waiting, latencies = iter(requests), list[float]()
    started = time.perf_counter()
    async with asyncio.timeout(_SECONDS):
        opened = [
            await loop.create_connection(lambda: _Connection(waiting, latencies), host, port)
            for _ in range(connections)
        ]
        await asyncio.gather(*(connection.ended for _, connection in opened))
    for transport, _ in opened:
        transport.close()
    return Sent(time.perf_counter() - started, latencies)


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the last one is answered; `ended` fails with what was not as it should be."""

    def __init__(self, waiting: Iterator[bytes], latencies: list[float]) -> None:
        self._waiting = waiting
        self._latencies = latencies
        self._answer = bytearray()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not _is_whole(self._answer):
            return
        self._latencies.append(time.perf_counter() - self._sent)
        if not _STATUS.match(self._answer) or b'"status"' in self._answer:
            self.ended.set_exception(AssertionError(bytes(self._answer[:2000])))
            return
        self._answer.clear()
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionResetError("the service hung up"))

    def _send(self) -> None:
        request = next(self._waiting, None)
        if request is None:
            self.ended.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


def _is_whole(answer: bytearray) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = _LENGTH.search(head + b"\r\n")
    return len(body) >= int(length[1]) if length else body.endswith(_END_OF_CHUNKS)
