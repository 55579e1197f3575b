"""The frames of the live feed, the messages of its clients, and what closing codes mean: docs/feed.md."""

import struct
from enum import IntEnum
from typing import Annotated, Literal, TypeAlias

import orjson
from pydantic import BaseModel, ConfigDict, Field, RootModel, TypeAdapter, ValidationError

from adapters.http import schemas
from adapters.http.problems import Problem
from domain import canonical
from domain.errors import FieldError, InvalidMessage, pointer
from domain.filters import EventFilter
from domain.values import LARGEST_INTEGER, JsonObject
from domain.words import Position
from projections.activity_query import Row

LARGEST_MESSAGE = 64 * 1024
"""How many bytes a client's message may have."""

PING = b"\x89\x00"
_TEXT = 0x81

AfterPosition = Annotated[
    Position,
    Field(ge=0, le=LARGEST_INTEGER, description="Events after this position; it must not lie beyond the ledger's end."),
]


class Close(IntEnum):
    """Why the service closes, which tells a client what to do. 1009 (too long) comes from the library."""

    GOING_AWAY = 1001
    """Connect again at once, to resume."""
    UNSUPPORTED = 1003
    """Binary frames are not understood."""
    FAILED = 1011
    """Our fault; connect again after a pause, to resume."""
    NOT_AUTHENTICATED = 4401
    """The credential has ended: authenticate again."""
    STALLED = 4408
    """Read faster or filter more, then resume."""


class EventFrame(BaseModel):
    """An event that matches, in the order of positions."""

    type: Literal["event"]
    position: int
    event: schemas.Event


class SubscribedFrame(BaseModel):
    """From here on this filter holds: it comes first, and after each change of the filter."""

    type: Literal["subscribed"]
    after: int
    filter: Annotated[JsonObject, Field(description="As parameters.")]


class CaughtUpFrame(BaseModel):
    """All that matches up to here was sent; what follows is live."""

    type: Literal["caught_up"]
    position: int


class HeartbeatFrame(BaseModel):
    """In silence: all that matches up to here was sent, so a client may resume from here."""

    type: Literal["heartbeat"]
    position: int


class ProblemFrame(BaseModel):
    """A message was not understood, or not obeyed; the connection and the filter stay."""

    type: Literal["problem"]
    problem: schemas.Problem


class FeedFrame(RootModel[EventFrame | SubscribedFrame | CaughtUpFrame | HeartbeatFrame | ProblemFrame]):
    """What the service sends: a JSON object in a text frame."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChangeFilter(_Message):
    """Follow with another filter, from what was seen last or from a position on."""

    type: Literal["filter"]
    filter: EventFilter = EventFilter()
    after: AfterPosition | None = None


class Pause(_Message):
    """Send no more events until told to resume."""

    type: Literal["pause"]


class Resume(_Message):
    """Send what came in the meantime, and go on."""

    type: Literal["resume"]


Message: TypeAlias = Annotated[ChangeFilter | Pause | Resume, Field(discriminator="type")]
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


def understood(text: str) -> Message:
    """A client's message. Raises InvalidJson, and InvalidMessage that names each field that does not fit."""
    data = canonical.decode_object(text.encode())
    if errors := list(canonical.disputed(data)):
        raise InvalidMessage(errors)
    try:
        return _MESSAGE.validate_python(data)
    except ValidationError as error:
        raise InvalidMessage(
            [
                # The first step names the type, except where that itself does not fit.
                FieldError(pointer(item["loc"][1:] or ("type",)), item["msg"].removeprefix("Value error, "))
                for item in error.errors(include_url=False, include_input=False, include_context=False)
            ]
        ) from None


def event_frame(row: Row) -> bytes:
    """The event as queries show it, with its position, in a frame that is the same for all clients."""
    return _framed(b'{"type":"event","position":%d,"event":%b}' % (row.position, row.event.encode()))


def subscribed_frame(after: Position, wanted: EventFilter) -> bytes:
    return _framed(orjson.dumps({"type": "subscribed", "after": after, "filter": wanted.as_json()}))


def caught_up_frame(position: Position) -> bytes:
    return _framed(b'{"type":"caught_up","position":%d}' % position)


def heartbeat_frame(position: Position) -> bytes:
    return _framed(b'{"type":"heartbeat","position":%d}' % position)


def problem_frame(problem: Problem) -> bytes:
    return _framed(orjson.dumps({"type": "problem", "problem": problem.body()}))


def _framed(payload: bytes) -> bytes:
    """A text frame of RFC 6455, section 5.2; what a server sends is not masked, so one fits all clients."""
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", _TEXT, length) + payload
    if length < 65536:
        return struct.pack("!BBH", _TEXT, 126, length) + payload
    return struct.pack("!BBQ", _TEXT, 127, length) + payload
