"""The statements that the store really sends find what they need through the unique indexes."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import pytest

from adapters.postgres.connections import WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.ledger_records import PostgresLedgerRecords
from domain.words import DEFAULT_LEDGER, Position
from projections.database import Connection, Pool
from tests.builders import draft

ROWS = 10_000

_FILL = f"""
INSERT INTO audit.events
SELECT 'default', n, 'c-' || n, 'certificate:c-' || n % 500, n / 500 + 1, 'CertificateRevoked',
    now() - interval '1 day' + n * interval '1 second', 'record', NULL, 'leaf', 'chain'
FROM generate_series(1, {ROWS}) AS n
"""
_FILL_HEAD = f"INSERT INTO audit.heads VALUES ('default', {ROWS}, 'chain', now())"


class ListeningPool:
    """A pool that keeps the queries of events which go through it, with their arguments."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.queries: dict[str, Sequence[Any]] = {}

    @asynccontextmanager
    async def acquire(self, *, timeout: float | None = None) -> AsyncIterator[Connection]:  # noqa: ASYNC109
        async with self._pool.acquire(timeout=timeout) as connection:
            with connection.query_logger(self._keep):
                yield connection

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        async with self.acquire() as connection:
            return await connection.fetch(query, *args)

    def _keep(self, logged: Any) -> None:
        if "FROM audit.ledger_events" in logged.query:
            self.queries[logged.query] = logged.args


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A superuser's connection to a ledger of many events whose statistics are fresh."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET certinext_audit.ledger = 'default'")
    await connection.execute(_FILL)
    await connection.execute(_FILL_HEAD)
    await connection.execute("ANALYZE audit.events")
    yield connection
    await connection.close()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


async def test_no_statement_on_events_scans_the_table(
    database_url: str, owner: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """An append, a retry and a read look into one unique index each, and sort nothing."""
    known, batch = draft(), [draft(entity={"type": "certificate", "id": f"c-{n}"}) for n in range(100)]
    async with open_pool(database_url, WRITER, 1) as pool:
        listening = ListeningPool(pool)
        store = PostgresEventStore(cast("Pool", listening), lambda _: None)
        await store.append(DEFAULT_LEDGER, [*batch, known])
        await store.append(DEFAULT_LEDGER, [*batch, known])
        await store.read(DEFAULT_LEDGER, Position(ROWS // 2), 1000)
        await PostgresLedgerRecords(cast("Pool", listening)).read(DEFAULT_LEDGER, Position(ROWS // 2), 1000)
    used = []
    for query, arguments in listening.queries.items():
        explained = await owner.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *arguments)
        found = list(nodes(json.loads(explained)[0]["Plan"]))
        assert not {node["Node Type"] for node in found} & {"Seq Scan", "Sort", "Incremental Sort"}, query
        used += [node["Index Name"] for node in found if "Index Name" in node]
    assert sorted(used) == ["events_command_id", "events_position", "events_position", "events_version"]
