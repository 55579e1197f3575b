"""Filling anew the projections whose rules have changed, so that these judge all of history."""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from eventsourcing.persistence import IntegrityError

from domain.errors import StoreUnavailable
from projections import generations
from projections.database import PASSING, Pool
from projections.lease import LeaseLost
from projections.projection import Projection
from projections.rebuild import AlreadyRebuilding, Rebuild

log = structlog.get_logger()


_AFTER_TROUBLE_SECONDS = 1


async def renew_outdated(
    projections: Sequence[Projection], pool: Pool, rebuild: Callable[[Projection], Rebuild]
) -> None:
    """Rebuild those that were made by other rules; what another process rebuilds is left to it.

    If the database is away meanwhile it is tried again.
    """
    for projection in projections:
        while not await _renewed(projection, pool, rebuild):  # noqa: ASYNC110 - a database away has no event.
            await asyncio.sleep(_AFTER_TROUBLE_SECONDS)


async def _renewed(projection: Projection, pool: Pool, rebuild: Callable[[Projection], Rebuild]) -> bool:
    """Whether nothing is left to do."""
    try:
        async with pool.acquire() as connection:
            if not await generations.is_outdated(connection, projection):
                return True
        log.info("projection_outdated", projection=projection.name)
        events = await rebuild(projection).run(lambda _done, _total: None)
        log.info("projection_renewed", projection=projection.name, events=events)
    except AlreadyRebuilding:
        return True
    except (*PASSING, StoreUnavailable, IntegrityError, LeaseLost) as error:
        log.warning("renewal_interrupted", projection=projection.name, error=repr(error))
        return False
    return True
