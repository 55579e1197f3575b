"""Scanning ledgers for verification, with processes of our own."""

import asyncio
import multiprocessing
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager

from adapters.postgres import stretch_worker
from adapters.postgres.stretch_reader import StretchTask, check_prefix, check_stretch
from domain.errors import StoreUnavailable
from domain.ledger import Head
from domain.stretch import Stretch
from domain.trusted_prefix import PrefixCheck
from domain.verification import Extent
from domain.words import Ledger, Position
from projections.database import Pool, bound

_LONG_SECONDS = 24 * 3600
_AHEAD = 2
"""How many stretches a process has before it for each one that is waited for."""

_EXTENT = """
SELECT (SELECT max(position) FROM audit.ledger_events WHERE ledger = $1) AS last, head.*
FROM (SELECT) AS always LEFT JOIN audit.heads AS head ON head.ledger = $1
"""

_ALL_VERSIONS = """
SELECT min(position) FROM (
    SELECT position, originator_version,
        row_number() OVER (PARTITION BY originator_id COLLATE "C" ORDER BY position) AS number
    FROM audit.ledger_events WHERE ledger = $1 AND position <= $2
) AS numbered
WHERE originator_version <> number
"""

# Two looks into the index for each event: the version before is there, and this one was not.
_NEW_VERSIONS = """
SELECT min(position) FROM audit.ledger_events AS new
WHERE ledger = $1 AND position > $2 AND position <= $3 AND (
    originator_version < 1
    OR originator_version > 1 AND NOT EXISTS (
        SELECT FROM audit.ledger_events AS before
        WHERE before.ledger = $1 AND before.originator_id = new.originator_id
            AND before.originator_version = new.originator_version - 1 AND before.position < new.position
    )
    OR EXISTS (
        SELECT FROM audit.ledger_events AS before
        WHERE before.ledger = $1 AND before.originator_id = new.originator_id
            AND before.originator_version = new.originator_version AND before.position < new.position
    )
)
"""


class PostgresLedgerScan:
    """Keeps the promises of `application.verification.LedgerScan`; the processes connect by `url`."""

    def __init__(self, pool: Pool, url: str) -> None:
        self._pool = pool
        self._url = url

    async def extent(self, ledger: Ledger) -> Extent:
        async with bound(self._pool, ledger, readonly=True) as connection:
            row = await connection.fetchrow(_EXTENT, ledger)
        assert row is not None
        last = Position(row["last"] or 0)
        if row["ledger"] is None:
            return Extent(None, last)
        return Extent(Head(Position(row["position"]), row["chain_hash"], row["recorded_at"]), last)

    async def stretches(
        self, ledger: Ledger, wanted: Iterable[tuple[Position, Position]], sizes: Sequence[int], workers: int
    ) -> AsyncGenerator[Stretch, None]:
        tasks = (
            StretchTask(ledger, start, end, sizes[bisect_right(sizes, start) : bisect_right(sizes, end)])
            for start, end in wanted
        )
        if not workers:
            for task in tasks:
                yield await check_stretch(self._pool, task)
            return
        loop = asyncio.get_running_loop()
        async with _processes(self._url, workers) as processes:
            running: deque[asyncio.Future[Stretch]] = deque()
            for task in tasks:
                running.append(loop.run_in_executor(processes, stretch_worker.check, task))
                if len(running) > _AHEAD * workers:
                    yield await running.popleft()
            while running:
                yield await running.popleft()

    async def prefix(self, ledger: Ledger, size: int, on_progress: Callable[[int], None]) -> PrefixCheck:
        return await check_prefix(self._pool, ledger, size, on_progress)

    async def first_version_gap(self, ledger: Ledger, after: Position, until: Position) -> Position | None:
        async with bound(self._pool, ledger, readonly=True) as connection:
            if after:
                found = await connection.fetchval(_NEW_VERSIONS, ledger, after, until, timeout=_LONG_SECONDS)
            else:
                found = await connection.fetchval(_ALL_VERSIONS, ledger, until, timeout=_LONG_SECONDS)
        return None if found is None else Position(found)


@asynccontextmanager
async def _processes(url: str, count: int) -> AsyncIterator[ProcessPoolExecutor]:
    """Processes that have ended when the block has. Raises StoreUnavailable if one is killed."""
    # Not forked: a copy of the event loop's threads and sockets would be of no good.
    processes = ProcessPoolExecutor(
        count, multiprocessing.get_context("spawn"), initializer=stretch_worker.begin, initargs=(url,)
    )
    try:
        yield processes
    except BrokenProcessPool as error:
        raise StoreUnavailable("a process of the verification was ended from outside") from error
    finally:
        await asyncio.to_thread(processes.shutdown, cancel_futures=True)
