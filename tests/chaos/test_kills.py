"""The service and PostgreSQL are killed at random moments under load."""

from asyncio import sleep
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from random import Random

from domain.words import Role
from tests.chaos.checks import check_all_kept
from tests.chaos.load import load
from tests.chaos.service import ServiceProcess, service_process

_SEED = 20261124
_WAYS = (ServiceProcess.kill_worker, ServiceProcess.kill_all, ServiceProcess.kill_parent)


async def test_whatever_is_killed_nothing_acknowledged_is_lost(
    tmp_path: Path, rounds: int, report: Callable[[str], None]
) -> None:
    """Each receipt holds, no position is missing, nothing is there twice, and the read tables say the same."""
    random = Random(_SEED)
    kills = [*islice(cycle(_WAYS), rounds), *[ServiceProcess.kill_postgres] * max(1, rounds // 2)]
    random.shuffle(kills)
    async with service_process(tmp_path) as service:
        key = await service.create_key(Role.MODULE)
        async with load(service.address, key) as book:
            for kill in kills:
                await book.grow(100)
                await sleep(random.uniform(0, 1.5))
                await kill(service)
            await book.grow(100)
        events = await check_all_kept(service.owner_url, book)
        assert await service.stop() == 0
    report(f"{len(kills)} kills, {len(book.receipts)} commands, {events} events; trouble: {dict(book.trouble)}")
