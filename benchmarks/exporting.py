"""Exports: rows from the database to a file against other writers, memory, first bytes, and what others feel."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import rustpy_xlsxwriter
from openpyxl import Workbook as OpenpyxlWorkbook
from openpyxl.cell import WriteOnlyCell

from adapters.bootstrap import Trail
from adapters.exports.exporter import Exports
from application.credentials import console
from application.export_trail import ExportAsked
from benchmarks.bench import Bench
from benchmarks.data import DAYS, END
from benchmarks.figures import Figure, compared, latencies, per_second
from benchmarks.load import get_in_turn, in_process
from benchmarks.projecting import catch_up
from benchmarks.served import Served, served
from domain.exported import EVENT_COLUMNS, Columns, Evidence, facts_of
from domain.filters import EventFilter
from domain.values import parse_rfc3339, rfc3339
from domain.words import DEFAULT_LEDGER, ExportFormat, Order, Position, Role
from projections.activity_query import Query
from projections.exporting import Keyset

_TITLES = (
    "User",
    "User id",
    "Module",
    "Activity",
    "Description",
    "Occurred (UTC)",
    "Status",
    "Entity id",
    "Source",
    "IP address",
    "Position",
)
ELEVEN = Columns(column for column in EVENT_COLUMNS if column.title in _TITLES)
"""The columns that all writers write."""

_LESS_MEMORY_MB, _FIRST_BYTE_MS, _SLOWER = 30.0, 50.0, 3.0
_LOOK_SECONDS = 0.02
_MB = 1024 * 1024

Rows = Iterator[list[Any]]


async def run(bench: Bench) -> Sequence[Figure]:
    url = await bench.fill_large(bench.large)
    async with bench.trail(url) as wired:
        bench.tell("projecting what is not yet")
        await catch_up(wired)
        by = console(DEFAULT_LEDGER, END, "benchmarks")
        _, key = await wired.create_credential.create(by, "benchmarks", Role.AUDITOR)
    bench.analyze(url)
    async with bench.trail(url) as wired:
        figures = await _against_writers(bench, wired)
    async with served(url, background=False) as service:
        return [
            *figures,
            await _memory(bench, service, key),
            await _first_byte(bench, service.address, key),
            await _others(bench, service.address, key),
        ]


async def _against_writers(bench: Bench, wired: Trail) -> list[Figure]:
    rows = bench.size(500_000, 50_000)
    writers: list[tuple[str, Callable[[Path, Rows], None], float]] = [
        ("openpyxl write-only, fed by the same query", _by_openpyxl, 8),
        ("rustpy-xlsxwriter, fed by the same query", _by_rustpy, 1.2),
    ]
    exports = wired.services.export_trail.exporter
    assert isinstance(exports, Exports)
    few = replace(exports, columns=ELEVEN, evidence=False)
    async for _ in _pages(wired, rows):
        pass  # So that nobody reads from the disk for the others.
    await _exported(few, bench, rows // 10)  # As in a service that is up: the builders' first pages take longer.
    bench.tell(f"exporting {rows:,} rows of 11 columns")
    ours = await _exported(few, bench, rows)
    figures = []
    for against, write, wanted in writers:
        bench.tell(f"writing the same with {against}")
        theirs = await _written(wired, bench.folder / "peer.xlsx", rows, write)
        figures.append(compared(f"{rows:,} rows of 11 columns to a workbook", ours, against, theirs, wanted))
    bench.tell(f"exporting {rows:,} rows with all columns and evidence")
    whole = await _exported(exports, bench, rows)
    figures.append(Figure(f"{rows:,} rows of 38 columns, with their records and proof", whole))
    return figures


async def _exported(exports: Exports, bench: Bench, rows: int) -> dict[str, float]:
    """Our whole way: query, rows, proof, signature, file on disk."""
    by = console(DEFAULT_LEDGER, END, "benchmarks")
    asked = ExportAsked("benchmark", by, END, EventFilter(), Order.RECORDED, ExportFormat.XLSX)
    export = await exports.begin(asked, Position(0), until=Position(rows))
    started = time.perf_counter()
    with (bench.folder / "ours.xlsx").open("wb") as file:
        async with aclosing(export.chunks()) as chunks:
            async for chunk in chunks:
                file.write(chunk)
    assert export.rows == rows
    return dict(per_second(rows, time.perf_counter() - started))


async def _written(wired: Trail, path: Path, rows: int, write: Callable[[Path, Rows], None]) -> dict[str, float]:
    """A peer's: in a thread of its own, while the next page is read for it, too."""
    loop = asyncio.get_running_loop()
    pages = _pages(wired, rows)

    def values() -> Rows:
        words = {activity.event_type: activity.wording for activity in wired.services.catalogue}
        following = asyncio.run_coroutine_threadsafe(_next(pages), loop)
        while page := following.result():
            following = asyncio.run_coroutine_threadsafe(_next(pages), loop)
            for row in page:
                facts, _ = facts_of(row.record, row.personal, words)
                cells: list[Any] = ELEVEN.texts(facts)
                for index in ELEVEN.of_time:
                    cells[index] = parse_rfc3339(cells[index]).replace(tzinfo=None)
                yield cells

    started = time.perf_counter()
    await asyncio.to_thread(write, path, values())
    return dict(per_second(rows, time.perf_counter() - started))


async def _next(pages: AsyncIterator[Sequence[Evidence]]) -> Sequence[Evidence]:
    async for page in pages:
        return page
    return ()


async def _pages(wired: Trail, rows: int) -> AsyncIterator[Sequence[Evidence]]:
    query = Query(EventFilter(), until=Position(rows))
    after: Keyset | None = None
    while True:
        page = await wired.services.reads.export_page(DEFAULT_LEDGER, query, Order.RECORDED, after)
        if page.rows is not None:
            yield list(page.rows.rows())
        if page.goes_on is None:
            return
        after = page.goes_on


def _by_openpyxl(path: Path, rows: Rows) -> None:
    workbook = OpenpyxlWorkbook(write_only=True)
    sheet = workbook.create_sheet("Events")
    times = ELEVEN.of_time
    sheet.append(ELEVEN.titles)
    for row in rows:
        for index in times:
            cell = WriteOnlyCell(sheet, row[index])
            cell.number_format = "yyyy-mm-dd hh:mm:ss.000"
            row[index] = cell
        sheet.append(row)
    workbook.save(path)


def _by_rustpy(path: Path, rows: Rows) -> None:
    titles = ELEVEN.titles
    records = (dict(zip(titles, row, strict=True)) for row in rows)
    rustpy_xlsxwriter.write_worksheet(records, file_name=str(path), sheet_name="Events")


async def _memory(bench: Bench, service: Served, key: str) -> Figure:
    """The most that the server and its builders have at any moment of an export."""
    small, large = _days(10_000 / bench.large), ""
    await in_process(take, service.address, key, small)  # What is loaded once is not the export's.
    found = []
    for query in (small, large):
        bench.tell("measuring memory of an export")
        async with _peak(service.process.pid) as peak:
            await in_process(take, service.address, key, query)
        found.append(peak[0] / _MB)
    return _within(
        f"peak memory of the server, {bench.large:,} rows",
        {"MB": found[1]},
        "10,000 rows",
        {"MB": found[0]},
        _LESS_MEMORY_MB / max(found[1] - found[0], 0.1),
    )


async def _first_byte(bench: Bench, address: str, key: str) -> Figure:
    """Medians of five: the client leaves after the first byte."""
    few, all_ = _days(10 / bench.large), ""
    await in_process(first_bytes, address, key, few, 2)
    found = [sorted(await in_process(first_bytes, address, key, query, 5))[2] * 1000 for query in (all_, few)]
    return _within(
        f"first byte of {bench.large:,} rows",
        {"ms": found[0]},
        "of 10 rows",
        {"ms": found[1]},
        _FIRST_BYTE_MS / max(found[0] - found[1], 0.1),
    )


async def _others(bench: Bench, address: str, key: str) -> Figure:
    """Searches that follow one another, alone and while two exports run."""
    requests = bench.size(400, 100)
    paths = [f"/v1/events?{_days(0.1, number / 100)}&limit=50" for number in range(requests)]
    await in_process(get_in_turn, address, key, paths[:50], 60.0)
    quiet = latencies(await in_process(get_in_turn, address, key, paths, 60.0))
    exports = [asyncio.ensure_future(in_process(take, address, key, "", 60.0)) for _ in range(2)]
    await asyncio.sleep(5)  # Until both have begun, and the processes that take them have started.
    busy = latencies(await in_process(get_in_turn, address, key, paths, 60.0))
    assert not any(export.done() for export in exports), "the exports ended too soon to tell"
    await asyncio.gather(*exports)
    ratio = _SLOWER * quiet["p99 ms"] / busy["p99 ms"]
    return _within("GET /v1/events while two exports run", busy, "without exports", quiet, ratio)


def _within(
    work: str, ours: dict[str, float] | Any, against: str, theirs: dict[str, float] | Any, ratio: float
) -> Figure:
    """The ratio is what is allowed to what was found."""
    return Figure(work, ours, against, theirs, ratio, 1)


def _days(share: float, before_end: float = 0.0) -> str:
    """A filter for this share of the ninety days."""
    end = END - timedelta(days=DAYS * before_end)
    return f"from={rfc3339(end - timedelta(days=DAYS * share))}&to={rfc3339(end)}"


@asynccontextmanager
async def _peak(server: int) -> AsyncIterator[list[int]]:
    """The most bytes of memory that a server and its builders have while the block runs, looked at often."""
    peak = [0]

    async def watch() -> None:
        while True:
            peak[0] = max(peak[0], sum(map(_memory_of, (server, *_children(server)))))
            await asyncio.sleep(_LOOK_SECONDS)

    watching = asyncio.ensure_future(watch())
    try:
        yield peak
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def _children(process: int) -> list[int]:
    """The builders of a server: its threads' children."""
    found: list[int] = []
    for thread in Path(f"/proc/{process}/task").iterdir():
        with contextlib.suppress(OSError):
            found += map(int, (thread / "children").read_text().split())
    return found


def _memory_of(process: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def take(address: str, key: str, query: str, patience: float = 600.0) -> int:
    """Take a file and throw it away; how many bytes it has, or how many came until patience was over.

    With as little work as can be: who takes a file is elsewhere, and needs nothing of the server's processors.
    """
    until = time.monotonic() + patience
    buffer = bytearray(_MB)
    count = 0
    with contextlib.closing(HTTPConnection(urlsplit(address).netloc, timeout=patience)) as connection:
        connection.request("GET", f"/v1/events/export.xlsx?{query}", headers={"Authorization": f"Bearer {key}"})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        while time.monotonic() < until and (size := response.readinto(buffer)):
            count += size
    return count


def first_bytes(address: str, key: str, query: str, times: int) -> list[float]:
    """The seconds to the first byte of a file, for each of some."""
    return asyncio.run(_first_bytes(address, key, query, times))


async def _first_bytes(address: str, key: str, query: str, times: int) -> list[float]:
    found = []
    for _ in range(times):
        started = time.perf_counter()
        async with _asking(address, key, query) as response:
            await response.content.readany()
            found.append(time.perf_counter() - started)
            response.close()
        await asyncio.sleep(0.5)
    return found


@asynccontextmanager
async def _asking(address: str, key: str, query: str) -> AsyncIterator[aiohttp.ClientResponse]:
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}, timeout=timeout) as session,
        session.get(f"{address}/v1/events/export.xlsx?{query}") as response,
    ):
        response.raise_for_status()
        yield response
