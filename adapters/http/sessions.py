"""Signing in with a key, for the page: a session in a cookie that no script can read."""

from http import HTTPStatus
from typing import Annotated

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from yarl import URL

from adapters.http.bodies import Excess, whole
from adapters.http.problems import Problem
from adapters.http.routes import COOKIE, LOOPBACK, LOOPBACK_COOKIE, Content, Routes, caller_of, refuse_other_sites
from adapters.http.services import SERVICES
from adapters.http.sign_ins import REFUSED_SIGN_INS
from application.credentials import NotAuthenticated
from domain.credential import Credential
from domain.errors import FieldError, TooLarge
from domain.values import Timestamp, rfc3339
from domain.words import Role

sessions = Routes()

_JSON = "application/json"
_MOST_BYTES = 4096


class SignIn(BaseModel):
    """What signs in."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    key: Annotated[str, Field(min_length=1, max_length=1000, description="An API key.", repr=False)]


class Session(BaseModel):
    """Who is signed in."""

    name: Annotated[str, Field(description="The credential's name.")]
    source: Annotated[str, Field(description="The credential's id.")]
    role: Role
    ledger: str
    actor_id: Annotated[str | None, Field(description="For the role `user`: whose events may be read.")]
    expires_at: Annotated[Timestamp | None, Field(description="When the credential ends.")]


@sessions(
    "POST",
    "/v1/session",
    "Sign in",
    {200: ("Signed in: a cookie holds the session.", Content(_JSON, Session))},
    body=(Content(_JSON, SignIn),),
    problems=(400, 401, 403, 413, 503),
)
async def sign_in(request: web.Request) -> web.StreamResponse:
    """Takes a key once and gives a cookie that ends with the key, and after twelve hours at the latest."""
    refuse_other_sites(request)
    services = request.app[SERVICES]
    try:
        caller = await services.authenticate.authenticate((await _body(request)).key)
    except NotAuthenticated as error:
        request.app[REFUSED_SIGN_INS].note(error, request.remote)
        raise
    token, end = services.sessions.begin(caller)
    response = _session(caller)
    on_loopback = _is_plain_loopback(request)
    response.set_cookie(
        LOOPBACK_COOKIE if on_loopback else COOKIE,
        token,
        max_age=max(1, int((end - services.sessions.clock()).total_seconds())),
        path="/",
        httponly=True,
        secure=not on_loopback,
        samesite="Strict",
    )
    return response


@sessions(
    "GET",
    "/v1/session",
    "Who is signed in?",
    {200: ("This credential.", Content(_JSON, Session))},
    problems=(401, 503),
)
async def whoami(request: web.Request) -> web.StreamResponse:
    """Works with a key in the header, too. Whoever is not signed in yet is no intruder: that is not counted."""
    return _session(await caller_of(request))


@sessions("DELETE", "/v1/session", "Sign out", {204: ("Signed out.", Content(_JSON))}, problems=(403,))
async def sign_out(request: web.Request) -> web.StreamResponse:
    """Takes the cookie away; to end every session of a key, revoke the key."""
    refuse_other_sites(request)
    response = web.Response(status=HTTPStatus.NO_CONTENT)
    response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
    response.del_cookie(LOOPBACK_COOKIE, path="/", httponly=True, samesite="Strict")
    return response


async def _body(request: web.Request) -> SignIn:
    data = await whole(request, _MOST_BYTES)
    if isinstance(data, Excess):
        raise TooLarge(f"the body is larger than {_MOST_BYTES} bytes; a key is shorter")
    try:
        return SignIn.model_validate_json(data)
    except ValidationError as error:
        places = [
            FieldError("/" + "/".join(map(str, item["loc"])), item["msg"])
            for item in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise Problem(
            HTTPStatus.BAD_REQUEST, "invalid-body", "The body does not fit", 'it must be {"key": "cna_..."}', places
        ) from None


def _session(caller: Credential) -> web.Response:
    body = {
        "name": caller.name,
        "source": caller.id,
        "role": caller.role,
        "ledger": caller.ledger,
        "actor_id": caller.actor_id,
        "expires_at": caller.expires_at and rfc3339(caller.expires_at),
    }
    return web.Response(body=orjson.dumps(body), content_type=_JSON)


def _is_plain_loopback(request: web.Request) -> bool:
    """Whether the browser itself has no TLS and is on this machine: by what it calls the page, not by our socket."""
    page = URL(request.headers.get("Origin", ""))
    return page.scheme == "http" and page.host in LOOPBACK
