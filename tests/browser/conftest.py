"""A real Chromium against a running service, signed in as an auditor."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, ConsoleMessage, FilePayload, Page, async_playwright

from adapters.embedded import EmbeddedDatabase
from domain.words import Ledger, Role
from tests.browser.story import story
from tests.e2e.client import Client
from tests.e2e.running import Service, fresh_ledger, running

_INSTALL = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium", "fonts-liberation")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The program, which is installed where that can be done."""
    if shutil.which("chromium") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(("apt-get", "update", "--quiet"), check=True, stdout=subprocess.DEVNULL)
        subprocess.run(_INSTALL, check=True, stdout=subprocess.DEVNULL)
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not here and cannot be installed: apt-get install chromium")
    return program


@pytest.fixture(scope="session")
def service(server: EmbeddedDatabase) -> Iterator[Service]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE browser TEMPLATE template_audit STRATEGY FILE_COPY")
    with running(server.url("browser")) as service:
        yield service


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
def ledger() -> Ledger:
    return fresh_ledger()


@pytest.fixture
async def module(service: Service, session: ClientSession, ledger: Ledger) -> Client:
    _, key = await service.create_key(ledger, Role.MODULE)
    return Client(session, service.address, key)


@pytest.fixture
async def auditor(service: Service, session: ClientSession, ledger: Ledger, module: Client) -> Client:
    """Who reads a ledger that tells a story."""
    _, key = await service.create_key(ledger, Role.AUDITOR)
    auditor = Client(session, service.address, key)
    await auditor.shown((await module.record_all(story(datetime.now(UTC) - timedelta(days=2))))[-1])
    return auditor


@pytest.fixture
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


@pytest.fixture
async def page(browser: Browser, auditor: Client) -> AsyncIterator[Page]:
    """The page, signed in; nothing must have been complained of at the end."""
    async with watched(browser) as page:
        await sign_in(page, auditor)
        yield page


class watched:  # noqa: N801 - a context manager, used as a function.
    """A page of a fresh visitor, without complaints at its end."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self._browser = browser
        self._options = options
        self._complaints = Complaints()

    async def __aenter__(self) -> Page:
        context = await self._browser.new_context(**self._options)
        page = await context.new_page()
        page.set_default_timeout(15_000)
        self._complaints.watch(page)
        return page

    async def __aexit__(self, *raised: object) -> None:
        await self._browser.contexts[-1].close()
        assert raised[0] is not None or self._complaints == []


async def sign_in(page: Page, client: Client) -> None:
    assert client.key is not None
    await page.goto(client.address)
    await page.get_by_label("API key").fill(client.key)
    await page.keyboard.press("Enter")
    await page.get_by_role("banner").wait_for()


async def verify_file(page: Page, data: bytes, name: str) -> None:
    """Choose a file in the view that verifies files."""
    file = FilePayload(name=name, mimeType="application/octet-stream", buffer=data)
    await page.get_by_label("File to verify").set_input_files(file)
