"""The page in a real Chromium: first load, size, a filter changed at a million events, and Lighthouse's audit."""

import asyncio
import gzip
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from playwright.async_api import Browser, Page, Playwright, Response, StorageState, async_playwright

from application.credentials import console
from benchmarks.bench import Bench
from benchmarks.data import END, Estate
from benchmarks.figures import Figure, at_most, latencies
from benchmarks.projecting import catch_up
from benchmarks.served import served
from domain.words import DEFAULT_LEDGER, Role
from hatch_build import node_folder

_LIGHTHOUSE = Path(__file__).parent / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"
_CATEGORIES = {"accessibility": "accessibility", "best-practices": "best practices"}
_AUDITED_VIEWS = ("/explore", "/findings", "/health", "/verify")
_ARGUMENTS = ["--no-sandbox"]
_PORT = 9333
"""By which Lighthouse finds the browser that is signed in."""

_LOOK_MS = 1000
"""How long a person looks before the next change; meanwhile the histogram of the last one is counted."""

_ROWS = "[role=row][data-index]"
_SHOWN = """(activity) => {
    const title = document.querySelector(".term")?.innerText.replace(/[^\\w\\s]/g, "").replace("activity", "").trim();
    const cells = [...document.querySelectorAll("[role=row][data-index] .cell-activity")];
    const asked = new URLSearchParams(location.search).get("activity");
    const isShown = asked === activity && cells.length > 0 && cells.every((cell) => cell.innerText === title);
    return isShown && performance.now();
}"""
_PRESSED = """() => document.addEventListener("keydown", (event) => {
    if (event.key === "Enter") window.pressed = performance.now();
}, true)"""


async def run(bench: Bench) -> Sequence[Figure]:
    """The service in a process of its own, over loopback; the browser shares the machine with both."""
    url = await bench.fill_large(bench.large)
    async with bench.trail(url) as wired:
        bench.tell("projecting what is not yet")
        await catch_up(wired)
        by = console(DEFAULT_LEDGER, END, "benchmarks")
        _, key = await wired.create_credential.create(by, "benchmarks", Role.AUDITOR)
    bench.analyze(url)
    async with served(url, background=False) as service, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_program(), args=_ARGUMENTS)
        page = await browser.new_page()
        await _sign_in(page, service.address, key)
        bench.tell("loading the page for the first time, again and again")
        state = await page.context.storage_state()
        loads, kilobytes = await _first_loads(browser, state, service.address, bench.size(10, 3))
        bench.tell("changing the filter")
        changes = await _filter_changes(page, service.address, Estate(bench.large).activities[: bench.size(30, 10)])
        await browser.close()
        figures = [
            at_most("page, first load to a usable table", "ms", median(loads) * 1000, 1500),
            at_most("page, JavaScript of Explore, gzipped", "kB", kilobytes, 200),
            at_most(f"page, a filter to its rows, {bench.large:,} events", "ms", median(changes) * 1000, 150),
            Figure(f"page, a filter to its rows, {bench.large:,} events", latencies(changes)),
        ]
        return [*figures, *await _audit(bench, playwright, service.address, key)]


def _program() -> str:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        sys.exit("Chromium is not here: apt-get install chromium")
    return program


async def _sign_in(page: Page, address: str, key: str) -> None:
    await page.goto(address)
    await page.get_by_label("API key").fill(key)
    await page.keyboard.press("Enter")
    await page.locator(_ROWS).first.wait_for()


async def _first_loads(browser: Browser, state: StorageState, address: str, times: int) -> tuple[list[float], float]:
    """The seconds of each load by somebody who has nothing but a session, and the kB of JavaScript that it takes."""
    seconds, kilobytes = [], 0.0
    for _ in range(times):
        context = await browser.new_context(storage_state=state)
        page = await context.new_page()
        answers: list[Response] = []

        def keep(answer: Response, answers: list[Response] = answers) -> None:
            answers.append(answer)

        page.on("response", keep)
        started = perf_counter()
        await page.goto(address, wait_until="commit")
        await page.locator(_ROWS).first.wait_for()
        seconds.append(perf_counter() - started)
        scripts = [await answer.body() for answer in answers if answer.url.endswith(".js")]
        kilobytes = sum(len(gzip.compress(script, 9)) for script in scripts) / 1000
        await context.close()
    return seconds, kilobytes


async def _filter_changes(page: Page, address: str, activities: Sequence[str]) -> list[float]:
    """The seconds from the key that chooses a filter to the frame with its rows; each filter is asked for once."""
    await page.goto(address)
    await page.locator(_ROWS).first.wait_for()
    await page.evaluate(_PRESSED)
    seconds = []
    for activity in activities:
        await page.wait_for_timeout(_LOOK_MS)
        await page.locator(".search-input").focus()
        await page.keyboard.type(f"activity:{activity}")
        await page.locator(f"[role=option][data-key='activity={activity}']").wait_for()
        await page.keyboard.press("Enter")
        shown = await page.wait_for_function(_SHOWN, arg=activity)
        seconds.append((await shown.json_value() - await page.evaluate("window.pressed")) / 1000)
        await page.keyboard.press("Backspace")
        await page.wait_for_function("() => !location.search.includes('activity')")
        await page.locator(_ROWS).first.wait_for()
    return seconds


async def _audit(bench: Bench, playwright: Playwright, address: str, key: str) -> Sequence[Figure]:
    """The least that Lighthouse says of any of these views; nothing where it is not installed."""
    if not _LIGHTHOUSE.is_file():
        bench.tell("Lighthouse is not installed: `make audit` does that")
        return []
    # In the browser's own profile, since Lighthouse opens tabs of its own and must be signed in there.
    context = await playwright.chromium.launch_persistent_context(
        bench.folder / "chromium", executable_path=_program(), args=[*_ARGUMENTS, f"--remote-debugging-port={_PORT}"]
    )
    await _sign_in(await context.new_page(), address, key)
    scores: list[Mapping[str, float]] = []
    for view in _AUDITED_VIEWS:
        bench.tell(f"auditing {view}")
        scores.append(await _scores(address + view))
    await context.close()
    return [_score(words, min(score[name] for score in scores)) for name, words in _CATEGORIES.items()]


def _score(words: str, least: float) -> Figure:
    return Figure(
        f"page, Lighthouse on {words}", {"of 100": least}, "the least asked for", {"of 100": 95}, least / 95, 1
    )


async def _scores(url: str) -> Mapping[str, float]:
    """From 0 to 100, for each category."""
    process = await asyncio.create_subprocess_exec(
        node_folder() / "bin" / "node",
        _LIGHTHOUSE,
        url,
        f"--port={_PORT}",
        "--preset=desktop",
        "--disable-storage-reset",
        f"--only-categories={','.join(_CATEGORIES)}",
        "--output=json",
        "--quiet",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"CI": "1"},
    )
    output, errors = await process.communicate()
    if process.returncode:
        sys.exit(errors.decode(errors="replace"))
    report: Any = json.loads(output)
    for audit in report["audits"].values():
        if audit.get("score") is not None and audit["score"] < 1:
            sys.stderr.write(f"{url}: {audit['title']}\n")
    return {name: report["categories"][name]["score"] * 100 for name in _CATEGORIES}
