"""Pictures of every view, to be looked at: `make screenshots`, which puts them into `screenshots/`.

They are of the demonstration's estate, in both themes, and on a narrow screen.
"""

import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from adapters.demo import incident
from domain.words import Role
from tests import demonstration
from tests.browser.conftest import sign_in, verify_file, watched
from tests.e2e.client import Client
from tests.e2e.running import Service

FOLDER = Path(os.environ.get("SCREENSHOTS", "screenshots"))

Act = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True)
class View:
    """What is in a picture: an address, and what is done there first."""

    address: str
    act: Act | None = None


@pytest_asyncio.fixture(loop_scope="session")
async def reader(analyst: Client, reporter: Client) -> Client:
    """An auditor of the demonstration's estate, in which a command was refused as well."""
    await reporter.send({"command": "Nonsense"})
    return analyst


@pytest.mark.timeout(1200)
async def test_every_view_is_pictured(browser: Browser, service_and_url: tuple[Service, str], reader: Client) -> None:
    service, url = service_and_url
    shutil.rmtree(FOLDER, ignore_errors=True)
    views = await _views(reader)
    for scheme in ("light", "dark"):
        for width, height in ((1440, 900), (360, 740)):
            async with watched(
                browser, color_scheme=scheme, viewport={"width": width, "height": height}, reduced_motion="reduce"
            ) as page:
                await page.goto(reader.address)
                await page.get_by_label("API key").wait_for()
                await _picture(page, f"{scheme}-{width}", "sign-in")
                await sign_in(page, reader)
                await _pictures(page, reader.address, views, f"{scheme}-{width}")
    async with watched(browser, viewport={"width": 1440, "height": 900}) as page:
        _, key = await service.create_key(demonstration.LEDGER, Role.OPERATOR)
        await sign_in(page, Client(reader.session, reader.address, key))
        await _pictures(page, reader.address, {"operator": View("/health", _seen("1 refused command"))}, "light-1440")
    async with watched(browser, viewport={"width": 3840, "height": 2160}) as page:
        await sign_in(page, reader)
        wide = {name: view for name, view in views.items() if view.act is None or name in {"event", "health"}}
        await _pictures(page, reader.address, wide, "light-3840")
    await _tampered_event(browser, reader, url, views["event"].address)


async def _pictures(page: Page, address: str, views: Mapping[str, View], folder: str) -> None:
    for name, view in views.items():
        await page.goto(address + view.address)
        await page.locator("main").wait_for()
        await expect(page.locator(".spinner")).to_have_count(0)
        if view.act is not None:
            await view.act(page)
        await _picture(page, folder, name)
        await page.unroute_all()
        await page.emulate_media(media="screen")


async def _picture(page: Page, folder: str, name: str) -> None:
    await page.wait_for_timeout(250)  # Fonts and canvases are drawn; there is nothing to wait for that says so.
    await page.screenshot(path=FOLDER / folder / f"{name}.png", full_page="print" in name)


async def _tampered_event(browser: Browser, reader: Client, url: str, address: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        (table,) = connection.execute(
            "SELECT max(relname) FROM pg_class WHERE relname ~ '^activity_[0-9]+$' AND relkind = 'r'"
        ).fetchone() or ("",)
        connection.execute(f"UPDATE reading.{table} SET event = replace(event, 'Jörg', 'John')".encode())
    async with watched(browser, viewport={"width": 1440, "height": 900}) as page:
        await sign_in(page, reader)
        await _pictures(page, reader.address, {"tampered": View(address, _seen("NOT what was signed"))}, "light-1440")


async def _views(reader: Client) -> Mapping[str, View]:
    exports = (await reader.page({"activity": "key.exported", "entity": f"key:{incident.KEY_ID}"}))["events"]
    event = f"/event/{exports[0]['event_id']}"
    at = (datetime.now(UTC) - timedelta(days=30)).strftime("%Y-%m-%dT03:12:00Z")
    file = (await reader.get("/v1/events/export.jsonl", {"ip": incident.ATTACKER_IP})).body
    return {
        "explore": View("/explore"),
        "explore-estate": View("/explore?module=certificate_operations"),
        "explore-filtered": View(f"/explore?ip={incident.ATTACKER_IP}&status=failure"),
        "explore-completions": View("/explore", _typed("user:j", "option")),
        "explore-filter-names": View("/explore", _typed("", "option")),
        "explore-time": View("/explore", _pressed("All time")),
        "explore-go-to-time": View(f"/explore?at={at}"),
        "explore-columns": View("/explore", _pressed("Columns")),
        "explore-nothing": View("/explore?entity=certificate:nowhere"),
        "explore-refused": View("/explore?from=nonsense"),
        "export": View(f"/explore?ip={incident.ATTACKER_IP}", _export_asked),
        "export-done": View(f"/explore?ip={incident.ATTACKER_IP}", _exported),
        "event": View(event, _seen("This event is in the signed ledger")),
        "event-print": View(event, _printed),
        "event-unknown": View("/event/0198c0de-0000-7000-8000-000000000000"),
        "entity": View(f"/entity/certificate/{incident.CERTIFICATE_ID}"),
        "entity-as-it-was": View(f"/entity/certificate_authority/ca-remote?at={exports[0]['occurred_at']}"),
        "entity-compared": View(f"/entity/certificate/{incident.CERTIFICATE_ID}", _compared),
        "estate": View("/estate/certificate"),
        "estate-as-of": View(f"/estate/certificate_authority?at={at}"),
        "findings": View("/findings"),
        "investigate": View(f"/investigate?session={incident.SESSION_ID}"),
        "investigate-empty": View("/investigate"),
        "verify": View("/verify"),
        "verify-good": View("/verify", _verified(file, "This file is as it was exported")),
        "verify-bad": View(
            "/verify", _verified(file.replace(b'"status":"failure"', b'"status":"success"', 1), "NOT as it was")
        ),
        "health": View("/health", _seen("events, signed")),
        "settings": View("/explore", _pressed("Settings")),
        "shortcuts": View("/explore", _keyed("?")),
        "offline": View("/findings", _offline),
        "nowhere": View("/event"),
    }


def _seen(text: str) -> Act:
    async def act(page: Page) -> None:
        await page.get_by_text(text).first.wait_for()

    return act


def _pressed(name: str) -> Act:
    async def act(page: Page) -> None:
        await page.get_by_role("button", name=name).click()

    return act


def _keyed(key: str) -> Act:
    async def act(page: Page) -> None:
        await page.locator("[role=row][data-index]").first.wait_for()
        await page.keyboard.press(key)
        await page.get_by_role("dialog").wait_for()

    return act


def _typed(text: str, role: str) -> Act:
    async def act(page: Page) -> None:
        await page.get_by_role("combobox", name="Filter events").click()
        await page.keyboard.type(text)
        await page.locator(f"[role={role}]").first.wait_for()

    return act


def _verified(data: bytes, words: str) -> Act:
    async def act(page: Page) -> None:
        await verify_file(page, data, "audit-default-ip-203-0-113-77-20261128T101500Z.jsonl")
        await page.get_by_text(words).wait_for()

    return act


async def _export_asked(page: Page) -> None:
    await page.get_by_role("button", name="Export").click()
    await page.get_by_role("dialog").get_by_text("about").wait_for()


async def _exported(page: Page) -> None:
    await page.get_by_role("button", name="Export").click()
    await page.get_by_role("dialog").get_by_role("button", name="Export").click()
    await page.get_by_text("byte for byte").wait_for()


async def _compared(page: Page) -> None:
    compare = page.get_by_role("region", name="Compare two moments")
    for number, choice in ((1, compare.get_by_role("combobox").first), (4, compare.get_by_role("combobox").last)):
        await choice.select_option(index=number)
    await compare.get_by_role("table").scroll_into_view_if_needed()


async def _printed(page: Page) -> None:
    await page.get_by_text("This event is in the signed ledger").wait_for()
    await page.emulate_media(media="print")


async def _offline(page: Page) -> None:
    """The service is gone while somebody changes a filter."""
    await page.route("**/v1/**", lambda route: route.abort("connectionrefused"))
    await page.get_by_label("Severity").select_option("critical")
    await page.get_by_role("heading", name="The service cannot be reached").wait_for(timeout=30_000)
