"""The rate of appends to a ledger of 5,000,000 events, against that to one of 100,000."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median

import psycopg

from adapters.postgres.connections import WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from benchmarks.bench import Bench
from benchmarks.data import Estate, drafts_of
from benchmarks.figures import Figure, compared, per_second
from domain.words import DEFAULT_LEDGER

_BATCH = 1000

# Short records, since the table is only ever written at its end; what grows in depth are its three indexes, and their
# keys are as those of real events: ids in the order of time, and one entity's versions spread over all of it.
_FILL = """
INSERT INTO audit.events
SELECT %(ledger)s, n, 'filled-' || lpad(n::text, 9, '0'),
    'certificate:certificate-' || lpad((n %% 55000)::text, 6, '0'), n, 'CertificateRenewed',
    now() - interval '90 days' + n * interval '1 second', sha256(int8send(n)), NULL,
    sha256(int8send(n)), sha256(int8send(n))
FROM generate_series(1, %(events)s) AS n
"""
_MOVE_HEAD = """
INSERT INTO audit.heads SELECT ledger, position, chain_hash, recorded_at FROM audit.events
WHERE ledger = %(ledger)s AND position = %(events)s
"""


async def run(bench: Bench) -> Sequence[Figure]:
    """The two ledgers, of databases of their own, take turns, batch by batch; the medians of their times count."""
    batches = bench.size(100, 20)
    small, large = bench.size(100_000, 10_000), bench.size(5_000_000, 100_000)
    commands = list(Estate(batches * _BATCH).commands(batches * _BATCH))
    seconds: dict[int, list[float]] = {small: [], large: []}
    with ExitStack() as databases:
        urls = {size: databases.enter_context(bench.database(f"filled_{size}")) for size in seconds}
        for size, url in urls.items():
            bench.tell(f"filling a ledger with {size:,} events")
            _fill(bench, url, size)
        async with open_pool(urls[small], WRITER, 1) as one, open_pool(urls[large], WRITER, 1) as other:
            stores = {size: PostgresEventStore(pool, lambda _: None) for size, pool in ((small, one), (large, other))}
            bench.tell(f"{batches} batches of {_BATCH:,} to each in turns")
            for first in range(0, len(commands), _BATCH):
                for size, store in stores.items():
                    drafts = drafts_of(commands[first : first + _BATCH])
                    started = time.perf_counter()
                    await store.append(DEFAULT_LEDGER, drafts)
                    seconds[size].append(time.perf_counter() - started)
    ours, theirs = (per_second(_BATCH, median(seconds[size])) for size in (large, small))
    return [compared(f"append, batches of 1,000, to {large:,} events", ours, f"to {small:,}", theirs, wanted=0.9)]


def _fill(bench: Bench, url: str, events: int) -> None:
    """As somebody who owns the database may; such a ledger has no chain, and appends do not look."""
    with psycopg.connect(url, autocommit=True) as owner:
        for statement in (_FILL, _MOVE_HEAD):
            owner.execute(statement.encode(), {"ledger": DEFAULT_LEDGER, "events": events})
    bench.analyze(url)
