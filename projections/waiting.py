"""Waiting until projections have come to a position: however many wait, one task looks for all of them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from domain.errors import AuditError, StoreUnavailable
from domain.words import Ledger, Position
from projections.database import ACQUIRE_SECONDS, Pool, translated_errors

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1

_APPLIED = """
SELECT wanted.ledger, wanted.projection, coalesce(mine.position, 0) AS position
FROM unnest($1::text[], $2::text[]) AS wanted (ledger, projection)
JOIN reading.generations AS shown ON shown.projection = wanted.projection
LEFT JOIN reading.tracking AS mine ON mine.ledger = wanted.ledger
    AND mine.projection = shown.projection AND mine.generation = shown.generation
"""


class NotYetProjected(AuditError):
    """A read table has not come to the position that the caller waits for."""

    def __init__(self, wanted: Position, applied: Position) -> None:
        super().__init__(f"position {wanted} is not applied yet; the table is at {applied}")
        self.applied = applied


@dataclass(eq=False, slots=True)
class _Waiter:
    ledger: Ledger
    projection: str
    position: Position
    applied: Position
    reached: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Waiting:
    """Owns the waiters and the task that looks for them, which exists while there are any; all in one event loop.

    It looks soon after somebody has come or was served, and less and less often while nothing happens.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiters: set[_Waiter] = set()
        self._looking: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._pause = _FIRST_PAUSE
        self._look_at = 0.0

    async def until(
        self, ledger: Ledger, projection: str, position: Position, applied: Position, seconds: float
    ) -> None:
        """Wait until the position is applied; `applied` is what the caller has seen.

        Raises NotYetProjected after `seconds`, and StoreUnavailable.
        """
        with self._joined(_Waiter(ledger, projection, position, applied)) as waiter:
            try:
                async with asyncio.timeout(seconds):
                    await waiter.reached
            except TimeoutError:
                raise NotYetProjected(position, waiter.applied) from None

    @contextmanager
    def _joined(self, waiter: _Waiter) -> Iterator[_Waiter]:
        self._waiters.add(waiter)
        self._look_within(_FIRST_PAUSE)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="look for who waits")
        try:
            yield waiter
        finally:
            self._waiters.discard(waiter)
            if not self._waiters:
                self._look_within(0)  # And see that there is nobody.

    def _look_within(self, seconds: float) -> None:
        self._pause = _FIRST_PAUSE
        self._look_at = min(self._look_at, asyncio.get_running_loop().time() + seconds)
        self._news.set()

    async def _look(self) -> None:
        self._look_at = asyncio.get_running_loop().time() + self._pause
        try:
            while await self._time_to_look():
                served = self._serve(await self._applied())
                self._pause = _FIRST_PAUSE if served else min(2 * self._pause, _LONGEST_PAUSE)
                self._look_at = asyncio.get_running_loop().time() + self._pause
        except Exception as error:  # Each of them raises it.
            self._fail(error)
        except asyncio.CancelledError:
            self._fail(StoreUnavailable("the service stops"))
            raise
        finally:
            self._looking = None

    async def _time_to_look(self) -> bool:
        """Sleep until then; False if nobody waits any more."""
        while self._waiters and (rest := self._look_at - asyncio.get_running_loop().time()) > 0:
            self._news.clear()
            try:
                async with asyncio.timeout(rest):
                    await self._news.wait()
            except TimeoutError:
                break
        return bool(self._waiters)

    async def _applied(self) -> dict[tuple[str, str], Position]:
        wanted = {(waiter.ledger, waiter.projection) for waiter in self._waiters}
        with translated_errors():
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                rows = await connection.fetch(
                    _APPLIED, [ledger for ledger, _ in wanted], [projection for _, projection in wanted]
                )
        return {(row["ledger"], row["projection"]): Position(row["position"]) for row in rows}

    def _serve(self, applied: dict[tuple[str, str], Position]) -> bool:
        """Wake those whose position is applied; whether there were any."""
        served = False
        for waiter in self._waiters:
            waiter.applied = applied.get((waiter.ledger, waiter.projection), waiter.applied)
            if waiter.applied >= waiter.position and not waiter.reached.done():
                waiter.reached.set_result(None)
                served = True
        return served

    def _fail(self, error: Exception) -> None:
        for waiter in self._waiters:
            if not waiter.reached.done():
                waiter.reached.set_exception(error)
