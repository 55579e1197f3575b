"""Errors as RFC 9457 problems: one table says which error becomes which."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from aiohttp import web

from application.credentials import NotAuthenticated
from application.group_commit import Overloaded
from domain.errors import (
    AuditError,
    FieldError,
    InvalidCommand,
    InvalidJson,
    NotPermitted,
    StoreUnavailable,
)
from domain.receipt import CommandConflict
from domain.values import JsonObject
from projections.generations import NotBuilt
from projections.reads import NotYetProjected

CONTENT_TYPE = "application/problem+json"
_TYPE = "urn:certinext-audit:problem:"


@dataclass(frozen=True)
class Problem(Exception):
    """A problem to be answered; raise it to end a request with it."""

    status: HTTPStatus
    kind: str
    """Names the type of problem in its URN."""
    title: str
    detail: str
    errors: Sequence[FieldError] = ()
    parameters: bool = False
    """Whether the errors name parameters of the query, and not places in the body."""
    retry_after: int | None = None

    def body(self) -> JsonObject:
        body: JsonObject = {
            "type": _TYPE + self.kind,
            "title": self.title,
            "status": self.status.value,
            "detail": self.detail,
        }
        if self.errors:
            name = "parameter" if self.parameters else "pointer"
            body["errors"] = [{name: error.pointer, "detail": error.message} for error in self.errors]
        return body

    def response(self) -> web.Response:
        response = web.Response(body=orjson.dumps(self.body()), status=self.status.value, content_type=CONTENT_TYPE)
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        if self.status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response


class TooLarge(AuditError):
    """A command that is larger than is accepted."""


class UnsupportedMediaType(AuditError):
    """A body of a type that is not accepted."""


class InvalidQuery(AuditError):
    """Parameters of a query that do not fit."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.pointer}: {error.message}" for error in errors))
        self.errors = tuple(errors)


class NotFound(AuditError):
    """What was asked for is not there."""


_PROBLEMS: dict[type[AuditError], tuple[HTTPStatus, str, str]] = {
    InvalidJson: (HTTPStatus.BAD_REQUEST, "invalid-json", "The body is not JSON"),
    NotAuthenticated: (HTTPStatus.UNAUTHORIZED, "not-authenticated", "A valid API key is needed"),
    NotPermitted: (HTTPStatus.FORBIDDEN, "not-permitted", "The credential may not do this"),
    NotFound: (HTTPStatus.NOT_FOUND, "not-found", "There is no such thing"),
    TooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "The command is too large"),
    UnsupportedMediaType: (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "The type is not accepted",
    ),
    InvalidCommand: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-command", "Fields of the command do not fit"),
    InvalidQuery: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-query", "Parameters of the query do not fit"),
    StoreUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "The service cannot do this now"),
    Overloaded: (HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "Too much is waiting to be recorded"),
    NotYetProjected: (HTTPStatus.SERVICE_UNAVAILABLE, "not-yet-projected", "The table is not that far yet"),
    NotBuilt: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "The service is not ready yet"),
}


def problem_of(error: AuditError | CommandConflict) -> Problem:
    """The problem that tells a caller about an error. Raises the error itself if it is not for callers."""
    if isinstance(error, CommandConflict):
        return Problem(
            HTTPStatus.CONFLICT,
            "command-conflict",
            "The command id was used before",
            f"command_id {error.command_id!r} belongs to another command, recorded at position {error.position}",
            (FieldError("/command_id", "was used for a command of other content"),),
        )
    try:
        status, kind, title = _PROBLEMS[type(error)]
    except KeyError:
        raise error from None
    unavailable = status is HTTPStatus.SERVICE_UNAVAILABLE
    detail = "the database does not answer; try again" if isinstance(error, StoreUnavailable) else str(error)
    errors = error.errors if isinstance(error, InvalidCommand | InvalidQuery) else ()
    return Problem(
        status,
        kind,
        title,
        detail,
        errors,
        parameters=isinstance(error, InvalidQuery),
        retry_after=1 if unavailable else None,
    )


def problem_of_status(status: int, reason: str) -> Problem:
    """The problem for what aiohttp itself refuses, as an unknown path."""
    return Problem(HTTPStatus(status), HTTPStatus(status).phrase.lower().replace(" ", "-"), reason, reason)
