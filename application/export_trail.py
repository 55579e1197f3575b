"""Taking events out of the service, in files that verify themselves."""

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from application.lost_exports import ExportNote, ExportNotes
from application.ports import Clock
from application.record_commands import AlreadyRecorded
from application.self_audit import Origin, SelfAudit
from application.turns import meanwhile
from domain.credential import Credential
from domain.errors import AuditError, StoreUnavailable
from domain.filters import EventFilter
from domain.values import JsonObject
from domain.words import ExportFormat, Order, Position, Role

_UNFIT_FOR_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME = 80
_AT_ONCE = Position(0)

log = structlog.get_logger()


class TooManyExports(AuditError):
    """As many exports run already as may."""


@dataclass(frozen=True)
class ExportAsked:
    """What somebody asked for."""

    export_id: str
    by: Credential
    at: datetime
    wanted: EventFilter
    order: Order
    format: ExportFormat

    @property
    def only_actor(self) -> str | None:
        """The actor whose events alone may be seen; None for all."""
        return self.by.actor_id if self.by.role is Role.USER else None

    @property
    def file_name(self) -> str:
        """As `audit-default-status-failure-20261125T101500Z.xlsx`: ASCII letters, digits, hyphens and a point."""
        filters = [(name, value) for name, found in self.wanted.as_json().items() for value in _values(found)]
        told = "-".join(f"{name}-{value}" for name, value in filters) or "all"
        slug = _UNFIT_FOR_NAME.sub("-", told.lower())[:_LONGEST_NAME].strip("-")
        return f"audit-{self.by.ledger}-{slug}-{self.at:%Y%m%dT%H%M%SZ}.{self.format}"


def _values(found: object) -> list[object]:
    return found if isinstance(found, list) else [found]


class ExportInProgress(Protocol):
    """A file that is being made: one consistent view of the ledger, whatever is recorded meanwhile."""

    @property
    def rows(self) -> int:
        """How many events are in what was given so far."""

    @property
    def position(self) -> Position:
        """Up to which position events are in it."""

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The file, while it is taken: what comes next is made when the last was taken, and a little ahead.

        Raises StoreUnavailable, and AuditError if it cannot be finished.
        """


class Exporter(Protocol):
    async def begin(self, asked: ExportAsked, min_position: Position) -> ExportInProgress:
        """Fix what will be in the file, once events up to a position are read. Raises what queries raise."""


class RunningExport:
    """An export with its digest."""

    def __init__(self, asked: ExportAsked, progress: ExportInProgress, record: Callable[[], Awaitable[None]]) -> None:
        """`record` is awaited before the last bytes are given: whoever has a whole file is in the ledger."""
        self.asked = asked
        self.is_recorded = False
        self._progress = progress
        self._record = record
        self._digest = hashlib.sha256()
        self._began = False

    @property
    def rows(self) -> int:
        return self._progress.rows

    @property
    def position(self) -> Position:
        return self._progress.position

    @property
    def sha256(self) -> bytes:
        """Of what was given so far."""
        return self._digest.digest()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The file. Raises StoreUnavailable, and AuditError if it cannot be finished or recorded."""
        held = b""
        async with aclosing(self._progress.chunks()) as chunks:
            async for chunk in chunks:
                self._digest.update(chunk)
                if not self._began:
                    # It is the head of the file, and the reader should have it at once.
                    self._began = True
                    yield chunk
                    continue
                if held:
                    yield held
                held = chunk
        await self._record()
        self.is_recorded = True
        yield held


@dataclass
class ExportTrail:
    """Owns the count of the exports that run in this process."""

    exporter: Exporter
    self_audit: SelfAudit
    notes: ExportNotes
    clock: Clock
    new_id: Callable[[], str]
    most: int
    running: int = 0

    @asynccontextmanager
    async def run(
        self,
        caller: Credential,
        wanted: EventFilter,
        order: Order,
        format_: ExportFormat,
        origin: Origin,
        min_position: Position = _AT_ONCE,
    ) -> AsyncIterator[RunningExport]:
        """An export, whose chunks are to be taken inside the block.

        It is recorded once it is whole. If the block is left before, that is recorded, too, with the reason; and if
        this process dies, another one does that. Raises TooManyExports, and what queries raise.
        """
        if self.running >= self.most:
            raise TooManyExports(f"{self.running} exports run here already; try again when one has ended")
        asked = ExportAsked(self.new_id(), caller, self.clock(), wanted, order, format_)
        self.running += 1
        try:
            progress = await self.exporter.begin(asked, min_position)
            running = RunningExport(asked, progress, lambda: self._exported(running, origin))
            await self.notes.keep(ExportNote(asked.export_id, caller, origin, _details(running)))
            try:
                async with meanwhile(None, lambda: self._give_sign_of_life(running)):
                    yield running
            except BaseException as error:
                await self._interrupted(running, origin, _reason(error))
                raise
            if not running.is_recorded:
                await self._interrupted(running, origin, "the rest was not taken")
        finally:
            self.running -= 1

    async def _give_sign_of_life(self, running: RunningExport) -> None:
        await self.notes.refresh(running.asked.by.ledger, running.asked.export_id, running.rows)

    async def _exported(self, running: RunningExport, origin: Origin) -> None:
        details = _details(running) | {"sha256": running.sha256.hex()}
        await self._record(running.asked, details, origin)

    async def _interrupted(self, running: RunningExport, origin: Origin, reason: str) -> None:
        """Record that it did not come to its end, even if we are told to stop meanwhile."""
        if running.is_recorded:
            return
        record = asyncio.ensure_future(self._record(running.asked, _details(running), origin, interrupted=reason))
        try:
            await asyncio.shield(record)
        except asyncio.CancelledError:
            await record
            raise
        except StoreUnavailable as error:
            # The database is what has failed, as a rule; it is recorded as lost once that is back.
            log.error("interrupted_export_not_recorded", export=running.asked.export_id, error=str(error))  # noqa: TRY400
        except AlreadyRecorded as error:
            log.warning("interrupted_export_was_recorded", export=running.asked.export_id, error=str(error))

    async def _record(
        self, asked: ExportAsked, details: JsonObject, origin: Origin, interrupted: str | None = None
    ) -> None:
        """Raises StoreUnavailable, and AlreadyRecorded if others took us for dead."""
        await self.self_audit.exported(asked.by, asked.export_id, details, origin, interrupted=interrupted)
        try:
            await self.notes.forget(asked.by.ledger, asked.export_id)
        except StoreUnavailable as error:  # It is found as lost, and then as recorded.
            log.warning("export_note_left", export=asked.export_id, error=str(error))


def _details(running: RunningExport) -> JsonObject:
    asked = running.asked
    return {
        "filters": asked.wanted.as_json(),
        "order": asked.order,
        "format": asked.format,
        "rows": running.rows,
        "to_position": running.position,
    }


def _reason(error: BaseException) -> str:
    if isinstance(error, AuditError):
        return str(error)[:1000]
    if isinstance(error, ConnectionError):
        return "who asked for it left"
    if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
        return "the service was told to stop, or who asked for it left"
    return f"the service failed: {type(error).__name__}"
