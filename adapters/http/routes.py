"""Routes: a handler with who may call it and what it takes and gives, from which the API's description follows."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel
from yarl import URL

from adapters.http.problems import problem_of
from adapters.http.services import SERVICES
from adapters.http.sign_ins import REFUSED_SIGN_INS
from application.credentials import NotAuthenticated, SignInRefusal
from domain.credential import Credential
from domain.errors import NotPermitted
from domain.words import Role

COOKIE = "__Host-certinext-audit"
LOOPBACK_COOKIE = "certinext-audit-loopback"
"""For a browser on the service's own machine, where there is no TLS: browsers do not all take the other one there."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

CALLER = web.RequestKey("caller", Credential)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Content:
    """A body: its media type and its shape, which is None where the type says it all."""

    media_type: str
    model: type[BaseModel] | None = None
    optional: bool = False
    """Whether a request may come without it."""


@dataclass(frozen=True)
class Route:
    """One operation of the API."""

    method: str
    path: str
    summary: str
    handler: Handler
    roles: frozenset[Role]
    """Who may call it; empty for everybody, without a key."""
    query: tuple[type[BaseModel], ...]
    body: tuple[Content, ...]
    answers: Mapping[int, tuple[str, Content]]
    problems: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.handler.__name__


class Routes:
    """The routes of one file, in the order of their declaration."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def __call__(
        self,
        method: str,
        path: str,
        summary: str,
        answers: Mapping[int, tuple[str, Content]],
        *,
        roles: frozenset[Role] = frozenset(),
        query: tuple[type[BaseModel], ...] = (),
        body: tuple[Content, ...] = (),
        problems: tuple[int, ...] = (),
    ) -> Callable[[Handler], Handler]:
        """Declare the decorated handler; its docstring is the operation's description."""

        def declare(handler: Handler) -> Handler:
            every = (401, 403, 503) if roles else ()
            route = Route(method, path, summary, handler, roles, query, body, answers, (*problems, *every))
            self.routes.append(route)
            return handler

        return declare


def guarded(route: Route) -> Handler:
    """The handler behind the check of its caller."""
    if not route.roles:
        return route.handler

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            caller = await caller_of(request)
        except NotAuthenticated as error:
            request.app[REFUSED_SIGN_INS].note(error, request.remote)
            return problem_of(error).response()
        request[CALLER] = caller
        if caller.role not in route.roles:
            raise NotPermitted(f"this needs the role {' or '.join(sorted(route.roles))}, not {caller.role}")
        return await route.handler(request)

    return handle


async def caller_of(request: web.Request) -> Credential:
    """By the key in the header or, without one, by the session in the cookie."""
    services = request.app[SERVICES]
    token = session_token(request)
    if token is None or "Authorization" in request.headers:
        return await services.authenticate.authenticate(_key(request))
    if request.method not in {"GET", "HEAD"} or "Upgrade" in request.headers:
        refuse_other_sites(request)
    return await services.sessions.caller(token)


def session_token(request: web.Request) -> str | None:
    """The token in the cookie; the weaker cookie counts only where the service is called by a name of this machine."""
    if COOKIE in request.cookies:
        return request.cookies[COOKIE]
    return request.cookies.get(LOOPBACK_COOKIE) if _page(f"//{request.host}").host in LOOPBACK else None


def refuse_other_sites(request: web.Request) -> None:
    """Raise NotPermitted unless the request comes from our own page.

    Browsers name the page in `Origin`, and no page of another site can change that: so what a cookie permits cannot
    be had by luring somebody elsewhere.
    """
    if _page(request.headers.get("Origin", "")).authority != request.host:
        raise NotPermitted("a session may be used by the service's own page only (the header Origin names another)")


def _page(address: str) -> URL:
    """An address that somebody sent; nowhere, if it is none."""
    try:
        return URL(address)
    except ValueError:
        return URL()


def _key(request: web.Request) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise NotAuthenticated(SignInRefusal.MISSING, "send the API key in the header `Authorization: Bearer <key>`")
    if not key.isascii():
        raise NotAuthenticated(SignInRefusal.UNKNOWN, "the API key is unknown")
    return key.strip()
