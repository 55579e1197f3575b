"""The service verifies itself: what is new every minute, and everything at night."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from uuid import NAMESPACE_URL, uuid5

import structlog

from application.ports import Clock, Turn
from application.self_audit import SELF_CHECK
from application.turns import meanwhile
from application.verification import Scope
from application.verifying import Verifications
from domain.credential import Credential
from domain.errors import AuditError
from domain.ledger import Head
from domain.stretch import Border
from domain.tampering import Tampering
from domain.verdict import Verdict
from domain.verification import Extent, Trusted
from domain.verification_run import VerificationKind
from domain.words import Ledger, Position, Role

_LOOK_SECONDS = 60.0
_UNREAD = timedelta(minutes=10)
"""How long a ledger is not read at which nothing happens, as far as its head tells."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the service verifies itself."""

    tail_seconds: float | None = 60.0
    """How often the new events are verified; None for never."""
    nightly_at: time | None = time(3)
    """When everything is, in UTC; None for never."""
    workers: int = 1
    """How many processes the second takes."""


@dataclass
class _Memory:
    """What we know of a ledger."""

    verified: Trusted
    own: Position | None = None
    """Where our last event about it is."""
    told: frozenset[Tampering] = frozenset()
    """What was wrong the last time, and is recorded."""
    head: Head | None = None
    """Its head when it was read last, without news, ..."""
    read_at: datetime | None = None
    """... which was then; None if there was news."""


class SelfCheck:
    """Owns the one task that does this in a process, and what it remembers of each ledger.

    That memory is out of reach of who alters the database: from the chain hash in it the chain must go on.
    """

    def __init__(
        self,
        verifications: Verifications,
        heads: Callable[[], Awaitable[Mapping[Ledger, Head | None]]],
        extent: Callable[[Ledger], Awaitable[Extent]],
        turn: Turn,
        turn_of: Callable[[Ledger], Turn],
        clock: Clock,
        schedule: Schedule,
    ) -> None:
        self._verifications = verifications
        self._heads = heads
        self._extent = extent
        self._turn = turn
        self._turn_of = turn_of
        self._clock = clock
        self._schedule = schedule
        self._began = clock()
        self._known: dict[Ledger, _Memory] = {}
        self._nights: dict[Ledger, datetime] = {}
        """The last night of each ledger that was not left out."""

    async def run(self) -> None:
        """Check until cancelled."""
        pause = min(self._schedule.tail_seconds or _LOOK_SECONDS, _LOOK_SECONDS)
        try:
            while True:
                await asyncio.sleep(pause)
                try:
                    await self.check()
                except AuditError as error:
                    log.warning("self_check_interrupted", error=repr(error))
                except Exception:  # A defect of the check must not stop the service.
                    log.exception("self_check_failed")
        finally:
            await self._turn.release()

    async def check(self) -> None:
        """Do what is due, unless it is another process's turn. Raises AuditError if the database is away."""
        if not await self._turn.hold():
            self._known.clear()  # Who has the turn goes on from what it knows, and we then from what is kept.
            return
        async with meanwhile(self._turn):
            heads = await self._heads()
            for ledger in dict.fromkeys([*heads, *self._known]):
                head = heads.get(ledger)
                if self._schedule.nightly_at is not None and await self._is_due(ledger, self._schedule.nightly_at):
                    await self._everything(ledger)
                elif self._schedule.tail_seconds is not None and not self._is_at_rest(ledger, head):
                    await self._tail(ledger, head)

    def _is_at_rest(self, ledger: Ledger, head: Head | None) -> bool:
        """Whether there is nothing to read: so that a thousand such ledgers cost one look at all heads."""
        known = self._known.get(ledger)
        if known is None or known.read_at is None:
            return False
        return known.head == head and self._clock() - known.read_at < _UNREAD

    async def _is_due(self, ledger: Ledger, at: time) -> bool:
        now = self._clock()
        planned = datetime.combine(now.date(), at, now.tzinfo)
        if planned > now:
            planned -= timedelta(days=1)
        if planned <= self._began or self._nights.get(ledger) == planned:
            return False
        last = await self._verifications.store.last_started(ledger, VerificationKind.NIGHTLY)
        if last is None or last < planned:
            return True
        self._nights[ledger] = planned
        return False

    async def _everything(self, ledger: Ledger) -> None:
        turn = self._turn_of(ledger)
        if not await turn.hold():
            return  # Somebody has asked for one, which runs now; we are next.
        try:
            scope = Scope(workers=self._schedule.workers)
            outcome = await self._verifications.run(self._caller(ledger), scope, VerificationKind.NIGHTLY, turn=turn)
        finally:
            await turn.release()
        await self._remember(ledger, outcome.verdict, outcome.recorded_at)

    async def _tail(self, ledger: Ledger, head: Head | None) -> None:
        known = self._known.get(ledger)
        if known is None:
            known = self._known[ledger] = _Memory(await self._begin(ledger))
        verdict = await self._verifications.verdict(ledger, Scope(after=known.verified, tables=False, workers=0))
        if self._is_news(known, verdict):
            run = self._verifications.begun(self._caller(ledger), Scope(after=known.verified), VerificationKind.TAIL)
            if verdict.intact:
                # One row for all of these, since there is one every minute.
                run = replace(run, id=str(uuid5(NAMESPACE_URL, f"urn:certinext-audit:tail:{ledger}")))
            outcome = await self._verifications.finish(self._caller(ledger), run, verdict)
            await self._remember(ledger, verdict, outcome.recorded_at)
            return
        known.head, known.read_at = head, self._clock()
        if verdict.end is not None:
            known.verified = Trusted(verdict.end, None)

    async def _begin(self, ledger: Ledger) -> Trusted:
        """Where the last one ended that found nothing wrong; at first the end of the ledger as it is."""
        return await self._verifications.store.last_end(ledger) or await self._at_end(ledger)

    async def _at_end(self, ledger: Ledger) -> Trusted:
        head = (await self._extent(ledger)).head
        if head is None:
            return Trusted.nothing(ledger)
        return Trusted(Border(head.position, head.chain_hash, head.recorded_at), None)

    def _is_news(self, known: _Memory, verdict: Verdict) -> bool:
        """Whether there is more to tell than that our own last event is in order, or that all is as bad as it was."""
        if not verdict.intact:
            return frozenset(verdict.tampering) != known.told
        new = verdict.to_position - known.verified.border.position
        return new > 1 or (new == 1 and verdict.to_position != known.own)

    async def _remember(self, ledger: Ledger, verdict: Verdict, recorded_at: Position | None) -> None:
        """Go on behind what was wrong, too: that was told, and the alarm stays."""
        end = Trusted(verdict.end, None) if verdict.end is not None else await self._at_end(ledger)
        self._known[ledger] = _Memory(end, recorded_at, frozenset(verdict.tampering))

    def _caller(self, ledger: Ledger) -> Credential:
        return Credential(ledger, SELF_CHECK, SELF_CHECK, Role.OPERATOR, frozenset(), None, self._clock())
