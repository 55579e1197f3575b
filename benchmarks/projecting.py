"""Keeping the read tables: all of them live over a ledger that is far ahead, and each rebuilt from the beginning."""

import asyncio
import time
from collections.abc import Sequence

from adapters.bootstrap import PROJECTIONS, Trail
from benchmarks.bench import Bench
from benchmarks.figures import Figure, compared, per_second
from projections.projection import Projection
from projections.runner import Runner

READ_TABLES = PROJECTIONS[:4]
"""Those of events, users, modules and statuses."""
FORENSIC = PROJECTIONS[5:]
"""Those of entities and findings, which have a benchmark of their own."""

_POLL_SECONDS = 0.1
"""To ask takes some of what is measured: five times as often it was a fortieth. Half of it is counted too many."""
_WANTED = 20_000

_APPLIED = """
SELECT count(*) = $1 AND min(mine.position) >= (SELECT max(position) FROM audit.heads)
FROM reading.generations AS shown
JOIN reading.tracking AS mine USING (projection, generation)
WHERE shown.projection = ANY($2::text[])
"""


async def run(bench: Bench) -> Sequence[Figure]:
    live = bench.size(200_000, 20_000)
    url = await bench.fill_large(live)
    async with bench.trail(url) as wired:
        bench.tell(f"projecting {live:,} events live")
        figures = [
            compared(
                f"all projections together, live, {live:,} events waiting",
                per_second(live, await catch_up(wired, READ_TABLES)),
                "the pace that is asked for",
                {"events/s": _WANTED},
                wanted=1,
            )
        ]
    await bench.fill_large(bench.large)
    async with bench.trail(url) as wired:
        figures += [await _rebuilt(bench, wired, number) for number in range(len(READ_TABLES))]
    bench.analyze(url)
    return figures


async def catch_up(wired: Trail, projections: Sequence[Projection] = PROJECTIONS) -> float:
    """Project until these read tables are at the end of the ledger; the seconds that it took."""
    names = [projection.name for projection in projections]
    runner = Runner(projections, wired.projector_pool, wired.batches, "benchmark")
    await runner.make_tables()
    started = time.perf_counter()
    running = asyncio.create_task(runner.run())
    try:
        while not await wired.projector_pool.fetchval(_APPLIED, len(names), names):
            if running.done():
                running.result()
            await asyncio.sleep(_POLL_SECONDS)
        return time.perf_counter() - started
    finally:
        running.cancel()
        await asyncio.wait([running])


async def _rebuilt(bench: Bench, wired: Trail, number: int) -> Figure:
    projection = READ_TABLES[number]
    bench.tell(f"rebuilding {projection.name} from {bench.large:,} events")
    started = time.perf_counter()
    await wired.rebuild(projection).run(lambda _applied, _head: None)
    seconds = time.perf_counter() - started
    return Figure(
        f"rebuild of {projection.name} from {bench.large:,} events",
        {"s": seconds, **per_second(bench.large, seconds)},
    )
