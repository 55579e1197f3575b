"""A verification as a piece of work: who asked for it, how far it is, and what came of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.values import JsonObject, rfc3339
from domain.words import Ledger

_DEAD_AFTER = timedelta(minutes=1)
"""Without word from who runs it: word comes every few seconds."""


class VerificationKind(StrEnum):
    """Why a ledger is verified."""

    REQUESTED = "requested"
    COMMAND_LINE = "command-line"
    NIGHTLY = "nightly"
    TAIL = "tail"


@dataclass(frozen=True, slots=True)
class VerificationRun:
    """One verification of one ledger."""

    ledger: Ledger
    id: str
    kind: VerificationKind
    source: str
    """The credential that asked for it."""
    whole: bool
    """Whether it is of everything, from the first event on and with the read tables."""
    started_at: datetime
    updated_at: datetime
    """When who runs it gave word last."""
    stage: str = ""
    """What is being done."""
    done: int = 0
    total: int = 0
    finished_at: datetime | None = None
    verdict: str | None = None
    """`intact`, `tampered`, or `failed` if it could not be done."""
    report: JsonObject | None = None
    """What came of it."""

    def state(self, now: datetime) -> str:
        """`running`, `finished`, or `interrupted` if the process that ran it is gone."""
        if self.finished_at is not None:
            return "finished"
        return "running" if now - self.updated_at < _DEAD_AFTER else "interrupted"

    def as_json(self, now: datetime) -> JsonObject:
        return {
            "id": self.id,
            "ledger": self.ledger,
            "kind": self.kind,
            "source": self.source,
            "whole": self.whole,
            "state": self.state(now),
            "started_at": rfc3339(self.started_at),
            "finished_at": rfc3339(self.finished_at) if self.finished_at else None,
            "progress": {"stage": self.stage, "done": self.done, "total": self.total},
            "verdict": self.verdict,
            "report": self.report,
        }
