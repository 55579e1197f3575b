"""A ledger of ten thousand events, seeded once; each attack is made on a copy of it."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import asyncpg
import psycopg
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from adapters import bootstrap
from adapters.bootstrap import Trail
from adapters.embedded import EmbeddedDatabase
from adapters.settings import Settings
from application.verification import Scope
from domain.verdict import Verdict
from domain.words import DEFAULT_LEDGER, Ledger
from tests.integration.projections.stage import opened
from tests.integration.projections.varied import drafts

EVENTS = 10_000
SIGNED = (2000, 5000, EVENTS)
OTHER = Ledger("other")
SMALL, SMALL_EVENTS = Ledger("small"), 1000
"""For attacks that are found by reading all, wherever they are."""
_SEEDED = "seeded"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Victim:
    """A copy of the seeded database, with a superuser's connection from which no trigger keeps."""

    url: str
    data_dir: Path
    owner: "asyncpg.Connection[asyncpg.Record]"

    @asynccontextmanager
    async def trail(self) -> AsyncIterator[Trail]:
        async with bootstrap.trail(self.url, settings(self.url, self.data_dir)) as trail:
            yield trail

    async def verify(self, scope: Scope, ledger: Ledger = DEFAULT_LEDGER) -> Verdict:
        async with self.trail() as trail:
            return await trail.services.verifications.verdict(ledger, scope)


def settings(url: str, data_dir: Path) -> Settings:
    return Settings(database_url=SecretStr(url), data_dir=data_dir, pool_size=3)


@pytest.fixture(scope="session")
def seeded(server: EmbeddedDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder that belongs to the seeded database."""
    data_dir = Path(tmp_path_factory.mktemp("seeded"))
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_SEEDED} TEMPLATE template_audit STRATEGY FILE_COPY".encode())
        with capture_logs():
            asyncio.run(_seed(server.url(_SEEDED), data_dir))
        yield data_dir
        connection.execute(f"DROP DATABASE {_SEEDED} WITH (FORCE)".encode())


async def _seed(url: str, data_dir: Path) -> None:
    events = drafts(Random(4), EVENTS)
    async with opened(url) as stage, bootstrap.trail(url, settings(url, data_dir)) as trail:
        await stage.append(drafts(Random(5), 50, OTHER), OTHER)
        await stage.append(drafts(Random(6), SMALL_EVENTS, SMALL), SMALL)
        for start, size in zip((0, *SIGNED), SIGNED, strict=False):
            await stage.append(events[start:size])
            for ledger in (DEFAULT_LEDGER, OTHER, SMALL):
                await stage.project(ledger=ledger)
            for standing in await trail.services.signer.trees.standing(everything=True):
                await trail.services.signer.sign(standing)


@pytest.fixture
async def victim(server: EmbeddedDatabase, seeded: Path, tmp_path: Path) -> AsyncIterator[Victim]:
    name = f"victim_{next(_numbers)}"
    data_dir = tmp_path / "data"
    shutil.copytree(seeded, data_dir)
    admin = await asyncpg.connect(server.url())
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {_SEEDED} STRATEGY FILE_COPY")
    owner = await asyncpg.connect(server.url(name))
    for table in ("events", "heads", "checkpoints", "signing_keys"):
        await owner.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER ALL")
    try:
        with capture_logs():
            yield Victim(server.url(name), data_dir, owner)
    finally:
        await owner.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
