"""Verifying a ledger: everything, or what was recorded since a checkpoint or a verification that is trusted."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from application.kept_checkpoints import KeptCheckpoints
from domain.stretch import Stretch
from domain.tampering import Tampering, TamperingKind
from domain.trusted_prefix import PrefixCheck
from domain.verdict import OnProgress, TablesChecked, Verdict
from domain.verification import Extent, KeptCheckpoint, LedgerCheck, Trusted, spans
from domain.words import Ledger, Position

_NO_ONE_ELSE = (
    "whether somebody rewrote the ledger with all that is kept beside it: that is told by a checkpoint "
    "which was kept elsewhere, and none was given"
)


class LedgerScan(Protocol):
    """Reads ledgers as they are stored, whatever was done to them. All methods raise StoreUnavailable."""

    async def extent(self, ledger: Ledger) -> Extent:
        """The head and the last position, read at one moment."""

    def stretches(
        self, ledger: Ledger, wanted: Iterable[tuple[Position, Position]], sizes: Sequence[int], workers: int
    ) -> AsyncGenerator[Stretch, None]:
        """Check stretches, in their order, with as many processes as `workers`; 0 does it in this one.

        Trees are made for `sizes`, which are sorted, and for those of the checkpoints in the database.
        """

    async def prefix(self, ledger: Ledger, size: int, on_progress: Callable[[int], None]) -> PrefixCheck:
        """Check the hashes of the first events, without their records."""

    async def first_version_gap(self, ledger: Ledger, after: Position, until: Position) -> Position | None:
        """Where an event first has a version that is not the next one of its entity; None if all do."""


class TableCheck(Protocol):
    async def check(self, ledger: Ledger, on_progress: OnProgress) -> TablesChecked:
        """Compare all read tables with what a replay of the ledger gives. Raises StoreUnavailable."""


@dataclass(frozen=True, slots=True)
class Scope:
    """How much is verified, and against what."""

    given: Sequence[KeptCheckpoint] = ()
    """Checkpoints that were kept elsewhere."""
    since: KeptCheckpoint | None = None
    """A checkpoint that is trusted: records up to it are not read."""
    after: Trusted | None = None
    """What was verified before, and is remembered."""
    tables: bool = True
    workers: int = 1


@dataclass(frozen=True)
class VerifyLedger:
    scan: LedgerScan
    kept: KeptCheckpoints
    tables: TableCheck

    async def verify(self, ledger: Ledger, scope: Scope, on_progress: OnProgress) -> Verdict:
        """The verdict; what is wrong is in it. Raises StoreUnavailable."""
        # Before the end of the ledger is asked for: one signed in between would seem to be of a longer ledger.
        outside, largest = await self.kept.outside(ledger), await self.kept.largest(ledger)
        extent = await self.scan.extent(ledger)
        beyond = largest.beyond(extent.end)
        trusted = await self._trusted(ledger, scope, on_progress)
        given = (*scope.given, *([scope.since] if scope.since else ()))
        begin = None if isinstance(trusted, Tampering) else trusted
        check = LedgerCheck(ledger, extent, (*given, *outside.checkpoints, *beyond.checkpoints), begin)
        for wrong in (*outside.forged, *beyond.forged):
            check.add(wrong)
        if isinstance(trusted, Tampering):
            check.add(trusted)
            return check.verdict(not_checked=["anything else, since the checkpoint to go on from does not fit"])
        start = begin.border.position if begin else Position(0)
        await self._scan(ledger, check, start, extent.end, scope.workers, on_progress)
        checked = [*_what(start, extent.end), f"{check.compared} signed checkpoints"]
        not_checked = [*_what_not(scope, start), *(() if given else (_NO_ONE_ELSE,))]
        if not scope.tables:
            not_checked.append("whether the read tables say what the ledger says")
        elif not check.verdict().intact:
            not_checked.append("whether the read tables say what the ledger says, since that is not intact")
        else:
            of_tables = await self.tables.check(ledger, on_progress)
            for wrong in of_tables.tampering:
                check.add(wrong)
            checked += of_tables.checked
            not_checked += of_tables.not_checked
        return check.verdict(checked, not_checked)

    async def _trusted(self, ledger: Ledger, scope: Scope, on_progress: OnProgress) -> Trusted | Tampering | None:
        if scope.since is None:
            return scope.after
        size = scope.since.size
        prefix = await self.scan.prefix(
            ledger, size, lambda done: on_progress("Hashes of the trusted part", done, size)
        )
        return prefix.trusted(scope.since)

    async def _scan(
        self,
        ledger: Ledger,
        check: LedgerCheck,
        start: Position,
        end: Position,
        workers: int,
        on_progress: OnProgress,
    ) -> None:
        total = max(end - start, 0)
        on_progress("Events", 0, total)
        # The database sorts on one core while the others hash; what is appended meanwhile changes nothing up to `end`.
        versions = asyncio.ensure_future(self.scan.first_version_gap(ledger, start, end))
        try:
            await self._join(ledger, check, start, end, workers, on_progress)
            gap = await versions
        finally:
            versions.cancel()
            await asyncio.gather(versions, return_exceptions=True)
        # Columns are known to be those of the records then; after anything else a gap would only be what follows.
        if check.clean and gap is not None:
            message = "the version of the event is not the next one of its entity"
            check.add(Tampering.at(TamperingKind.VERSION_GAP, gap, message))

    async def _join(
        self,
        ledger: Ledger,
        check: LedgerCheck,
        start: Position,
        end: Position,
        workers: int,
        on_progress: OnProgress,
    ) -> None:
        async with aclosing(self.scan.stretches(ledger, spans(start, end), check.sizes, workers)) as stretches:
            async for stretch in stretches:
                stored = await self.kept.stored(ledger, stretch.start.position, stretch.end.position)
                check.join(stretch, stored.checkpoints)
                for wrong in stored.forged:
                    check.add(wrong)
                on_progress("Events", stretch.end.position - start, end - start)


def _what(start: Position, end: Position) -> Sequence[str]:
    if end <= start:
        return []
    what = "records, columns, personal data, hashes, chain, order of time, versions of entities, and the head"
    return [f"events {start + 1} to {end}: {what}"]


def _what_not(scope: Scope, start: Position) -> Sequence[str]:
    if not start:
        return []
    if scope.since is not None:
        return [f"the records of events 1 to {start}: their hashes are those of the checkpoint that is trusted"]
    return [f"events 1 to {start}, which were verified before: only that the chain goes on from them"]
