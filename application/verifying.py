"""Verifications as pieces of work: started, followed, kept, and recorded in the ledger that they are of."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import structlog

from application.ports import Clock, Turn
from application.self_audit import SelfAudit
from application.turns import meanwhile
from application.verification import Scope, VerifyLedger
from domain.credential import Credential
from domain.errors import AuditError, StoreUnavailable
from domain.verdict import OnProgress, Verdict
from domain.verification import Trusted
from domain.verification_run import VerificationKind, VerificationRun
from domain.words import Ledger, Position

_OUR_FAULT = "this is our fault; the log of the service says what happened"

log = structlog.get_logger()


class AlreadyVerifying(AuditError):
    """The ledger is being verified now, here or by another process."""


class VerificationStore(Protocol):
    """What is known of verifications, of all ledgers. All methods raise StoreUnavailable."""

    async def keep(self, run: VerificationRun, end: Trusted | None = None) -> None:
        """Keep it as it is now; `end` is where the next one may go on."""

    async def find(self, ledger: Ledger, verification_id: str) -> VerificationRun | None:
        """One by its id."""

    async def last(self, ledger: Ledger) -> VerificationRun | None:
        """The one that was started last, whatever it is of and however far it is."""

    async def last_whole(self, ledger: Ledger) -> VerificationRun | None:
        """The last one of everything."""

    async def last_end(self, ledger: Ledger) -> Trusted | None:
        """Where the last one that found nothing wrong ended; None without one, or if a later one did find something."""

    async def last_started(self, ledger: Ledger, kind: VerificationKind) -> datetime | None:
        """When the last one of a kind was started."""

    async def alarms(self) -> int:
        """In how many ledgers something was found, and nothing good of everything since."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verification that has come to its end."""

    run: VerificationRun
    verdict: Verdict
    recorded_at: Position | None
    """Where the event about it is; None if it could not be recorded."""


class Verifications:
    """Owns the tasks of those that run in this process."""

    def __init__(
        self,
        verify: VerifyLedger,
        store: VerificationStore,
        self_audit: SelfAudit,
        turn_of: Callable[[Ledger], Turn],
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        """`turn_of` gives the right to verify a ledger in the background, which one process has at a time."""
        self.store = store
        self.clock = clock
        self._verify = verify
        self._self_audit = self_audit
        self._turn_of = turn_of
        self._new_id = new_id
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, caller: Credential, scope: Scope) -> VerificationRun:
        """Begin one in the background, and say under which id it is followed.

        Raises AlreadyVerifying, and StoreUnavailable.
        """
        ledger = caller.ledger
        turn = self._turn_of(ledger)
        if not await turn.hold():
            raise AlreadyVerifying(f"the ledger {ledger} is being verified now: ask again when that has ended")
        run = self.begun(caller, scope, VerificationKind.REQUESTED)
        try:
            await self.store.keep(run)
        except BaseException:
            await turn.release()
            raise
        task = asyncio.create_task(self._in_background(caller, scope, run, turn))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    async def run(
        self,
        caller: Credential,
        scope: Scope,
        kind: VerificationKind,
        on_progress: OnProgress | None = None,
        turn: Turn | None = None,
    ) -> Outcome:
        """Verify now, keeping a turn that is held, and keep and record what comes of it. Raises StoreUnavailable."""
        run, verdict = await self._verified(scope, self.begun(caller, scope, kind), on_progress, turn)
        return await self.finish(caller, run, verdict)

    async def verdict(self, ledger: Ledger, scope: Scope) -> Verdict:
        """Verify now, and leave it to the caller what becomes of the verdict. Raises StoreUnavailable."""
        return await self._verify.verify(ledger, scope, lambda *_: None)

    def begun(self, caller: Credential, scope: Scope, kind: VerificationKind) -> VerificationRun:
        now = self.clock()
        whole = scope.since is None and scope.after is None and scope.tables
        return VerificationRun(caller.ledger, self._new_id(), kind, caller.id, whole, now, now)

    async def stop(self) -> None:
        """End those that run here; they are told of as interrupted."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def finish(self, caller: Credential, run: VerificationRun, verdict: Verdict) -> Outcome:
        """Keep the verdict, and record it in the ledger."""
        now = self.clock()
        run = replace(run, updated_at=now, finished_at=now, verdict=verdict.word, report=verdict.as_json())
        if not verdict.intact:
            log.error("ledger_tampered", ledger=run.ledger, found=[found.text for found in verdict.tampering[:5]])
        await self.store.keep(run, Trusted(verdict.end, None) if verdict.end is not None else None)
        try:
            recorded_at = await self._self_audit.verified(caller, verdict, run.id)
        except Exception:  # A ledger that was tampered with may take no events; its verdict is kept all the same.
            log.exception("verification_not_recorded", ledger=run.ledger, verification=run.id)
            recorded_at = None
        return Outcome(run, verdict, recorded_at)

    async def _in_background(self, caller: Credential, scope: Scope, run: VerificationRun, turn: Turn) -> None:
        try:
            try:
                run, verdict = await self._verified(scope, run, None, turn)
            finally:
                # Before the verdict can be read: who has read it may ask for the next one.
                await turn.release()
            await self.finish(caller, run, verdict)
        except Exception as error:  # It has no other owner; whoever asks for it is told.
            log.exception("verification_failed", ledger=run.ledger, verification=run.id)
            await self._fail(run, str(error) if isinstance(error, AuditError) else _OUR_FAULT)

    async def _fail(self, run: VerificationRun, reason: str) -> None:
        now = self.clock()
        failed = replace(run, updated_at=now, finished_at=now, verdict="failed", report={"reason": reason})
        try:
            await self.store.keep(failed)
        except StoreUnavailable as error:  # Without word from us it is told of as interrupted.
            log.warning("verification_not_kept", verification=run.id, error=repr(error))

    async def _verified(
        self, scope: Scope, run: VerificationRun, on_progress: OnProgress | None, turn: Turn | None
    ) -> tuple[VerificationRun, Verdict]:
        """How far it came, and what was found."""
        word = _Word(self.store, self.clock, run, on_progress)
        async with meanwhile(turn, word.give):
            verdict = await self._verify.verify(run.ledger, scope, word.progress)
        return word.run, verdict


class _Word:
    """How far a verification is, for who waits for it and for who asks."""

    def __init__(
        self, store: VerificationStore, clock: Clock, run: VerificationRun, on_progress: OnProgress | None
    ) -> None:
        self.run = run
        self._store = store
        self._clock = clock
        self._on_progress = on_progress

    def progress(self, stage: str, done: int, total: int) -> None:
        self.run = replace(self.run, stage=stage, done=done, total=total)
        if self._on_progress is not None:
            self._on_progress(stage, done, total)

    async def give(self) -> None:
        await self._store.keep(replace(self.run, updated_at=self._clock()))
