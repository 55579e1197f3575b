"""A real Chromium against a running service with the demonstration's estate, signed in as an auditor.

All tests of a process share the browser, each as a visitor of its own, and the service; what they do to the estate
must not matter to others. Who needs something to themselves takes a ledger of their own.
"""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, ClientTimeout
from playwright.async_api import Browser, ConsoleMessage, FilePayload, Page, async_playwright, expect

from adapters.embedded.locks import FileLock
from domain.words import Ledger, Role
from tests import demonstration
from tests.builders import command_data
from tests.demonstration import Demonstration
from tests.e2e.client import Client
from tests.e2e.running import Service, fresh_ledger

_SHELL = "chromium-headless-shell"
"""Chromium without the window around its pages, which costs a third of the processors' time of these tests."""
_PROGRAMS = (_SHELL, "chromium", "chromium-browser", "google-chrome")
_INSTALLING = 250
"""In seconds."""
_UPDATE = ("apt-get", "update", "--quiet")
_INSTALL = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "fonts-liberation")
_PATIENCE = 20_000
"""In milliseconds, for what the page does: other tests have the processors, too."""

expect.set_options(timeout=_PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One loop for all tests here, as there is one browser."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program. Where it can be installed one process of the run tries that, while the others wait."""
    folder = demonstration.folder_of_the_run(tmp_path_factory)
    tried = folder / "chromium-tried"
    with FileLock(folder / "chromium-lock") as lock:
        assert lock.wait_exclusive_for(_INSTALLING), "Chromium is not installed in time"
        if not tried.exists():
            tried.touch()
            if shutil.which(_SHELL) is None and os.geteuid() == 0 and shutil.which("apt-get"):
                _install()
    return _installed() or pytest.skip(f"Chromium is not here and cannot be installed: apt-get install {_SHELL}")


def _install() -> None:
    """The shell; where there is none, Chromium itself, unless some browser is here."""
    subprocess.run(_UPDATE, check=False, stdout=subprocess.DEVNULL)
    shell = subprocess.run((*_INSTALL, _SHELL), check=False, stdout=subprocess.DEVNULL)
    if shell.returncode and _installed() is None:
        subprocess.run((*_INSTALL, "chromium"), check=True, stdout=subprocess.DEVNULL)


def _installed() -> str | None:
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


@pytest.fixture(scope="session")
def service_and_url(estate: Demonstration, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    with estate.copy("browser", tmp_path_factory.mktemp("browser")) as copy:
        yield copy


@pytest.fixture(scope="session")
def service(service_and_url: tuple[Service, str]) -> Service:
    return service_and_url[0]


@pytest_asyncio.fixture(loop_scope="session")
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=ClientTimeout(total=60)) as session:
        yield session


@pytest_asyncio.fixture(loop_scope="session")
async def analyst(service: Service, session: ClientSession) -> Client:
    """An auditor of the demonstration's estate."""
    _, key = await service.create_key(demonstration.LEDGER, Role.AUDITOR)
    return Client(session, service.address, key)


@pytest_asyncio.fixture(loop_scope="session")
async def reporter(service: Service, session: ClientSession) -> Client:
    """Who reports to the demonstration's ledger, for every module."""
    _, key = await service.create_key(demonstration.LEDGER, Role.MODULE)
    return Client(session, service.address, key)


@pytest.fixture
def ledger() -> Ledger:
    """One of the test's own."""
    return fresh_ledger()


@pytest_asyncio.fixture(loop_scope="session")
async def module(service: Service, session: ClientSession, ledger: Ledger) -> Client:
    _, key = await service.create_key(ledger, Role.MODULE)
    return Client(session, service.address, key)


@pytest_asyncio.fixture(loop_scope="session")
async def auditor(service: Service, session: ClientSession, ledger: Ledger, module: Client) -> Client:
    """Who reads a ledger of the test's own, with a revoked certificate in it."""
    _, key = await service.create_key(ledger, Role.AUDITOR)
    return await Client(session, service.address, key).shown(await module.record(command_data()))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        await browser.close()


class Complaints(list[str]):
    """What the browser complained of: scripts that failed, and all that the policy of the page forbade."""

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.append(f"script: {error}"))
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.append(message.text)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, analyst: Client) -> AsyncIterator[Page]:
    """A visitor who is signed in, and has opened nothing yet; nothing must have been complained of at the end."""
    async with watched(browser) as page:
        answer = await page.context.request.post(
            f"{analyst.address}/v1/session", data={"key": analyst.key}, headers={"Origin": analyst.address}
        )
        assert answer.ok, await answer.text()
        yield page


class watched:  # noqa: N801 - a context manager, used as a function.
    """A page of a fresh visitor, without complaints at its end."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self._browser = browser
        self._options = options
        self._complaints = Complaints()

    async def __aenter__(self) -> Page:
        self._context = await self._browser.new_context(**self._options)
        page = await self._context.new_page()
        page.set_default_timeout(_PATIENCE)
        self._complaints.watch(page)
        return page

    async def __aexit__(self, *raised: object) -> None:
        await self._context.close()
        assert raised[0] is not None or self._complaints == []


async def sign_in(page: Page, client: Client, path: str = "") -> None:
    """With the client's key, at this path, which is then shown."""
    assert client.key is not None
    await page.goto(client.address + path)
    await page.get_by_label("API key").fill(client.key)
    await page.keyboard.press("Enter")
    await page.get_by_role("banner").wait_for()


async def verify_file(page: Page, data: bytes, name: str) -> None:
    """Choose a file in the view that verifies files."""
    file = FilePayload(name=name, mimeType="application/octet-stream", buffer=data)
    await page.get_by_label("File to verify").set_input_files(file)
