"""The guardian of the embedded PostgreSQL is killed, and PostgreSQL ends with it."""

from pathlib import Path

import pytest

from domain.words import Role
from tests.chaos.checks import check_all_kept
from tests.chaos.load import load
from tests.chaos.service import service_process


@pytest.mark.parametrize("workers", [1, 2])
async def test_the_service_starts_its_database_again(tmp_path: Path, workers: int, rounds: int) -> None:
    """Commands get a 503 meanwhile, nothing acknowledged is lost, and nobody needs to start anything."""
    async with service_process(tmp_path, workers) as service:
        key = await service.create_key(Role.MODULE)
        async with load(service.address, key) as book:
            for _ in range(max(1, rounds // 4)):
                await book.grow(100)
                await service.kill_guardian()
                await book.until_trouble()
                await book.grow(100)
        assert book.trouble["urn:certinext-audit:problem:unavailable"]
        await check_all_kept(service.owner_url, book)
        assert await service.stop() == 0
        assert "embedded_database_started_again" in service.log()
