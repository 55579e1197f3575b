"""A stage for each test, and for those who only read one that is filled once."""

from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.integration.projections.stage import Stage, opened


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with opened(database_url) as stage:
        yield stage


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged, kept and not printed."""
    with capture_logs() as entries:
        yield entries
