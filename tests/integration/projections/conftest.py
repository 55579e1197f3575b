"""A stage for each test, and for those who only read one that is filled once."""

import asyncio
from collections.abc import AsyncIterator, Iterator, MutableMapping
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from structlog.processors import format_exc_info
from structlog.testing import capture_logs

from adapters.embedded import EmbeddedDatabase
from domain.words import DEFAULT_LEDGER, Ledger
from projections import generations
from projections.activity import ActivityProjection
from tests.integration.projections.signing import MERKLE, Signing
from tests.integration.projections.stage import Stage, opened
from tests.integration.projections.varied import drafts

_MANY = 20_000


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with opened(database_url) as stage:
        yield stage


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged, kept and not printed."""
    with capture_logs([format_exc_info]) as entries:
        yield entries


@pytest.fixture(scope="package")
def loaded_url(server: EmbeddedDatabase) -> Iterator[str]:
    """A database with many events in two ledgers, with their `activity` and fresh statistics; to be read only."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE loaded TEMPLATE template_audit STRATEGY FILE_COPY")
        with capture_logs():
            asyncio.run(_load(server.url("loaded")))
        yield server.url("loaded")
        connection.execute("DROP DATABASE loaded WITH (FORCE)")


async def _load(url: str) -> None:
    other = Ledger("other")
    async with opened(url) as stage:
        await stage.append(drafts(Random(1), _MANY))
        await stage.append(drafts(Random(2), _MANY // 10, other), other)
        for ledger in (DEFAULT_LEDGER, other):
            await stage.project([ActivityProjection()], ledger)
        await stage.owner.execute("VACUUM ANALYZE")


@pytest.fixture
async def loaded(loaded_url: str) -> AsyncIterator[Stage]:
    async with opened(loaded_url) as stage:
        yield stage


@pytest.fixture
async def signing(stage: Stage, tmp_path: Path) -> Signing:
    async with stage.pool.acquire() as connection:
        await generations.ensure(connection, MERKLE)
    return Signing(stage, tmp_path)
