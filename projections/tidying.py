"""Words of events wait in a list before they get their places in the index: they are put there beside the projector.

Otherwise the batch that fills the list would do so itself, and everybody would wait for it: a third of a second.
"""

import asyncio

import structlog

from projections.database import PASSING, Pool, heed_cancellation
from projections.projection import Projection

TIDY_AFTER = 16_000
"""So many events: their words take half of the room that the list has at most."""

_PUT_IN_PLACE = """
SELECT gin_clean_pending_list(index.indexrelid)
FROM pg_index AS index
JOIN pg_class AS class ON class.oid = index.indexrelid
JOIN pg_am AS method ON method.oid = class.relam
WHERE method.amname = 'gin' AND index.indrelid = $1::regclass
"""

log = structlog.get_logger()


class Tidying:
    """Owns the count of what waits for one projection. Whoever applies events tells `applied`; `run` has a task."""

    def __init__(self, projection: Projection, pool: Pool) -> None:
        self._tables = [table for table in projection.tables if table.words_wait]
        self._pool = pool
        self._waiting = 0
        self._generation = 0
        self._enough = asyncio.Event()

    def applied(self, events: int, generation: int) -> None:
        self._waiting += events
        self._generation = generation
        if self._waiting >= TIDY_AFTER:
            self._enough.set()

    async def run(self) -> None:
        """Until cancelled; returns at once if there is nothing to tidy in this projection."""
        while self._tables:
            heed_cancellation()
            await self._enough.wait()
            self._enough.clear()
            self._waiting = 0
            for table in self._tables:
                try:
                    await self._pool.execute(_PUT_IN_PLACE, table.versioned(self._generation))
                except PASSING as error:
                    # Nothing is lost: the list is emptied by whoever fills it.
                    log.warning("words_wait", table=table.name, error=repr(error))
