"""How one ledger stands, for those who look after it."""

from datetime import datetime
from typing import Annotated

import orjson
from aiohttp import web
from pydantic import BaseModel, Field

from adapters.http.routes import CALLER, Content, Routes
from adapters.http.services import SERVICES
from adapters.http.verifications import VerificationBody
from domain.checkpoint import SignedCheckpoint
from domain.values import JsonObject, Timestamp, rfc3339
from domain.verification_run import VerificationRun
from domain.words import Role
from projections.reads import AT_ONCE

ledger_health = Routes()

_JSON = "application/json"


class CheckpointStanding(BaseModel):
    """What was signed last."""

    size: int
    signed_at: Timestamp


class LedgerHealth(BaseModel):
    """A ledger, and what follows it. It tells nothing that an event says."""

    ledger: str
    position: Annotated[int, Field(description="The last event recorded: so many there are.")]
    applied: Annotated[int, Field(description="The last event that queries show.")]
    set_aside: Annotated[int, Field(description="How many events could not be applied and are missing in queries.")]
    checkpoint: Annotated[CheckpointStanding | None, Field(description="Null while nothing is signed yet.")]
    quarantined: Annotated[int, Field(description="How many refused commands wait for an operator.")]
    verification: Annotated[VerificationBody | None, Field(description="The latest, be it of what was new alone.")]
    whole_verification: Annotated[VerificationBody | None, Field(description="The latest of everything.")]


@ledger_health(
    "GET",
    "/v1/health",
    "How does the ledger stand?",
    {200: ("Its size, and what is signed, shown, refused and verified.", Content(_JSON, LedgerHealth))},
    roles=frozenset({Role.AUDITOR, Role.OPERATOR}),
)
async def read_ledger_health(request: web.Request) -> web.StreamResponse:
    """Of the caller's ledger; `/readyz` tells of the service. It is no search, and is not recorded."""
    services, ledger = request.app[SERVICES], request[CALLER].ledger
    verifications = services.verifications
    freshness = await services.reads.freshness(ledger, AT_ONCE)
    body = {
        "ledger": ledger,
        "applied": freshness.position,
        "set_aside": freshness.set_aside,
        "checkpoint": _checkpoint(await services.signer.store.latest(ledger)),
        "quarantined": await services.quarantine.waiting_in(ledger),
        "verification": _verification(await verifications.store.last(ledger), verifications.clock()),
        "whole_verification": _verification(await verifications.store.last_whole(ledger), verifications.clock()),
        # Asked last, so that it is never behind the others.
        "position": await services.reads.head(ledger),
    }
    return web.Response(body=orjson.dumps(body), content_type=_JSON)


def _checkpoint(signed: SignedCheckpoint | None) -> JsonObject | None:
    return None if signed is None else {"size": signed.size, "signed_at": rfc3339(signed.signed_at)}


def _verification(run: VerificationRun | None, now: datetime) -> JsonObject | None:
    return None if run is None else run.as_json(now)
