"""Filling anew the projections whose rules have changed, so that these judge all of history."""

from collections.abc import Callable, Sequence

import structlog

from projections import generations
from projections.database import Pool
from projections.projection import Projection
from projections.rebuild import AlreadyRebuilding, Rebuild

log = structlog.get_logger()


async def renew_outdated(
    projections: Sequence[Projection], pool: Pool, rebuild: Callable[[Projection], Rebuild]
) -> None:
    """Rebuild those that were made by other rules; what another process rebuilds is left to it."""
    for projection in projections:
        async with pool.acquire() as connection:
            outdated = await generations.is_outdated(connection, projection)
        if not outdated:
            continue
        log.info("projection_outdated", projection=projection.name)
        try:
            events = await rebuild(projection).run(lambda _done, _total: None)
        except AlreadyRebuilding:
            continue
        log.info("projection_renewed", projection=projection.name, events=events)
