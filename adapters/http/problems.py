"""Errors as RFC 9457 problems: one table says which error becomes which."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

import orjson
from aiohttp import web

from application.credentials import NotAuthenticated
from application.export_trail import TooManyExports
from application.group_commit import Overloaded
from application.reconstruct import InvalidMoment, NothingKnown
from application.verifying import AlreadyVerifying
from domain.entities.history import BrokenRecord
from domain.errors import (
    AuditError,
    FieldError,
    InvalidCommand,
    InvalidFields,
    InvalidJson,
    InvalidMessage,
    NoSigningKey,
    NotPermitted,
    StoreUnavailable,
    TooLarge,
)
from domain.receipt import CommandConflict
from domain.values import JsonObject
from domain.words import Refusal
from projections.generations import NotBuilt
from projections.proofs import EvidenceDamaged, InvalidSizes, NotCovered, NotSigned
from projections.reads import TookTooLong
from projections.tree import TreeIncomplete
from projections.waiting import NotYetProjected

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
    quarantine_id: str | None = None
    """Where what was refused is kept."""

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
        if self.quarantine_id is not None:
            body["quarantine_id"] = self.quarantine_id
        return body

    def kept_as(self, quarantine_id: str | None) -> "Problem":
        """The same problem, with word of where what it is about is kept."""
        return replace(self, quarantine_id=quarantine_id)

    def response(self) -> web.Response:
        response = web.Response(body=orjson.dumps(self.body()), status=self.status.value, content_type=CONTENT_TYPE)
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        if self.status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        if self.status is HTTPStatus.UPGRADE_REQUIRED:
            response.headers.update({"Upgrade": "websocket", "Sec-WebSocket-Version": "13"})
        return response


class UnsupportedMediaType(AuditError):
    """A body of a type that is not accepted."""


class InvalidQuery(AuditError):
    """Parameters of a query that do not fit."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.pointer}: {error.message}" for error in errors))
        self.errors = tuple(errors)


class InvalidBody(InvalidFields):
    """A body of which one or more fields do not fit."""


class NotFound(AuditError):
    """What was asked for is not there."""


class OriginRefused(AuditError):
    """A page of another site, which might use what a browser knows of its user."""


class UpgradeNeeded(AuditError):
    """A plain request where a WebSocket is needed."""


class TooManyFeeds(AuditError):
    """A credential that follows often enough already."""


_PROBLEMS: dict[type[AuditError], tuple[HTTPStatus, str, str]] = {
    InvalidJson: (HTTPStatus.BAD_REQUEST, Refusal.INVALID_JSON, "The body is not JSON"),
    NotAuthenticated: (HTTPStatus.UNAUTHORIZED, "not-authenticated", "A valid API key is needed"),
    NotPermitted: (HTTPStatus.FORBIDDEN, Refusal.NOT_PERMITTED, "The credential may not do this"),
    NotFound: (HTTPStatus.NOT_FOUND, "not-found", "There is no such thing"),
    NothingKnown: (HTTPStatus.NOT_FOUND, "nothing-known", "Nothing is known of it"),
    BrokenRecord: (HTTPStatus.CONFLICT, "broken-record", "A record does not hold"),
    TooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Refusal.TOO_LARGE, "What was sent is too large"),
    UnsupportedMediaType: (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "The type is not accepted",
    ),
    InvalidCommand: (HTTPStatus.UNPROCESSABLE_ENTITY, Refusal.INVALID_COMMAND, "Fields of the command do not fit"),
    InvalidBody: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-body", "Fields of the body do not fit"),
    InvalidQuery: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-query", "Parameters of the query do not fit"),
    InvalidSizes: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-query", "Parameters of the query do not fit"),
    NotSigned: (HTTPStatus.NOT_FOUND, "not-signed", "There is no such checkpoint"),
    NotCovered: (HTTPStatus.SERVICE_UNAVAILABLE, "not-covered", "No checkpoint covers the event yet"),
    TreeIncomplete: (HTTPStatus.SERVICE_UNAVAILABLE, "tree-incomplete", "The tree is not that far yet"),
    EvidenceDamaged: (HTTPStatus.INTERNAL_SERVER_ERROR, "evidence-damaged", "The evidence contradicts itself"),
    AlreadyVerifying: (HTTPStatus.CONFLICT, "already-verifying", "The ledger is being verified now"),
    NoSigningKey: (HTTPStatus.SERVICE_UNAVAILABLE, "no-signing-key", "The service has no key to sign with"),
    InvalidMessage: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-message", "Fields of the message do not fit"),
    OriginRefused: (HTTPStatus.FORBIDDEN, "origin-refused", "The page's origin may not do this"),
    UpgradeNeeded: (HTTPStatus.UPGRADE_REQUIRED, "upgrade-required", "This is a WebSocket"),
    TooManyFeeds: (HTTPStatus.TOO_MANY_REQUESTS, "too-many-feeds", "The credential follows often enough already"),
    StoreUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "The service cannot do this now"),
    Overloaded: (HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "Too much is waiting to be recorded"),
    TooManyExports: (HTTPStatus.SERVICE_UNAVAILABLE, "too-many-exports", "Too many exports run already"),
    TookTooLong: (HTTPStatus.SERVICE_UNAVAILABLE, "took-too-long", "The query took too long"),
    NotYetProjected: (HTTPStatus.SERVICE_UNAVAILABLE, "not-yet-projected", "The table is not that far yet"),
    NotBuilt: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "The service is not ready yet"),
}


def problem_of(error: AuditError | CommandConflict) -> Problem:
    """The problem that tells a caller about an error. Raises the error itself if it is not for callers."""
    if isinstance(error, CommandConflict):
        return Problem(
            HTTPStatus.CONFLICT,
            Refusal.COMMAND_CONFLICT,
            "The command id was used before",
            f"command_id {error.command_id!r} belongs to another command, recorded at position {error.position}",
            (FieldError("/command_id", "was used for a command of other content"),),
        )
    if isinstance(error, InvalidMoment):
        error = InvalidQuery([FieldError(error.parameter, error.message)])
    try:
        status, kind, title = _PROBLEMS[type(error)]
    except KeyError:
        raise error from None
    passing = isinstance(error, TooManyFeeds) or (
        status is HTTPStatus.SERVICE_UNAVAILABLE and not isinstance(error, TookTooLong)
    )
    detail = "the database does not answer; try again" if isinstance(error, StoreUnavailable) else str(error)
    errors = error.errors if isinstance(error, InvalidFields | InvalidQuery | InvalidSizes) else ()
    return Problem(
        status,
        kind,
        title,
        detail,
        errors,
        parameters=isinstance(error, InvalidQuery | InvalidSizes),
        retry_after=1 if passing else None,
    )


def problem_of_status(status: int, reason: str) -> Problem:
    """The problem for what aiohttp itself refuses, as an unknown path."""
    return Problem(HTTPStatus(status), HTTPStatus(status).phrase.lower().replace(" ", "-"), reason, reason)
