"""Taking commands in: one as JSON, or a stream of them as lines."""

from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any

import orjson
from aiohttp import StreamReader, web
from pydantic import BaseModel, Field

from adapters.http import metrics
from adapters.http.problems import TooLarge, UnsupportedMediaType, problem_of
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.services import SERVICES, Services
from application.group_commit import Overloaded
from application.record_commands import Answer
from domain import canonical
from domain.command import Envelope
from domain.credential import Credential
from domain.errors import AuditError, InvalidJson, StoreUnavailable
from domain.receipt import Receipt
from domain.values import JsonObject, Sha256, Timestamp, rfc3339
from domain.words import Role

commands = Routes()

_JSON, _LINES = "application/json", "application/x-ndjson"
_RESULTS_IN_MEMORY = 4 * 1024 * 1024
_SEND = 256 * 1024


class ReceiptBody(BaseModel):
    """The proof that a command became an event, given only once that is durable."""

    event_id: Annotated[str, Field(description="A UUID of version 7.")]
    ledger: str
    position: Annotated[int, Field(description="The event's number in its ledger, from 1.")]
    recorded_at: Timestamp
    leaf_hash: Annotated[Sha256, Field(description="SHA-256(0x00 || record), as RFC 6962.")]
    chain_hash: Annotated[Sha256, Field(description="SHA-256(0x02 || chain hash before || leaf hash).")]
    duplicate: Annotated[bool, Field(description="Whether the command had been recorded before.")]


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
    command = canonical.decode_object(await _whole(request.content, services.limits.command_bytes))
    (answer,) = await services.record_commands.record(caller, [command])
    metrics.count(answer)
    if not isinstance(answer, Receipt):
        return problem_of(answer).response()
    return web.Response(
        body=orjson.dumps(_receipt(answer)),
        status=HTTPStatus.CREATED,
        content_type=_JSON,
        headers={"Location": f"/v1/events/{answer.event_id}?min_position={answer.position}"},
    )


def _check_type(request: web.Request) -> None:
    if request.content_type not in (_JSON, _LINES):
        raise UnsupportedMediaType(f"send {_JSON} or {_LINES}, not {request.content_type}")
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(f"send JSON in UTF-8 (RFC 8259, section 8.1), not in {request.charset}")


async def _whole(content: StreamReader, limit: int) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"a command may have {limit} bytes")
    return bytes(body)


async def _record_lines(request: web.Request, services: Services, caller: Credential) -> web.StreamResponse:
    """Record the lines while they come in, and answer when the last one is in.

    The answers wait in a file beyond some size: a sender that reads nothing before it has sent all is common,
    and must not be stuck.
    """
    with SpooledTemporaryFile(_RESULTS_IN_MEMORY) as results:
        batch: list[JsonObject | AuditError] = []
        async for line in _lines(request.content, services.limits.command_bytes):
            batch.append(_decoded(line))
            if len(batch) >= services.limits.batch:
                results.write(await _results(services, caller, batch))
                batch = []
        if batch:
            results.write(await _results(services, caller, batch))
        results.seek(0)
        response = web.StreamResponse(headers={"Content-Type": _LINES})
        await response.prepare(request)
        while part := results.read(_SEND):
            await response.write(part)
        await response.write_eof()
    return response


async def _lines(content: StreamReader, limit: int) -> AsyncIterator[bytes | TooLarge]:
    """The lines that hold something; of one that is too long only that is kept."""
    rest, cut = bytearray(), False
    async for chunk in content.iter_any():
        *ended, last = chunk.split(b"\n")
        for part in ended:
            rest += part
            if line := _line(rest, limit, cut=cut):
                yield line
            rest, cut = bytearray(), False
        rest += last
        if len(rest) > limit:
            rest, cut = bytearray(), True
    if line := _line(rest, limit, cut=cut):
        yield line


def _line(line: bytearray, limit: int, *, cut: bool) -> bytes | TooLarge | None:
    if cut or len(line) > limit:
        return TooLarge(f"a command may have {limit} bytes")
    return bytes(line.strip()) or None


def _decoded(line: bytes | TooLarge) -> JsonObject | AuditError:
    if isinstance(line, TooLarge):
        return line
    try:
        return canonical.decode_object(line)
    except InvalidJson as error:
        return error


async def _results(services: Services, caller: Credential, batch: Sequence[JsonObject | AuditError]) -> bytes:
    answers: Sequence[Answer]
    try:
        answers = await services.record_commands.record(caller, batch)
    except (StoreUnavailable, Overloaded) as error:
        answers = [error] * len(batch)
    for answer in answers:
        metrics.count(answer)
    return b"".join(orjson.dumps(_result(answer)) + b"\n" for answer in answers)


def _result(answer: Answer) -> dict[str, Any]:
    return _receipt(answer) if isinstance(answer, Receipt) else problem_of(answer).body()


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {
        "event_id": receipt.event_id,
        "ledger": receipt.ledger,
        "position": receipt.position,
        "recorded_at": rfc3339(receipt.recorded_at),
        "leaf_hash": receipt.leaf_hash.hex(),
        "chain_hash": receipt.chain_hash.hex(),
        "duplicate": receipt.duplicate,
    }
