"""The quarantine: keeping what is refused, and what an operator does with it."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from adapters.http import metrics
from adapters.http.bodies import Excess, Sent
from adapters.http.events import link_next
from adapters.http.parameters import parse
from adapters.http.problems import NotFound, Problem, problem_of
from adapters.http.receipts import ReceiptBody, receipt_body
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.schemas import QuarantinedBody, QuarantinedWithBody
from adapters.http.services import SERVICES, Services
from domain.credential import Credential
from domain.errors import StoreUnavailable
from domain.quarantined import QuarantineFilter, Reason, Refused, body_as_json
from domain.receipt import Receipt
from domain.values import JsonObject
from domain.words import Refusal, Role

quarantine = Routes()
log = structlog.get_logger()

_OPERATORS = frozenset({Role.OPERATOR})
_JSON = "application/json"
_BEFORE: TypeAdapter[tuple[UUID]] = TypeAdapter(tuple[UUID])


async def kept(services: Services, caller: Credential, refused: Sequence[tuple[Sent, Problem]]) -> list[Problem]:
    """The problems with the ids under which what they are about is kept by now.

    If it cannot be kept, the problem is that, for all of them: their sender has them still.
    """
    try:
        ids = await services.keep_refused.keep(caller, [_refused(sent, problem) for sent, problem in refused])
    except StoreUnavailable as error:
        return [problem_of(error)] * len(refused)
    for _, problem in refused:
        metrics.QUARANTINED.labels(problem.kind).inc()
    if dropped := Counter(problem.kind for (_, problem), kept_as in zip(refused, ids, strict=True) if kept_as is None):
        metrics.QUARANTINE_FULL.inc(dropped.total())
        log.warning("quarantine_full", ledger=caller.ledger, source=caller.id, not_kept=dict(dropped))
    return [problem.kept_as(kept_as) for (_, problem), kept_as in zip(refused, ids, strict=True)]


def _refused(sent: Sent, problem: Problem) -> Refused:
    reason = Reason(Refusal(problem.kind), problem.title, problem.detail, problem.errors)
    if isinstance(sent, Excess):
        return Refused(sent.beginning, sent.size, reason)
    return Refused(sent, len(sent), reason)


class QuarantinePaging(BaseModel):
    """Which page of the result."""

    model_config = ConfigDict(frozen=True)

    limit: Annotated[int, Field(ge=1, le=1000, description="How many at most.")] = 100
    cursor: Annotated[str | None, Field(min_length=1, max_length=4000, description="`next` of the page before.")] = None


class QuarantinePage(BaseModel):
    """A page of the quarantine, newest first."""

    quarantine: list[QuarantinedBody]
    next: Annotated[str | None, Field(description="The cursor of the next page; null on the last.")]


@quarantine(
    "GET",
    "/v1/quarantine",
    "List commands that could not be understood",
    {200: ("A page of them.", Content(_JSON, QuarantinePage))},
    roles=_OPERATORS,
    query=(QuarantineFilter, QuarantinePaging),
    problems=(422,),
)
async def list_quarantine(request: web.Request) -> web.StreamResponse:
    """Newest first, without what was sent. The same bytes of the same source are kept once, and counted."""
    services, caller = request.app[SERVICES], request[CALLER]
    wanted, paging = parse(request, QuarantineFilter, QuarantinePaging)
    asked: JsonObject = {
        "table": "quarantine",
        "ledger": caller.ledger,
        "caller": caller.id,
        "filters": wanted.as_json(),
    }
    before = str(services.cursors.decode(asked, paging.cursor, _BEFORE)[0]) if paging.cursor else None
    found = await services.quarantine.page(caller.ledger, wanted, before, paging.limit)
    following = services.cursors.encode(asked, [found[-1].id]) if len(found) == paging.limit else None
    body = {"quarantine": [one.as_json() for one in found], "next": following}
    response = web.Response(body=orjson.dumps(body), content_type=_JSON)
    link_next(request, response, following)
    return response


@quarantine(
    "GET",
    "/v1/quarantine/{quarantine_id}",
    "Read what was sent and could not be understood",
    {200: ("What was sent, and why it was refused.", Content(_JSON, QuarantinedWithBody))},
    roles=_OPERATORS,
    problems=(404,),
)
async def read_quarantined(request: web.Request) -> web.StreamResponse:
    """It is no event, but it may hold personal data all the same."""
    quarantined_id, ledger = _id(request), request[CALLER].ledger
    found = await request.app[SERVICES].quarantine.find(ledger, quarantined_id)
    if found is None:
        raise _nothing(quarantined_id, ledger)
    quarantined, body = found
    return web.Response(body=orjson.dumps(quarantined.as_json() | body_as_json(body)), content_type=_JSON)


@quarantine(
    "POST",
    "/v1/quarantine/{quarantine_id}/retry",
    "Try again to record what was refused",
    {200: ("It is recorded, now or before.", Content(_JSON, ReceiptBody))},
    roles=_OPERATORS,
    problems=(400, 404, 409, 413, 422),
)
async def retry_quarantined(request: web.Request) -> web.StreamResponse:
    """It is recorded under the credential that sent it. What is refused again stays, and the problem says why."""
    quarantined_id, ledger = _id(request), request[CALLER].ledger
    answer = await request.app[SERVICES].retry_quarantined.retry(ledger, quarantined_id)
    if answer is None:
        raise _nothing(quarantined_id, ledger)
    if not isinstance(answer, Receipt):
        return problem_of(answer).kept_as(quarantined_id).response()
    return web.Response(body=orjson.dumps(receipt_body(answer)), content_type=_JSON)


def _id(request: web.Request) -> str:
    text = request.match_info["quarantine_id"]
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound(f"{text[:100]!r} is not an id in quarantine, which is a UUID") from None


def _nothing(quarantined_id: str, ledger: str) -> NotFound:
    return NotFound(f"there is no {quarantined_id} in the quarantine of the ledger {ledger}")
