"""Verifying a ledger, against hashing the same bytes and nothing else; and the memory that it takes."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from adapters.bootstrap import Trail
from application.verification import Scope
from benchmarks.bench import Bench
from benchmarks.figures import Figure, compared, per_second
from domain.words import DEFAULT_LEDGER
from projections.database import bound

_WANTED = 0.5
_AT_A_TIME = 10_000
_ROUNDS = 3
_MEGABYTE = 1024

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
    return [
        compared(
            f"verification of {large:,} events, {cores} processes, without the read tables",
            per_second(large, verifying),
            "hashlib.sha256 of each record in memory, one core",
            per_second(large, hashing),
            wanted=_WANTED,
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


def _peak_megabytes(bench: Bench, url: str) -> float:
    """The largest resident set of any process of a verification."""
    settings = {"CERTINEXT_AUDIT_DATABASE_URL": url, "CERTINEXT_AUDIT_DATA_DIR": str(bench.folder / "verified")}
    command = [str(Path(sys.executable).with_name("certinext-audit")), "verify", "--no-tables", "--json"]
    process = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / _MEGABYTE
