"""For those who run the service: liveness, readiness, metrics."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from math import nan
from typing import Annotated, Any

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from adapters.http import metrics
from adapters.http.routes import Content, Routes
from adapters.http.services import SERVICES
from application.group_commit import GroupCommit
from domain.errors import StoreUnavailable
from projections.reads import ProjectorState

health = Routes()

_JSON = "application/json"
_FAILURE_TELLS_SECONDS = 15.0
"""How long a failed append speaks for the next: a balancer that believes us sends none, and only trying can tell."""


class Liveness(BaseModel):
    """The process answers."""

    status: str


class ProjectorReadiness(BaseModel):
    """How a projector stands."""

    lag: int
    stuck: bool
    set_aside: int


class LedgerReadiness(StrEnum):
    """Whether events can be appended, as far as appends of this process have shown."""

    READY = "ready"
    REFUSES = "refuses"
    """The last append failed, moments ago."""
    UNTRIED = "untried"
    """The last append failed, and none has been tried since for longer than that tells anything."""
    UNAVAILABLE = "unavailable"


class Readiness(BaseModel):
    """`ready`; `degraded` if a table misses events or does not move, or checkpoints are refused; `alarm` if a
    ledger was found to be tampered with; `unavailable` if nothing can be recorded."""

    status: str
    database: str
    ledger: LedgerReadiness
    checkpoints: str
    verification: Annotated[str, Field(description="`tampered` from a bad verdict on until a good one of everything.")]
    projectors: dict[str, ProjectorReadiness]


@health("GET", "/healthz", "Is the process alive?", {200: ("It is.", Content(_JSON, Liveness))})
async def liveness(request: web.Request) -> web.StreamResponse:  # noqa: ARG001  # Of the signature of handlers.
    """Asks nothing of the database."""
    return web.Response(body=b'{"status":"alive"}', content_type=_JSON)


@health(
    "GET",
    "/readyz",
    "Can it serve?",
    {200: ("It can.", Content(_JSON, Readiness)), 503: ("It cannot.", Content(_JSON, Readiness))},
)
async def readiness(request: web.Request) -> web.StreamResponse:
    """Asks the database, and says whether appends succeed and how far the projectors are behind."""
    services = request.app[SERVICES]
    parts: dict[str, Any] = {"database": "unavailable", "ledger": LedgerReadiness.UNAVAILABLE}
    parts |= dict.fromkeys(("checkpoints", "verification"), "unknown")
    try:
        states = await services.reads.projectors()
        refused = await services.signer.store.alarms()
        tampered = await services.verifications.store.alarms()
    except StoreUnavailable:
        return _ready("unavailable", parts, ())
    parts["database"] = "ready"
    parts["ledger"] = ledger = _ledger(services.appends)
    parts["checkpoints"] = "refused" if refused else "ready"
    parts["verification"] = "tampered" if tampered else "ready"
    limps = refused or ledger is LedgerReadiness.UNTRIED or any(state.set_aside or state.stuck for state in states)
    # Whoever finds tampering goes on taking commands: what happens while it is looked into must not be lost.
    status = "alarm" if tampered else "degraded" if limps else "ready"
    return _ready("unavailable" if ledger is LedgerReadiness.REFUSES else status, parts, states)


def _ledger(appends: GroupCommit) -> LedgerReadiness:
    if appends.failed_at is None:
        return LedgerReadiness.READY
    silent = asyncio.get_running_loop().time() - appends.failed_at
    return LedgerReadiness.REFUSES if silent < _FAILURE_TELLS_SECONDS else LedgerReadiness.UNTRIED


def _ready(status: str, parts: dict[str, Any], states: Sequence[ProjectorState]) -> web.StreamResponse:
    projectors = {
        state.projection: {"lag": state.lag, "stuck": state.stuck, "set_aside": state.set_aside} for state in states
    }
    code = HTTPStatus.SERVICE_UNAVAILABLE if status == "unavailable" else HTTPStatus.OK
    body = {"status": status, **parts, "projectors": projectors}
    return web.Response(body=orjson.dumps(body), status=code, content_type=_JSON)


@health("GET", "/metrics", "Figures for Prometheus", {200: ("All figures.", Content("text/plain"))})
async def figures(request: web.Request) -> web.StreamResponse:
    """Lag, set-aside events, quarantine and alarms are asked of the database, and unknown without it."""
    services = request.app[SERVICES]
    metrics.LAG.clear()
    metrics.SET_ASIDE.clear()
    try:
        metrics.WAITING.set(await services.quarantine.waiting())
        for state in await services.reads.projectors():
            metrics.LAG.labels(state.projection).set(state.lag)
            metrics.SET_ASIDE.labels(state.projection).set(state.set_aside)
        metrics.SIGNING_ALARMS.set(await services.signer.store.alarms())
        metrics.VERIFICATION_ALARMS.set(await services.verifications.store.alarms())
        metrics.DATABASE_UP.set(1)
    except StoreUnavailable:
        metrics.DATABASE_UP.set(0)
        metrics.WAITING.set(nan)
        metrics.SIGNING_ALARMS.set(nan)
        metrics.VERIFICATION_ALARMS.set(nan)
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
