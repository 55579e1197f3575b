"""Taking commands in: one as JSON, or a stream of them as lines."""

from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from tempfile import SpooledTemporaryFile

import orjson
from aiohttp import web

from adapters.http import metrics
from adapters.http.bodies import Excess, Sent, lines, whole
from adapters.http.problems import Problem, UnsupportedMediaType, problem_of
from adapters.http.quarantine import kept
from adapters.http.receipts import ReceiptBody, receipt_body
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.services import SERVICES, Limits, Services
from application.group_commit import Overloaded
from domain import canonical
from domain.command import Envelope
from domain.credential import Credential
from domain.errors import AuditError, InvalidJson, StoreUnavailable, TooLarge
from domain.receipt import Receipt
from domain.values import JsonObject
from domain.words import Role

commands = Routes()

_JSON, _LINES = "application/json", "application/x-ndjson"
_RESULTS_IN_MEMORY = 4 * 1024 * 1024
_SEND = 256 * 1024


@commands(
    "POST",
    "/v1/commands",
    "Record what a module did",
    {
        201: ("The command is recorded, now or before.", Content(_JSON, ReceiptBody)),
        200: ("For lines: a receipt or a problem for each, in their order.", Content(_LINES)),
    },
    roles=frozenset({Role.MODULE}),
    body=(Content(_JSON, Envelope), Content(_LINES)),
    problems=(400, 409, 413, 415, 422),
)
async def record_commands(request: web.Request) -> web.StreamResponse:
    """One command as JSON, or one in each line. A command may be sent again at any time: it is recorded once."""
    services, caller = request.app[SERVICES], request[CALLER]
    _check_type(request)
    if request.content_type == _LINES:
        return await _record_lines(request, services, caller)
    (outcome,) = await _outcomes(services, caller, [await whole(request, services.limits.command_bytes)])
    if isinstance(outcome, Problem):
        return outcome.response()
    return web.Response(
        body=orjson.dumps(receipt_body(outcome)),
        status=HTTPStatus.CREATED,
        content_type=_JSON,
        headers={"Location": f"/v1/events/{outcome.event_id}?min_position={outcome.position}"},
    )


def _check_type(request: web.Request) -> None:
    if request.content_type not in (_JSON, _LINES):
        raise UnsupportedMediaType(f"send {_JSON} or {_LINES}, not {request.content_type}")
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(f"send JSON in UTF-8 (RFC 8259, section 8.1), not in {request.charset}")


async def _record_lines(request: web.Request, services: Services, caller: Credential) -> web.StreamResponse:
    """Record the lines while they come in, and answer when the last one is in.

    The answers wait in a file beyond some size: a sender that reads nothing before it has sent all is common,
    and must not be stuck.
    """
    with SpooledTemporaryFile(_RESULTS_IN_MEMORY) as results:
        async for batch in _batches(lines(request.content, services.limits.command_bytes), services.limits):
            results.write(await _results(services, caller, batch))
        results.seek(0)
        response = web.StreamResponse(headers={"Content-Type": _LINES})
        await response.prepare(request)
        while part := results.read(_SEND):
            await response.write(part)
        await response.write_eof()
    return response


async def _batches(arriving: AsyncIterator[list[Sent]], limits: Limits) -> AsyncIterator[list[Sent]]:
    """Lines that are recorded together: so many, and so long, that each batch is worth its transaction."""
    batch: list[Sent] = []
    size = 0
    async for sent in arriving:
        for one in sent:
            batch.append(one)
            size += len(one) if isinstance(one, bytes) else len(one.beginning)
            if len(batch) >= limits.batch or size >= limits.batch_bytes:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


async def _results(services: Services, caller: Credential, batch: Sequence[Sent]) -> bytes:
    outcomes: Sequence[Receipt | Problem]
    try:
        outcomes = await _outcomes(services, caller, batch)
    except (StoreUnavailable, Overloaded) as error:
        outcomes = [problem_of(error)] * len(batch)
    return b"".join(
        orjson.dumps(
            outcome.body() if isinstance(outcome, Problem) else receipt_body(outcome), option=orjson.OPT_APPEND_NEWLINE
        )
        for outcome in outcomes
    )


async def _outcomes(services: Services, caller: Credential, sent: Sequence[Sent]) -> list[Receipt | Problem]:
    """What came of each, in their order; what was refused is in quarantine by then.

    Raises StoreUnavailable or Overloaded, and nothing is known of any of them then.
    """
    answers = await services.record_commands.record(caller, [_decoded(one) for one in sent])
    metrics.count(answers)
    outcomes = [answer if isinstance(answer, Receipt) else problem_of(answer) for answer in answers]
    refused = {place: outcome for place, outcome in enumerate(outcomes) if isinstance(outcome, Problem)}
    if refused:
        problems = await kept(services, caller, [(sent[place], problem) for place, problem in refused.items()])
        for place, problem in zip(refused, problems, strict=True):
            outcomes[place] = problem
    return outcomes


def _decoded(sent: Sent) -> JsonObject | AuditError:
    if isinstance(sent, Excess):
        return TooLarge(f"a command may have {sent.limit} bytes")
    try:
        return canonical.decode_object(sent)
    except InvalidJson as error:
        return error
