"""A process that runs the projectors in small batches until it is killed."""

import asyncio
import sys

from adapters.bootstrap import PROJECTIONS
from adapters.postgres.connections import PROJECTOR, open_pool
from adapters.postgres.ledger_records import PostgresLedgerRecords
from domain.catalogue import CATALOGUE
from domain.mapper import RecordMapper
from projections import batches
from projections.batches import Batches
from projections.runner import Runner


async def run(url: str, holder: str) -> None:
    async with open_pool(url, PROJECTOR, 5) as pool:
        read = Batches(PostgresLedgerRecords(pool), RecordMapper(CATALOGUE))
        await Runner(PROJECTIONS, pool, read, holder).run()


if __name__ == "__main__":
    batches.BATCH = 20
    asyncio.run(run(sys.argv[1], sys.argv[2]))
