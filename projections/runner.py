"""Runs the projectors of a process: woken by appends, with a poll as the safety net."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import structlog
from eventsourcing.persistence import IntegrityError

from domain.errors import StoreUnavailable
from domain.words import Ledger, Position
from projections import generations
from projections.batches import BATCH, Batches
from projections.database import PASSING, Connection, Pool, heed_cancellation
from projections.lease import Lease, LeaseLost
from projections.projection import EventProjection, Projection
from projections.projector import Projector
from projections.rebuild import AlreadyRebuilding, Rebuild
from projections.tidying import Tidying

POLL_SECONDS = 1.0
MOST_LEAD = 2 * BATCH
"""How far one projector may be ahead of another in this process, so that they share what is read."""

_AFTER_TROUBLE_SECONDS = 0.5
_AFTER_FAILED_REBUILD_SECONDS = 60
_LEADER_WAITS_SECONDS = 0.25
"""At most: it goes on as soon as another one has moved."""
_GATHER_SECONDS = 0.015
"""How long a projector that was woken lets events gather, instead of applying them one by one."""

_BEHIND = """
SELECT head.ledger, coalesce(mine.position, 0) AS position
FROM audit.heads AS head
LEFT JOIN reading.tracking AS mine
    ON mine.ledger = head.ledger AND mine.projection = $1 AND mine.generation = $2
WHERE head.position > coalesce(mine.position, 0)
"""
_NAMED_BEHIND = _BEHIND + "AND head.ledger = ANY($3::text[])"

log = structlog.get_logger()


class _News:
    """The ledgers that may have something new for one projector, whose task alone takes them.

    Of all ledgers there are, only these are looked at; of what nobody told, all of them now and then.
    """

    def __init__(self) -> None:
        self._something = asyncio.Event()
        self._ledgers: set[str] = set()
        self._look_at_all = 0.0

    def tell(self, ledger: str) -> None:
        """Of any ledger if none is named."""
        if ledger:
            self._ledgers.add(ledger)
        else:
            self._look_at_all = 0.0
        self._something.set()

    def take(self) -> Sequence[str] | None:
        """The ledgers to look at now; None for all."""
        ledgers, self._ledgers = self._ledgers, set()
        now = asyncio.get_running_loop().time()
        if now < self._look_at_all:
            return list(ledgers)
        self._look_at_all = now + POLL_SECONDS
        return None

    def keep(self, ledgers: Iterable[str]) -> None:
        """Ledgers to look at again, for which the task does not wait."""
        self._ledgers.update(ledgers)

    async def wait(self) -> None:
        """Until something is told, and a moment more, or for as long as nobody needs to look."""
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._something.wait()
        except TimeoutError:
            return
        await asyncio.sleep(_GATHER_SECONDS)
        self._something.clear()


class Runner:
    """Owns one task for each projection, the news that wake them, and where each stands while it catches up."""

    def __init__(
        self,
        projections: Sequence[Projection],
        pool: Pool,
        batches: Batches,
        holder: str,
        on_applied: Callable[[str, Ledger], None] = lambda _projection, _ledger: None,
    ) -> None:
        """`holder` names this process in the leases.

        `on_applied` is told the projection and the ledger after each batch, once that is committed.
        """
        self._projections = projections
        self._pool = pool
        self._batches = batches
        self._holder = holder
        self._on_applied = on_applied
        self._news = {projection.name: _News() for projection in projections}
        self._tidying = {projection.name: Tidying(projection, pool) for projection in projections}
        self._standing: dict[str, dict[Ledger, Position]] = {projection.name: {} for projection in projections}
        self._sharing = {projection.name for projection in projections if isinstance(projection, EventProjection)}
        """Those for which events are read and decoded."""
        self._moved = asyncio.Event()
        """Set when a projector has applied something; who waits for that clears it."""
        self._ours: set[tuple[str, int]] = set()
        """The generations known to have the shape that this version of the service works with."""

    def wake(self, ledger: str = "") -> None:
        """There may be something new in this ledger, or in any if none is named."""
        for news in self._news.values():
            news.tell(ledger)

    async def make_tables(self) -> None:
        """Make the tables that are missing, so that there is something to read."""
        async with self._pool.acquire() as connection:
            for projection in self._projections:
                await generations.ensure(connection, projection)

    async def run(self) -> None:
        """Project until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for projection in self._projections:
                tasks.create_task(self._keep_projecting(projection), name=f"projector {projection.name}")
                tasks.create_task(self._bring_into_shape(projection), name=f"rebuilder {projection.name}")
                tasks.create_task(self._tidying[projection.name].run(), name=f"tidier {projection.name}")

    async def _bring_into_shape(self, projection: Projection) -> None:
        """Rebuild, once, what another version of the service made by other definitions; the old is shown meanwhile.

        At the start only: two versions that run at the same time must not rebuild in turns for ever.
        """
        rebuild = Rebuild(projection, self._pool, self._batches, self._holder)

        def began(applied: int, of: int) -> None:
            log.info("rebuilding_in_new_shape", projection=projection.name, applied=applied, of=of)

        while True:
            heed_cancellation()
            try:
                await rebuild.into_shape(began)
            except AlreadyRebuilding:
                await asyncio.sleep(POLL_SECONDS)
            except (*PASSING, StoreUnavailable, IntegrityError, LeaseLost) as error:
                log.warning("rebuild_interrupted", projection=projection.name, error=repr(error))
                await asyncio.sleep(_AFTER_TROUBLE_SECONDS)
            except Exception:  # A defect of one rebuild stops neither the others nor the service.
                log.exception("rebuild_failed", projection=projection.name)
                await asyncio.sleep(_AFTER_FAILED_REBUILD_SECONDS)
            else:
                return

    async def _keep_projecting(self, projection: Projection) -> None:
        lease = Lease(self._pool, projection.name, self._holder)
        news = self._news[projection.name]
        try:
            while True:
                heed_cancellation()
                try:
                    busy = await lease.hold() and await self._advance_all(projection)
                    if not busy:
                        self._standing[projection.name].clear()
                except (*PASSING, StoreUnavailable, IntegrityError) as error:
                    log.warning("projector_interrupted", projection=projection.name, error=repr(error))
                except Exception:  # A defect of one projector stops neither the others nor the service.
                    log.exception("projector_failed", projection=projection.name)
                else:
                    if not busy:
                        await news.wait()
                    continue
                self._standing[projection.name].clear()
                news.tell("")
                await asyncio.sleep(_AFTER_TROUBLE_SECONDS)
        finally:
            await lease.release()

    async def _advance_all(self, projection: Projection) -> bool:
        """Bring each ledger that is behind one batch forward; False if none was."""
        async with self._pool.acquire() as connection:
            try:
                generation = await generations.shown(connection, projection.name)
            except generations.NotBuilt:
                generation = await generations.ensure(connection, projection)
            if not await self._is_ours(connection, projection, generation):
                return False
            behind = await self._behind(connection, projection, generation)
        projector = Projector(projection, generation, self._pool, self._batches)
        standing = self._standing[projection.name]
        failures: list[Exception] = []
        waits = True
        for ledger, position in behind:
            standing[ledger] = position
            if self._leads(projection, ledger, position):
                continue
            waits = False
            try:
                standing[ledger] = await projector.advance(ledger, position)
                self._moved.set()
                self._tidying[projection.name].applied(standing[ledger] - position, generation)
                self._on_applied(projection.name, ledger)
            except Exception as error:
                failures.append(error)  # The ledgers behind this one in the list go on.
        if failures:
            raise failures[0]
        if behind and waits:
            await _set(self._moved, _LEADER_WAITS_SECONDS)
        return bool(behind)

    async def _behind(
        self, connection: Connection, projection: Projection, generation: int
    ) -> list[tuple[Ledger, Position]]:
        """The ledgers that are behind, and where each is; they are looked at again, until they are not."""
        news = self._news[projection.name]
        ledgers = news.take()
        if ledgers is None:
            rows = await connection.fetch(_BEHIND, projection.name, generation)
        else:
            rows = await connection.fetch(_NAMED_BEHIND, projection.name, generation, ledgers)
        news.keep(row["ledger"] for row in rows)
        return [(Ledger(row["ledger"]), Position(row["position"])) for row in rows]

    async def _is_ours(self, connection: Connection, projection: Projection, generation: int) -> bool:
        """Whether it has our shape: what another version of the service made is for that one to fill."""
        key = (projection.name, generation)
        if key not in self._ours and await generations.in_shape(connection, projection, generation):
            self._ours.add(key)
        return key in self._ours

    def _leads(self, projection: Projection, ledger: Ledger, position: Position) -> bool:
        """Whether it is so far ahead of another one that the events must be read again for that one."""
        if projection.name not in self._sharing:
            return False
        others = (self._standing[name] for name in self._sharing if name != projection.name)
        return any(position - places.get(ledger, position) >= MOST_LEAD for places in others)


async def _set(event: asyncio.Event, seconds: float) -> None:
    """Wait until it is set from now on, or some time has passed."""
    event.clear()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
