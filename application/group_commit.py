"""Group commit: commands that come at the same time share one transaction of their ledger."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf

from application.ports import EventStore
from domain.errors import AuditError, StoreUnavailable
from domain.ledger import LedgerEvent
from domain.receipt import CommandConflict, Receipt
from domain.record import Draft
from domain.words import Ledger, Position

LARGEST_BATCH = 2000
"""How many events one transaction takes, unless a single request brings more."""

LARGEST_BATCH_BYTES = 16 * 1024 * 1024
"""How many bytes they have together, unless a single request brings more."""

MANY_AT_ONCE = 8
"""So many requests that were answered together are waited for when they come again, one after the other."""

GATHER_SECONDS = 0.01
"""For so long at most, from their answers."""

PAUSE_SECONDS = 1.0
"""How long nobody is waited for once that was in vain, since these senders take their time."""


class Overloaded(AuditError):
    """More is waiting to be recorded than is taken in; nothing of this request was."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One request's drafts, their bytes together, and what will hold their answers."""

    drafts: Sequence[Draft]
    size: int
    answers: "asyncio.Future[list[Receipt | CommandConflict]]"


@dataclass(slots=True)
class _Line:
    """The requests of one ledger that wait, and the task that serves them while any does."""

    waiting: deque[_Waiting] = field(default_factory=deque)
    server: "asyncio.Task[None] | None" = None
    answered: int = 0
    """How many requests were answered together last."""
    answered_at: float = -inf
    """When that was, by the loop's clock."""
    waited_in_vain_at: float = -inf
    """When so many were last waited for, and fewer than half came."""
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when as many wait again."""


class GroupCommit:
    """An event store that gathers what comes while an append is in flight into the next one.

    A request that comes when nothing is in flight is appended at once, alone. What comes was encoded by its sender's
    task before, while the database worked on the last batch; only numbering and linking wait for the ledger's head.

    Where many senders each wait for their answers, those who were answered together are about to send again. The first
    of them would go alone, and all others wait for its transaction: so they are waited for, for a few milliseconds, as
    long as most do come.

    Everything happens in one event loop, so nothing is locked. Each request's task puts it into its ledger's line
    and counts it; from there on the line's task owns it: that alone takes it out, answers it and counts it off. The
    store's health is written by the lines' tasks and read by anybody.

    What is waiting is bounded: beyond `most_waiting` events or `most_waiting_bytes` a request is refused whole.
    """

    def __init__(self, store: EventStore, *, most_waiting: int, most_waiting_bytes: int = 64 * 1024 * 1024) -> None:
        self._store = store
        self._most_waiting = most_waiting
        self._most_waiting_bytes = most_waiting_bytes
        self._waiting = 0
        self._waiting_bytes = 0
        self._lines: dict[Ledger, _Line] = {}
        self._failed_at: float | None = None

    @property
    def waiting(self) -> int:
        """How many events wait to be recorded or are in flight."""
        return self._waiting

    @property
    def failed_at(self) -> float | None:
        """When the store refused the last append, in seconds of the loop's clock; None if it took that, or had none."""
        return self._failed_at

    async def append(self, ledger: Ledger, drafts: Sequence[Draft]) -> list[Receipt | CommandConflict]:
        """As the port says. Raises Overloaded, too, if too much is waiting.

        A caller that is cancelled stops waiting; what it brought may be recorded all the same.
        """
        size = sum(draft.size for draft in drafts)
        if self._waiting and (
            self._waiting + len(drafts) > self._most_waiting or self._waiting_bytes + size > self._most_waiting_bytes
        ):
            raise Overloaded(f"{self._waiting} commands of {self._waiting_bytes} bytes wait to be recorded")
        line = self._lines.setdefault(ledger, _Line())
        answers: asyncio.Future[list[Receipt | CommandConflict]] = asyncio.get_running_loop().create_future()
        line.waiting.append(_Waiting(drafts, size, answers))
        self._waiting += len(drafts)
        self._waiting_bytes += size
        if len(line.waiting) >= line.answered:
            line.enough.set()
        if line.server is None:
            line.server = asyncio.create_task(self._serve(ledger, line), name=f"append to {ledger}")
        return await answers

    async def read(self, ledger: Ledger, after: Position, limit: int) -> Sequence[LedgerEvent]:
        return await self._store.read(ledger, after, limit)

    async def drain(self) -> None:
        """Wait until all that was accepted is answered."""
        while servers := [line.server for line in self._lines.values() if line.server is not None]:
            await asyncio.wait(servers)

    async def _serve(self, ledger: Ledger, line: _Line) -> None:
        """Append what waits, batch after batch, until nothing does."""
        try:
            while line.waiting:
                await _gathered(line)
                batch = _taken(line.waiting)
                try:
                    await self._append(ledger, batch)
                finally:
                    self._count_off(batch)
                line.answered, line.answered_at = len(batch), asyncio.get_running_loop().time()
        finally:
            # Only a cancelled task leaves requests behind: nothing is awaited between the last look and here.
            _fail(line.waiting, StoreUnavailable("the service stops"))
            self._count_off(line.waiting)
            line.waiting.clear()
            line.server = None

    def _count_off(self, answered: Iterable[_Waiting]) -> None:
        for one in answered:
            self._waiting -= len(one.drafts)
            self._waiting_bytes -= one.size

    async def _append(self, ledger: Ledger, batch: Sequence[_Waiting]) -> None:
        """Append requests together and answer each; what fails by the fault of one must not fail the others."""
        try:
            answers = iter(await self._store.append(ledger, [draft for one in batch for draft in one.drafts]))
        except StoreUnavailable as error:
            self._failed_at = asyncio.get_running_loop().time()
            _fail(batch, error)
        except asyncio.CancelledError:
            _fail(batch, StoreUnavailable("the service stops"))
            raise
        except Exception as error:
            if len(batch) == 1:
                _fail(batch, error)
                return
            for one in batch:
                await self._append(ledger, [one])
        else:
            self._failed_at = None
            for one in batch:
                own = [next(answers) for _ in one.drafts]
                if not one.answers.done():
                    one.answers.set_result(own)


async def _gathered(line: _Line) -> None:
    """Wait until as many requests are there as were answered together a moment ago, if these were many."""
    now = asyncio.get_running_loop().time()
    left = line.answered_at + GATHER_SECONDS - now
    pauses = now < line.waited_in_vain_at + PAUSE_SECONDS
    if pauses or left <= 0 or line.answered < MANY_AT_ONCE or len(line.waiting) >= line.answered:
        return
    line.enough.clear()
    try:
        async with asyncio.timeout(left):
            await line.enough.wait()
    except TimeoutError:
        if 2 * len(line.waiting) < line.answered:
            line.waited_in_vain_at = now


def _fail(batch: Iterable[_Waiting], error: Exception) -> None:
    for one in batch:
        if not one.answers.done():
            one.answers.set_exception(error)


def _taken(waiting: deque[_Waiting]) -> list[_Waiting]:
    """The requests of the next batch: the first one whatever its size, others while they fit."""
    batch = [waiting.popleft()]
    count, size = len(batch[0].drafts), batch[0].size
    while waiting:
        count += len(waiting[0].drafts)
        size += waiting[0].size
        if count > LARGEST_BATCH or size > LARGEST_BATCH_BYTES:
            break
        batch.append(waiting.popleft())
    return batch
