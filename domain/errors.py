"""What the domain refuses, as values that people can act on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that does not fit."""

    pointer: str
    """A JSON Pointer (RFC 6901) into what was sent; empty for the whole."""
    message: str


class AuditError(Exception):
    """Base of what the audit trail raises on purpose."""


class InvalidJson(AuditError):
    """What was sent is not JSON."""


class InvalidFields(AuditError):
    """Something that was sent, of which one or more fields do not fit."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.pointer or '/'}: {error.message}" for error in errors))
        self.errors = tuple(errors)


class InvalidCommand(InvalidFields):
    """A command of which one or more fields do not fit."""


class InvalidMessage(InvalidFields):
    """A message of a feed's client of which one or more fields do not fit."""


class UnreadableEvent(AuditError):
    """A stored event that cannot be turned back into a domain event."""


class StoreUnavailable(AuditError):
    """The database does not answer now; what was asked may or may not have happened, and may be asked again."""


class NoSigningKey(AuditError):
    """The key that signs checkpoints cannot be had."""


class NotPermitted(AuditError):
    """The caller is known, and may not do this."""


class TooLarge(AuditError):
    """A command that is larger than is accepted."""


def pointer(path: Iterable[str | int]) -> str:
    """A JSON Pointer (RFC 6901) from the steps of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
