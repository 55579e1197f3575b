"""The aiohttp application: its routes, and what happens around each request."""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus

import structlog
from aiohttp import web

from adapters.http import metrics
from adapters.http.commands import commands
from adapters.http.entities import entities
from adapters.http.estate import estate
from adapters.http.events import events
from adapters.http.evidence import evidence
from adapters.http.exploring import exploring
from adapters.http.exports import exports
from adapters.http.feed.route import feed
from adapters.http.findings import findings
from adapters.http.health import health
from adapters.http.investigations import investigations
from adapters.http.ledger_health import ledger_health
from adapters.http.page import add_page
from adapters.http.problems import Problem, problem_of, problem_of_status
from adapters.http.quarantine import quarantine
from adapters.http.routes import CALLER, Content, Routes, guarded
from adapters.http.services import SERVICES, Services
from adapters.http.sessions import sessions
from adapters.http.sign_ins import REFUSED_SIGN_INS, RefusedSignIns
from adapters.http.tables import tables
from adapters.http.verifications import verifications
from domain.activity import Catalogue
from domain.entities.history import BrokenRecord
from domain.errors import AuditError

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_TRACE_ID = web.RequestKey("trace_id", str)
_CALLER_GONE = 499
"""No status of HTTP: in the log, of what no caller heard."""

_SAFE = {
    "Server": "certinext-audit",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

_DECIDED_BY_HANDLERS = ("Cache-Control", "Content-Security-Policy")
"""Of these the page has its own."""

description = Routes()
log = structlog.get_logger()


@description("GET", "/openapi.json", "This description", {200: ("OpenAPI 3.1.", Content("application/json"))})
async def describe(request: web.Request) -> web.StreamResponse:
    """All that the service does over HTTP."""
    body = await asyncio.to_thread(_document, request.app[SERVICES].catalogue)
    return web.Response(body=body, content_type="application/json")


@cache
def _document(catalogue: Catalogue) -> bytes:
    """Made when it is first asked for, with a library of its own: both would slow every start of a service."""
    from adapters.http.openapi import document  # noqa: PLC0415

    return document(ALL_ROUTES, catalogue)


ALL_ROUTES = [
    *commands.routes,
    *exports.routes,
    *exploring.routes,
    *events.routes,
    *evidence.routes,
    *verifications.routes,
    *tables.routes,
    *estate.routes,
    *entities.routes,
    *investigations.routes,
    *findings.routes,
    *feed.routes,
    *quarantine.routes,
    *sessions.routes,
    *ledger_health.routes,
    *health.routes,
    *description.routes,
]


def build_app(services: Services) -> web.Application:
    app = web.Application(middlewares=[_around_each_request], client_max_size=0)
    app.on_response_prepare.append(_make_safe)
    app.on_shutdown.append(_end_feeds)
    app[SERVICES] = services
    app[REFUSED_SIGN_INS] = RefusedSignIns()
    for route in ALL_ROUTES:
        app.router.add_route(route.method, route.path, guarded(route), name=route.name)
    add_page(app)
    return app


async def _make_safe(request: web.Request, response: web.StreamResponse) -> None:
    """Add to every answer, streamed ones among them, what browsers and operators need."""
    own = {name: response.headers[name] for name in _DECIDED_BY_HANDLERS if name in response.headers}
    response.headers.update(_SAFE | own | {"X-Trace-Id": request.get(_TRACE_ID, "")})


async def _end_feeds(app: web.Application) -> None:
    """Before requests are waited for: those of the feed have no end of their own."""
    app[SERVICES].feed_clients.end_all()
    app[SERVICES].feed.end_waits()


@web.middleware
async def _around_each_request(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer errors as problems; log one line and count one request, whatever happens."""
    started = time.perf_counter()
    trace_id = request[_TRACE_ID] = _trace_id(request)
    status = _CALLER_GONE
    # The requests of a connection come one after the other, each with its own.
    structlog.contextvars.bind_contextvars(trace_id=trace_id)
    try:
        response = await _answer(request, handler)
        status = response.status
    except ConnectionResetError:
        response = web.Response(status=status)  # To nobody: an error would be logged as a fault of ours.
    finally:
        _report(request, status, time.perf_counter() - started)
        request.app[SERVICES].answered()
    return response


async def _answer(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except AuditError as error:
        if isinstance(error, BrokenRecord):  # Whoever runs the service must hear of it, not only who asked.
            log.error("record_broken", position=error.position)  # noqa: TRY400 - a traceback tells nothing more.
        return problem_of(error).response()
    except Problem as problem:
        return problem.response()
    except web.RequestPayloadError:
        response = Problem(
            HTTPStatus.BAD_REQUEST,
            "invalid-encoding",
            "The body cannot be decoded",
            "the body is not what its Content-Encoding or Transfer-Encoding says",
        ).response()
        response.force_close()  # Where the next request begins cannot be known.
        return response
    except web.HTTPException as error:
        response = problem_of_status(error.status, error.reason).response()
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except Exception as error:
        if isinstance(error, ConnectionResetError) and _is_gone(request):
            raise
        log.exception("request_failed", route=_route(request))
        return Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal",
            "The service failed",
            "this is our fault; the trace id in the header X-Trace-Id finds it in our log",
        ).response()


def _is_gone(request: web.Request) -> bool:
    """Whether there is nobody left to answer."""
    return request.transport is None or request.transport.is_closing()


def _report(request: web.Request, status: int, seconds: float) -> None:
    route = _route(request)
    metrics.observe(request.method, route, status, seconds)
    caller = request.get(CALLER)
    log.info(
        "request",
        method=request.method,
        route=route,
        status=status,
        seconds=round(seconds, 6),
        remote=request.remote,
        ledger=caller and caller.ledger,
        source=caller and caller.id,
    )


def _route(request: web.Request) -> str:
    """The pattern of the path, which holds no id and no filter."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def _trace_id(request: web.Request) -> str:
    """The caller's trace id (W3C Trace Context), or a new one."""
    found = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    return found[1] if found else secrets.token_hex(16)
