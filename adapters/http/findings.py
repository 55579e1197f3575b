"""Findings: what does not add up, and what people said about it."""

from typing import Annotated

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from adapters.http.bodies import understood
from adapters.http.events import Fresh, link_next, origin
from adapters.http.parameters import parse
from adapters.http.problems import NotFound
from adapters.http.receipts import ReceiptBody, receipt_body
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.schemas import Page
from adapters.http.services import SERVICES
from domain.command import Entity
from domain.errors import InvalidCommand
from domain.findings.finding import Severity
from domain.values import JsonObject, Timestamp, rfc3339
from domain.words import FindingStatus, Position, Role
from projections.findings_query import FindingFilter
from projections.reads import Freshness, Wait

findings = Routes()

_AUDITORS = frozenset({Role.AUDITOR})
_JSON = "application/json"
_Id = Annotated[str, Field(strict=True, pattern=r"^[^\x00]+$")]
_BEFORE: TypeAdapter[tuple[Timestamp, _Id]] = TypeAdapter(tuple[Timestamp, _Id])


class FindingsPaging(Fresh):
    """Which page of the result, and how fresh."""

    limit: Annotated[int, Field(ge=1, le=1000, description="How many findings at most.")] = 50
    cursor: Annotated[str | None, Field(min_length=1, max_length=4000, description="`next` of the page before.")] = None


class EvidenceBody(BaseModel):
    """An event that proves it."""

    position: int
    event_id: str


class FindingBody(BaseModel):
    """A finding."""

    finding_id: str
    rule: str
    rule_version: int
    title: str
    severity: Severity
    status: FindingStatus
    entity: Annotated[Entity, Field(description="What it is about.")]
    actor_id: Annotated[str | None, Field(description="The actor of its last event.")]
    words: str
    controls: Annotated[list[str], Field(description="The controls that it serves.")]
    evidence: list[EvidenceBody]
    first_occurred_at: Timestamp
    last_occurred_at: Timestamp
    position: Annotated[int, Field(description="The event by which it was found, or has grown.")]
    remark: Annotated[
        JsonObject | None,
        Field(description="Who acknowledged it, when and with which comment; or the event that explained it."),
    ]


class FindingsPage(Page):
    """A page of findings."""

    findings: list[FindingBody]


class OneFinding(BaseModel):
    """One finding, and how fresh that is."""

    finding: FindingBody
    position: int
    set_aside: int


class Acknowledgement(BaseModel):
    """What came of looking into a finding."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    comment: Annotated[str, Field(min_length=1, max_length=32_768, description="For those who read it later.")]


@findings(
    "GET",
    "/v1/findings",
    "Find what does not add up",
    {200: ("A page of findings, newest first.", Content(_JSON, FindingsPage))},
    roles=_AUDITORS,
    query=(FindingFilter, FindingsPaging),
    problems=(422,),
)
async def list_findings(request: web.Request) -> web.StreamResponse:
    """By when the first of their events occurred. Recorded as a search before it is answered."""
    services, caller = request.app[SERVICES], request[CALLER]
    wanted, paging = parse(request, FindingFilter, FindingsPaging)
    asked: JsonObject = {
        "table": "findings",
        "ledger": caller.ledger,
        "caller": caller.id,
        "filters": wanted.as_json(),
    }
    before = services.cursors.decode(asked, paging.cursor, _BEFORE) if paging.cursor else None
    rows, freshness = await services.estate.findings(caller.ledger, wanted, before, paging.limit, paging.wait(services))
    await services.self_audit.searched(caller, wanted.as_json() | {"table": "findings"}, len(rows), origin(request))
    following = None
    if len(rows) == paging.limit:
        following = services.cursors.encode(asked, [rfc3339(rows[-1].first_occurred_at), rows[-1].id])
    body = {"findings": [row.as_json() for row in rows], "next": following, **_fresh(freshness)}
    response = web.Response(body=orjson.dumps(body), content_type=_JSON)
    link_next(request, response, following)
    return response


@findings(
    "GET",
    "/v1/findings/{finding_id}",
    "Read one finding",
    {200: ("The finding.", Content(_JSON, OneFinding))},
    roles=_AUDITORS,
    query=(Fresh,),
    problems=(404, 422),
)
async def read_finding(request: web.Request) -> web.StreamResponse:
    """Its evidence is read by `GET /v1/events/{event_id}`."""
    services, caller = request.app[SERVICES], request[CALLER]
    fresh, _ = parse(request, Fresh, _Nothing)
    finding_id = request.match_info["finding_id"]
    row, freshness = await services.estate.finding(caller.ledger, finding_id, fresh.wait(services))
    if row is None:
        raise _nothing(finding_id, caller.ledger)
    await services.self_audit.searched(caller, {"finding_id": finding_id}, 1, origin(request))
    return web.Response(body=orjson.dumps({"finding": row.as_json(), **_fresh(freshness)}), content_type=_JSON)


@findings(
    "POST",
    "/v1/findings/{finding_id}/acknowledgements",
    "Say what came of looking into a finding",
    {201: ("It is recorded as an event.", Content(_JSON, ReceiptBody))},
    roles=_AUDITORS,
    body=(Content(_JSON, Acknowledgement),),
    problems=(400, 404, 413, 415, 422),
)
async def acknowledge_finding(request: web.Request) -> web.StreamResponse:
    """The finding is open again once there is new evidence."""
    services, caller = request.app[SERVICES], request[CALLER]
    comment = (await understood(request, Acknowledgement, services.limits.command_bytes, InvalidCommand)).comment
    finding_id = request.match_info["finding_id"]
    row, _ = await services.estate.finding(caller.ledger, finding_id, Wait(Position(0)))
    if row is None:
        raise _nothing(finding_id, caller.ledger)
    receipt = await services.self_audit.finding_acknowledged(caller, row.id, row.rule, comment, origin(request))
    return web.Response(body=orjson.dumps(receipt_body(receipt)), status=201, content_type=_JSON)


class _Nothing(BaseModel):
    """No further parameters."""


def _fresh(freshness: Freshness) -> JsonObject:
    return {"position": freshness.position, "set_aside": freshness.set_aside}


def _nothing(finding_id: str, ledger: str) -> NotFound:
    return NotFound(f"there is no finding {finding_id[:300]!r} in the ledger {ledger}")
