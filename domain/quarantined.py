"""What modules sent and nobody could understand: it is kept as it came, with its reason, source and time."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from domain.errors import FieldError
from domain.span import Span
from domain.values import Identifier, JsonObject, Timestamp, rfc3339
from domain.words import Ledger, Position, QuarantineState, Refusal

KEPT_OF_TOO_LARGE = 64 * 1024
"""How many bytes are kept of what is too large: enough to see who sent what."""

_LONGEST_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused, as its sender was told."""

    kind: Refusal
    title: str
    detail: str
    errors: Sequence[FieldError] = ()

    def shortened(self) -> "Reason":
        """With the beginning of long words only: a small body may have more to complain about than it is long."""
        return Reason(self.kind, self.title, self.detail[:_LONGEST_TEXT], tuple(self._first_errors()))

    def _first_errors(self) -> Iterator[FieldError]:
        length = 0
        for error in self.errors:
            length += len(error.pointer) + len(error.message)
            if length > _LONGEST_TEXT:
                return
            yield error

    def as_json(self) -> JsonObject:
        return {
            "kind": self.kind,
            "title": self.title,
            "detail": self.detail,
            "errors": [{"pointer": error.pointer, "detail": error.message} for error in self.errors],
        }


@dataclass(frozen=True, slots=True)
class Refused:
    """What one command was refused for: its bytes, or the beginning of what is too large."""

    body: bytes
    size: int | None
    """How many bytes were sent; None if only that they were more is known."""
    reason: Reason


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something in quarantine, without its bytes."""

    ledger: Ledger
    id: str
    """A UUID of version 7, so that the order of ids is that of time."""
    source: str
    """The id of the credential that sent it."""
    sha256: bytes
    """Of the bytes that are kept. The same bytes of the same source are kept once, and counted."""
    size: int | None
    """How many bytes were sent; None if only that they were more than are kept is known."""
    truncated: bool
    reason: Reason
    """Why it was refused the first time."""
    received_at: datetime
    last_received_at: datetime
    count: int = 1
    """How often it came."""
    retried_at: datetime | None = None
    """When a retry succeeded."""
    position: Position | None = None
    """Where the event is that it became by then."""

    def as_json(self) -> JsonObject:
        return {
            "id": self.id,
            "ledger": self.ledger,
            "source": self.source,
            "received_at": rfc3339(self.received_at),
            "last_received_at": rfc3339(self.last_received_at),
            "count": self.count,
            "reason": self.reason.as_json(),
            "sha256": self.sha256.hex(),
            "size": self.size,
            "truncated": self.truncated,
            "retried_at": rfc3339(self.retried_at) if self.retried_at else None,
            "position": self.position,
        }


def body_as_json(body: bytes) -> JsonObject:
    """Bytes as JSON can hold them: as text if they are UTF-8, and otherwise in base64."""
    try:
        return {"body": body.decode(), "body_encoding": "utf-8"}
    except UnicodeDecodeError:
        return {"body": b64encode(body).decode(), "body_encoding": "base64"}


class QuarantineFilter(Span):
    """Which of what is in quarantine is wanted. Values of one filter are alternatives; different ones must all hold."""

    source: Annotated[tuple[Identifier, ...], Field(description="The id of the credential that sent it.")] = ()
    kind: Annotated[tuple[Refusal, ...], Field(description="Why it was refused the first time.")] = ()
    from_: Annotated[Timestamp | None, Field(alias="from", description="First received at this time or later.")] = None
    to: Annotated[Timestamp | None, Field(description="First received before this time.")] = None
    state: Annotated[
        QuarantineState | None, Field(description="`waiting`, or `retried` with success; both if left out.")
    ] = None
