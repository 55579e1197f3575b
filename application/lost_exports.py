"""Exports whose process died before it could say how they ended."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from application.record_commands import AlreadyRecorded
from application.self_audit import Origin, SelfAudit
from domain.credential import Credential
from domain.errors import AuditError
from domain.values import JsonObject
from domain.words import Ledger

LOST_SECONDS = 30
"""How long there is no sign of life of an export before it counts as interrupted."""

_LOOK_SECONDS = 5.0
_REASON = "the process that made it ended"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ExportNote:
    """What is to be recorded of an export, should nobody be left to do it."""

    export_id: str
    by: Credential
    origin: Origin
    details: JsonObject
    """Those of the event, with the rows so far."""


class ExportNotes(Protocol):
    """The exports under way, of all processes and ledgers. All methods raise StoreUnavailable."""

    async def keep(self, note: ExportNote) -> None:
        """An export begins."""

    async def refresh(self, ledger: Ledger, export_id: str, rows: int) -> None:
        """It lives, and has come so far; nothing is done if it is not known any more."""

    async def forget(self, ledger: Ledger, export_id: str) -> None:
        """It has come to its end in the ledger."""

    async def lost(self, seconds: float) -> Sequence[tuple[ExportNote, datetime]]:
        """Those that gave no sign of life for so long, and when they gave the last."""


class LostExports:
    """Records as interrupted what was lost. Any number of processes may do so: one event comes of each export."""

    def __init__(self, notes: ExportNotes, self_audit: SelfAudit) -> None:
        self._notes = notes
        self._self_audit = self_audit

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.record()
            except AuditError as error:
                log.warning("lost_exports_not_recorded", error=repr(error))
            except Exception:  # A defect here must not stop the service.
                log.exception("lost_exports_failed")
            await asyncio.sleep(_LOOK_SECONDS)

    async def record(self) -> None:
        """Record those that are lost now. Raises StoreUnavailable."""
        for note, seen_at in await self._notes.lost(LOST_SECONDS):
            try:
                await self._self_audit.exported(
                    note.by, note.export_id, note.details, note.origin, interrupted=_REASON, at=seen_at
                )
            except AlreadyRecorded:
                log.info("lost_export_was_recorded", export=note.export_id)
            await self._notes.forget(note.by.ledger, note.export_id)
