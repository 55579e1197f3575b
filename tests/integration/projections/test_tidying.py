"""Words are put in their places in the index beside the projector, before the list in which they wait is full."""

import asyncio
import json

from projections.activity import ActivityProjection
from projections.tidying import TIDY_AFTER, Tidying
from tests.builders import draft
from tests.integration.projections.stage import Stage, eventually

_SEARCH = """
EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, FORMAT JSON)
SELECT count(*) FROM reading.activity_1 WHERE words @@ 'nobodysaidthis'::tsquery
"""


async def test_what_waits_is_put_in_its_place(stage: Stage) -> None:
    """A search for a word that nobody said reads all that waits: after that it reads next to nothing."""
    await stage.append([draft(command_id=f"c-{number}") for number in range(1500)])
    await stage.project([ActivityProjection()])
    await stage.owner.execute("SET enable_seqscan = off")

    async def pages() -> int:
        plan = json.loads(await stage.owner.fetchval(_SEARCH))[0]["Plan"]
        return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])

    assert await pages() > 20
    tidying = Tidying(ActivityProjection(), stage.pool)
    running = asyncio.create_task(tidying.run())
    tidying.applied(TIDY_AFTER - 1, 1)
    await asyncio.sleep(0)
    assert await pages() > 20, "a few do not matter"
    tidying.applied(1, 1)

    async def tidy() -> bool:
        return await pages() < 10

    await eventually(tidy)
    running.cancel()
    await asyncio.wait([running])
