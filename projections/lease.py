"""One process at a time does a piece of work; when it dies another takes over.

A row and not an advisory lock, which breaks behind transaction poolers. The lease only spares double work:
correctness rests on the compare-and-set of the tracking.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import asyncpg

from domain.errors import AuditError
from projections.database import Pool, translated_errors

SECONDS = 10
_RENEW_AFTER_SECONDS = 3
_ASK_AGAIN_SECONDS = 1
"""While another has it: who waits is woken often, and must not keep the row busy."""

_TAKE = """
INSERT INTO reading.leases AS lease (work, holder, until) VALUES ($1, $2, now() + make_interval(secs => $3))
ON CONFLICT (work) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until
WHERE lease.holder = EXCLUDED.holder OR lease.until < now()
RETURNING 1
"""


class LeaseLost(AuditError):
    """Another process does this work now, since we did not renew our lease in time."""


class Lease:
    """The right to do `work` as `holder`; used by one task."""

    def __init__(self, pool: Pool, work: str, holder: str) -> None:
        self._pool = pool
        self._work = work
        self._holder = holder
        self._held = False
        self._ask_at = 0.0

    async def hold(self) -> bool:
        """Take the lease, or keep it; False while another has it. Raises StoreUnavailable."""
        now = time.monotonic()
        if now < self._ask_at:
            return self._held
        with translated_errors():
            self._held = await self._pool.fetchval(_TAKE, self._work, self._holder, SECONDS) is not None
        self._ask_at = now + (_RENEW_AFTER_SECONDS if self._held else _ASK_AGAIN_SECONDS)
        return self._held

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep the lease, which is held, for as long as the block takes; if it is lost the block is cancelled.

        Raises LeaseLost then.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                keeping = tasks.create_task(self._keep())
                yield
                keeping.cancel()
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _keep(self) -> None:
        while await self.hold():  # noqa: ASYNC110  # It is the clock that we follow.
            await asyncio.sleep(_RENEW_AFTER_SECONDS)
        raise LeaseLost(f"the lease of {self._work} was lost to another process")

    async def release(self) -> None:
        """Let another have it at once. If the database is away, the lease runs out by itself."""
        self._held = False
        self._ask_at = 0.0
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            await self._pool.execute(
                "DELETE FROM reading.leases WHERE work = $1 AND holder = $2", self._work, self._holder
            )
