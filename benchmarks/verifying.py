"""Verifying a ledger, against hashing the same bytes and nothing else; and the memory that it takes."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import psycopg

from adapters.bootstrap import Trail
from adapters.postgres.event_columns import COLUMNS
from application.verification import Scope
from benchmarks.bench import Bench
from benchmarks.figures import Figure, compared, per_second
from domain.words import DEFAULT_LEDGER
from projections.database import bound

_WANTED = 0.5
_AT_A_TIME = 10_000
_ROUNDS = 3
_MEGABYTE = 1024

_READ = f"""
COPY (
    SELECT {", ".join(COLUMNS)} FROM audit.events
    WHERE ledger = %s AND position > %s AND position <= %s ORDER BY position
) TO STDOUT (FORMAT binary)
"""

_RECORDS = """
SELECT record FROM audit.ledger_events WHERE position > $1 AND position <= $2 ORDER BY position
"""


async def run(bench: Bench) -> Sequence[Figure]:
    small, large = bench.size(100_000, 10_000), bench.large
    with bench.database("verified") as url:
        await bench.fill(url, small)
        bench.tell(f"verifying {small:,} events at the command line")
        memory = [(small, await asyncio.to_thread(_peak_megabytes, bench, url))]
    url = await bench.fill_large(large)
    bench.tell(f"verifying {large:,} events at the command line")
    memory.append((large, await asyncio.to_thread(_peak_megabytes, bench, url)))
    cores = os.cpu_count() or 1
    async with bench.trail(url) as wired:
        bench.tell(f"hashing and verifying {large:,} events, {_ROUNDS} times")
        rounds = [(await _hash_seconds(wired, large), await _verify_seconds(wired, cores)) for _ in range(_ROUNDS)]
    hashing, verifying = (min(seconds) for seconds in zip(*rounds, strict=True))
    bench.tell(f"only reading and hashing {large:,} events, {_ROUNDS} times")
    limit = await asyncio.to_thread(_limit_seconds, url, large, cores)
    return [
        compared(
            f"verification of {large:,} events, {cores} processes, without the read tables",
            per_second(large, verifying),
            "hashlib.sha256 of each record in memory, one core",
            per_second(large, hashing),
            wanted=_WANTED,
        ),
        compared(
            f"the same rows read by {cores} processes and their bytes hashed, nothing compared: the limit",
            per_second(large, limit),
            "hashlib.sha256 of each record in memory, one core",
            per_second(large, hashing),
        ),
        *(
            Figure(f"memory of a verification of {size:,} events: its largest process", {"MB": peak})
            for size, peak in memory
        ),
    ]


async def _verify_seconds(wired: Trail, workers: int) -> float:
    started = time.perf_counter()
    verdict = await wired.services.verifications.verdict(DEFAULT_LEDGER, Scope(tables=False, workers=workers))
    assert verdict.intact, verdict.tampering
    return time.perf_counter() - started


async def _hash_seconds(wired: Trail, count: int) -> float:
    """Of hashing alone: records are fetched before, some at a time."""
    seconds = 0.0
    for start in range(0, count, _AT_A_TIME):
        async with bound(wired.projector_pool, DEFAULT_LEDGER, readonly=True) as connection:
            records = [row["record"] for row in await connection.fetch(_RECORDS, start, start + _AT_A_TIME)]
        started = time.perf_counter()
        for record in records:
            sha256(record).digest()
        seconds += time.perf_counter() - started
    return seconds


def _limit_seconds(url: str, count: int, processes: int) -> float:
    """Of what no verification is without: the database sends each process its share of the rows, which hashes them."""
    borders = [count * number // processes for number in range(processes + 1)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        list(pool.map(_hash_all, repeat(url), repeat(0), repeat(1, processes)))  # They have started.
        rounds = []
        for _ in range(_ROUNDS):
            started = time.perf_counter()
            hashed = sum(pool.map(_hash_all, repeat(url), borders, borders[1:]))
            rounds.append(time.perf_counter() - started)
            assert hashed == count, hashed
    return min(rounds)


def _hash_all(url: str, after: int, last: int) -> int:
    """Hash what comes, without a look at where a column begins; the number of rows."""
    digest = sha256()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy(_READ, (DEFAULT_LEDGER, after, last)) as rows:
            for row in rows:
                digest.update(row)
        return cursor.rowcount


def _peak_megabytes(bench: Bench, url: str) -> float:
    """The largest resident set of any process of a verification."""
    settings = {"CERTINEXT_AUDIT_DATABASE_URL": url, "CERTINEXT_AUDIT_DATA_DIR": str(bench.folder / "verified")}
    command = [str(Path(sys.executable).with_name("certinext-audit")), "verify", "--no-tables", "--json"]
    process = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / _MEGABYTE
