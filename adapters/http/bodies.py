"""Bodies as they come in: whole or line by line, and of what is too large the beginning only."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from aiohttp import StreamReader, web
from pydantic import BaseModel, ValidationError

from adapters.http.problems import UnsupportedMediaType
from domain import canonical
from domain.errors import FieldError, InvalidFields, TooLarge, pointer
from domain.quarantined import KEPT_OF_TOO_LARGE

M = TypeVar("M", bound=BaseModel)

_JSON = "application/json"


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
    if request.content.is_eof() and request.content.total_bytes <= limit:
        return request.content.read_nowait()  # It came with the head, as most commands do.
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > max(limit, KEPT_OF_TOO_LARGE):
            return Excess(bytes(body[:KEPT_OF_TOO_LARGE]), _declared_size(request), limit)
    return bytes(body) if len(body) <= limit else Excess(bytes(body[:KEPT_OF_TOO_LARGE]), len(body), limit)


async def understood(request: web.Request, model: type[M], limit: int, wrong: type[InvalidFields]) -> M:
    """The body, which must be a JSON object of this shape.

    Raises UnsupportedMediaType, TooLarge, InvalidJson, and `wrong` that names the places that do not fit.
    """
    if request.content_type != _JSON:
        raise UnsupportedMediaType(f"send {_JSON}, not {request.content_type}")
    body = await whole(request, limit)
    if isinstance(body, Excess):
        raise TooLarge(f"the body is larger than {limit} bytes")
    data = canonical.decode_object(body)
    if errors := list(canonical.disputed(data)):
        raise wrong(errors)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        items = error.errors(include_url=False, include_input=False, include_context=False)
        raise wrong([FieldError(pointer(item["loc"]), item["msg"]) for item in items]) from None


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
