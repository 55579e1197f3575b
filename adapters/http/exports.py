"""Exports: all events that fit the filters, as a file."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from adapters.http.events import READERS, origin
from adapters.http.parameters import parse
from adapters.http.routes import CALLER, Content, Handler, Routes
from adapters.http.services import SERVICES
from adapters.http.trailed import TrailedResponse
from application.export_trail import RunningExport
from domain.filters import EventFilter
from domain.words import ExportFormat, Order, Position

exports = Routes()
log = structlog.get_logger()

_TYPES = {
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportFormat.JSONL: "application/x-ndjson",
    ExportFormat.CSV: "text/csv",
}
_LOOK_SECONDS = 0.25
"""How soon it is seen that a caller has left while nothing could be sent."""


class Exporting(BaseModel):
    """How the file is made."""

    model_config = ConfigDict(frozen=True)

    order: Annotated[Order, Field(description="`occurred`: newest first. `recorded`: by position, oldest first.")] = (
        Order.OCCURRED
    )
    min_position: Annotated[
        int, Field(ge=0, le=2**53, description="Wait until the events up to this position are in the table.")
    ] = 0


def _declare(format_: ExportFormat, summary: str, doc: str) -> None:
    async def export(request: web.Request) -> web.StreamResponse:
        return await _export(request, format_)

    export.__name__ = f"export_{format_}"
    export.__doc__ = doc
    handler: Handler = export
    exports(
        "GET",
        f"/v1/events/export.{format_}",
        summary,
        {200: ("The file, streamed; its SHA-256 follows as the trailer `Repr-Digest`.", Content(_TYPES[format_]))},
        roles=READERS,
        query=(EventFilter, Exporting),
        problems=(422,),
    )(handler)


_ALIKE = """The file holds every event that fits the filters when it is asked for, and none that comes later.

The export is recorded as an event, with its digest, before the last bytes are sent: `Link` (`describedby`) leads to it.
An export that is broken off is recorded, too."""

_declare(
    ExportFormat.XLSX,
    "Export events as a workbook that verifies itself",
    f"Sheets of events, of what the file is about, a summary, and a proof for `certinext-audit verify`.\n\n{_ALIKE}",
)
_declare(
    ExportFormat.JSONL,
    "Export events as JSON Lines that verify themselves",
    f"A line that says what follows, a line for each event with its hashes, and lines that prove them.\n\n{_ALIKE}",
)
_declare(
    ExportFormat.CSV,
    "Export events as comma-separated values",
    f"RFC 4180. It proves nothing: take the workbook or JSON Lines as evidence.\n\n{_ALIKE}",
)


async def _export(request: web.Request, format_: ExportFormat) -> web.StreamResponse:
    services, caller = request.app[SERVICES], request[CALLER]
    wanted, how = parse(request, EventFilter, Exporting)
    response: TrailedResponse | None = None
    try:
        async with services.export_trail.run(
            caller, wanted, how.order, format_, origin(request), Position(how.min_position)
        ) as export:
            async with aclosing(_while_there(request, export)) as chunks:
                first = await anext(chunks)  # What can fail at once is answered as a problem.
                response = TrailedResponse(_TYPES[format_], _headers(export))
                await response.prepare(request)
                await response.send(first)
                async for chunk in chunks:
                    await response.send(chunk)
            await response.finish(export.sha256)
            return response
    except Exception as error:
        if response is None or isinstance(error, ConnectionError):
            raise
        # A problem in the middle of a file would look like a part of it.
        log.exception("export_broken_off")
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the export was broken off") from error


def _headers(export: RunningExport) -> dict[str, str]:
    event = f"/v1/events?activity=audit_trail.exported&correlation_id={export.asked.export_id}"
    return {
        "Content-Disposition": f'attachment; filename="{export.asked.file_name}"',
        "Link": f'<{event}>; rel="describedby"',
        "X-Export-Id": export.asked.export_id,
    }


async def _while_there(request: web.Request, export: RunningExport) -> AsyncGenerator[bytes, None]:
    """The chunks; the work on the next ends when the caller is gone, even in the middle of a query.

    Raises ConnectionResetError then.
    """
    async with aclosing(export.chunks()) as chunks:
        while True:
            following = asyncio.ensure_future(_next(chunks))
            try:
                while not (await asyncio.wait([following], timeout=_LOOK_SECONDS))[0]:
                    if request.transport is None or request.transport.is_closing():
                        raise ConnectionResetError("the caller is gone")
                chunk = following.result()
            finally:
                if not following.done():
                    following.cancel()
                    await asyncio.gather(following, return_exceptions=True)
            if chunk is None:
                return
            yield chunk


async def _next(chunks: AsyncGenerator[bytes, None]) -> bytes | None:
    async for chunk in chunks:
        return chunk
    return None
