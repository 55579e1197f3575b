"""Where benchmarks run: databases of their own on one embedded PostgreSQL, and the large ledger that they share."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psycopg
from pydantic import SecretStr

from adapters.bootstrap import Trail, server, trail
from adapters.embedded import EmbeddedDatabase
from adapters.postgres.connections import WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.schema import migrate
from adapters.settings import Settings
from benchmarks.data import BLOCK, Estate, drafts_of
from domain.words import DEFAULT_LEDGER

_LARGE = "large"
_BATCH = 1000


@dataclass(frozen=True)
class Bench:
    """What every benchmark is given."""

    embedded: EmbeddedDatabase
    folder: Path
    quick: bool
    tell: Callable[[str], None]
    """Say what is going on, for people who wait."""
    _made: set[str] = field(default_factory=set)

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    @property
    def large(self) -> int:
        """How many events the large ledger has in the end."""
        return self.size(1_000_000, 100_000)

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """The URL of a migrated database, empty at first, that is dropped afterwards."""
        self._execute(f"CREATE DATABASE {name}")
        try:
            migrate(self.embedded.url(name))
            yield self.embedded.url(name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def large_database(self) -> str:
        """The URL of the database of the large ledger, which stays for the whole run."""
        if _LARGE not in self._made:
            self._execute(f"CREATE DATABASE {_LARGE}")
            migrate(self.embedded.url(_LARGE))
            self._made.add(_LARGE)
        return self.embedded.url(_LARGE)

    async def fill_large(self, until: int) -> str:
        """Let the large ledger have at least `until` events, a multiple of a block; the URL of its database."""
        url = self.large_database()
        await self.fill(url, until)
        return url

    async def fill(self, url: str, until: int) -> None:
        """The same for the default ledger of a database, which is the beginning of the large one."""
        async with open_pool(url, WRITER, 1) as pool:
            present = await _count(url) // BLOCK * BLOCK
            if present < until:
                self.tell(f"recording events {present + 1:,} to {until:,}")
            store = PostgresEventStore(pool, lambda _: None)
            estate = Estate(self.large)
            for start in range(present, until, BLOCK):
                drafts = drafts_of(list(estate.commands(BLOCK, start)), start)
                for first in range(0, BLOCK, _BATCH):
                    await store.append(DEFAULT_LEDGER, drafts[first : first + _BATCH])
        self.analyze(url)

    def analyze(self, url: str) -> None:
        """What autovacuum would do a little later, so that each run starts from the same."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    @asynccontextmanager
    async def trail(self, url: str) -> AsyncIterator[Trail]:
        async with trail(url, self._settings(url)) as wired:
            yield wired

    @asynccontextmanager
    async def server(self, url: str, *, background: bool = True) -> AsyncIterator[tuple[Trail, str]]:
        """Without `background` it only answers: tables that are not projected yet are not projected meanwhile."""
        async with server(url, self._settings(url, background=background)) as served:
            yield served

    def _settings(self, url: str, *, background: bool = True) -> Settings:
        return Settings(
            database_url=SecretStr(url),
            data_dir=self.folder / "data" / urlsplit(url).path.strip("/"),
            host="127.0.0.1",
            port=0,
            max_feeds=10_000,
            background=background,
        )

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.embedded.url(), autocommit=True) as connection:
            connection.execute(statement.encode())


async def _count(url: str) -> int:
    """How many events the ledgers of a database have; `url` is the owner's."""
    owner = await asyncpg.connect(url)
    try:
        return int(await owner.fetchval("SELECT count(*) FROM audit.events"))
    finally:
        await owner.close()
