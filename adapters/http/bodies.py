"""Bodies as they come in: whole or line by line, and of what is too large the beginning only."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp import StreamReader, web

from domain.quarantined import KEPT_OF_TOO_LARGE


@dataclass(frozen=True, slots=True)
class Excess:
    """What is too large: its beginning, and its size if that is known."""

    beginning: bytes
    size: int | None
    limit: int


Sent: TypeAlias = bytes | Excess
"""One command as it was sent."""


async def whole(request: web.Request, limit: int) -> Sent:
    """The body; what is too large is not read to its end."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > max(limit, KEPT_OF_TOO_LARGE):
            return Excess(bytes(body[:KEPT_OF_TOO_LARGE]), _declared_size(request), limit)
    return bytes(body) if len(body) <= limit else Excess(bytes(body[:KEPT_OF_TOO_LARGE]), len(body), limit)


async def lines(content: StreamReader, limit: int) -> AsyncIterator[list[Sent]]:
    """The lines that hold something, without their line ends, those together that came together.

    Memory does not grow with their length.
    """
    line, dropped = bytearray(), 0
    async for chunk in content.iter_any():
        first, *others = chunk.split(b"\n")
        line += first
        if others:
            *whole_ones, last = others
            ended = (_line(line, dropped, limit), *(_line(one, 0, limit) for one in whole_ones))
            yield [sent for sent in ended if sent is not None]
            line, dropped = bytearray(last), 0
        if len(line) > max(limit, KEPT_OF_TOO_LARGE):
            dropped += len(line) - KEPT_OF_TOO_LARGE
            del line[KEPT_OF_TOO_LARGE:]
    if (sent := _line(line, dropped, limit)) is not None:
        yield [sent]


def _line(line: bytes | bytearray, dropped: int, limit: int) -> Sent | None:
    """The line; None if it is blank, which one with a dropped part is never taken for: nobody has looked at that."""
    if dropped or len(line) > limit:
        return Excess(bytes(line[:KEPT_OF_TOO_LARGE]), len(line) + dropped, limit)
    return None if not line or line.isspace() else bytes(line)


def _declared_size(request: web.Request) -> int | None:
    """What was announced, unless that is the size before it was unpacked."""
    return None if "Content-Encoding" in request.headers else request.content_length
