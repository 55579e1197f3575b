"""Scanning ledgers for verification, with processes of our own."""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import cast

from adapters.postgres import stretch_worker
from adapters.postgres.stretch_reader import StretchTask, check_stretch
from adapters.processes import ProcessDied, WorkProcess, started_process
from domain.errors import StoreUnavailable
from domain.ledger import Head
from domain.stretch import Stretch
from domain.trusted_prefix import HashRow, PrefixCheck
from domain.verification import Extent
from domain.words import Ledger, Position
from projections.database import Pool, bound

_LONG_SECONDS = 24 * 3600
_AHEAD = 2
"""How many stretches a process has before it for each one that is waited for."""

_HASHES_AT_A_TIME = 5000

_HASHES = """
SELECT position, recorded_at, leaf_hash, chain_hash FROM audit.ledger_events
WHERE ledger = $1 AND position <= $2 ORDER BY position
"""

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
        async with _processes(self._url, workers) as check:
            running: deque[asyncio.Task[Stretch]] = deque()
            try:
                for task in tasks:
                    running.append(asyncio.create_task(check(task)))
                    if len(running) > _AHEAD * workers:
                        yield await running.popleft()
                while running:
                    yield await running.popleft()
            finally:
                for one in running:
                    one.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    async def prefix(self, ledger: Ledger, size: int, on_progress: Callable[[int], None]) -> PrefixCheck:
        check, done = PrefixCheck(ledger), 0
        async with bound(self._pool, ledger, readonly=True) as connection:
            cursor = await connection.cursor(_HASHES, ledger, size)
            while rows := await cursor.fetch(_HASHES_AT_A_TIME):
                check.take(cast("Sequence[HashRow]", rows))
                done += len(rows)
                on_progress(done)
        return check

    async def first_version_gap(self, ledger: Ledger, after: Position, until: Position) -> Position | None:
        async with bound(self._pool, ledger, readonly=True) as connection:
            if after:
                found = await connection.fetchval(_NEW_VERSIONS, ledger, after, until, timeout=_LONG_SECONDS)
            else:
                found = await connection.fetchval(_ALL_VERSIONS, ledger, until, timeout=_LONG_SECONDS)
        return None if found is None else Position(found)


@asynccontextmanager
async def _processes(url: str, count: int) -> AsyncIterator[Callable[[StretchTask], Coroutine[None, None, Stretch]]]:
    """Lets whichever of so many processes is idle check a stretch; they have ended when the block has.

    Raises StoreUnavailable if one is killed.
    """
    idle: asyncio.Queue[WorkProcess | None] = asyncio.Queue()
    """None stands for one that is not started yet."""
    started: list[WorkProcess] = []
    for _ in range(count):
        idle.put_nowait(None)

    async def check(task: StretchTask) -> Stretch:
        process = await idle.get()
        try:
            if process is None:
                process = await started_process(stretch_worker.begin, url)
                started.append(process)
            return await process.call(stretch_worker.check, task)
        finally:
            idle.put_nowait(process)

    try:
        yield check
    except ProcessDied as error:
        raise StoreUnavailable("a process of the verification was ended from outside") from error
    finally:
        for process in started:
            await process.end()
