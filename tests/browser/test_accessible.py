"""No view has a fault that axe finds, in either theme, on a wide screen or a narrow one."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from adapters.demo import incident
from tests.browser.conftest import sign_in, verify_file, watched
from tests.e2e.client import Client

_AXE = (Path(__file__).parents[2] / "adapters" / "page" / "node_modules" / "axe-core" / "axe.min.js").read_text()
_RUN = "axe.run({ resultTypes: ['violations'] }).then((results) => results.violations)"
_VIEWS = (
    "/explore",
    "/explore?entity=certificate:nowhere",
    f"/explore?ip={incident.ATTACKER_IP}&at=2030-01-01T00:00:00Z",
    "/findings",
    "/estate",
    f"/investigate?session={incident.SESSION_ID}",
    "/verify",
    "/health",
    f"/entity/certificate/{incident.CERTIFICATE_ID}",
)


async def _faults(page: Page) -> list[str]:
    """In the isolated world of the debugger, since the page's policy lets no script in."""
    session = await page.context.new_cdp_session(page)
    tree = await session.send("Page.getFrameTree")
    world = await session.send("Page.createIsolatedWorld", {"frameId": tree["frameTree"]["frame"]["id"]})
    context = world["executionContextId"]
    await session.send("Runtime.evaluate", {"expression": _AXE, "contextId": context})
    found: Any = await session.send(
        "Runtime.evaluate",
        {"expression": _RUN, "awaitPromise": True, "returnByValue": True, "contextId": context},
    )
    return [f"{fault['id']}: {node['html'][:150]}" for fault in found["result"]["value"] for node in fault["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_view_is_accessible(browser: Browser, analyst: Client, scheme: str) -> None:
    (event,) = (await analyst.page({"activity": "key.exported", "entity": f"key:{incident.KEY_ID}"}))["events"]
    views = (*_VIEWS, f"/event/{event['event_id']}")
    async with watched(browser, color_scheme=scheme, viewport={"width": 1440, "height": 900}) as page:
        await page.goto(analyst.address)
        await page.get_by_label("API key").wait_for()
        assert await _faults(page) == []
        await sign_in(page, analyst)
        for view in views:
            await page.goto(analyst.address + view)
            await _settled(page)
            assert await _faults(page) == [], view


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_export_is_accessible_from_its_choices_to_its_end(
    browser: Browser, analyst: Client, scheme: str
) -> None:
    async with watched(browser, color_scheme=scheme) as page:
        await sign_in(page, analyst, f"/explore?ip={incident.ATTACKER_IP}")
        await page.get_by_role("button", name="Export").click()
        await page.get_by_role("dialog").get_by_text("about").wait_for()
        assert await _faults(page) == []
        await page.get_by_role("dialog").get_by_role("button", name="Export").click()
        await expect(page.get_by_role("dialog")).to_contain_text("byte for byte")
        assert await _faults(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_verdicts_about_files_are_accessible(browser: Browser, analyst: Client, scheme: str) -> None:
    good = (await analyst.get("/v1/events/export.jsonl", {"ip": incident.ATTACKER_IP})).body
    async with watched(browser, color_scheme=scheme) as page:
        await sign_in(page, analyst, "/verify")
        for data, words in (
            (good, "as it was exported"),
            (good.replace(b'"success"', b'"failure"', 1), "NOT as it was"),
        ):
            await verify_file(page, data, f"{words}.jsonl")
            await expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()
            assert await _faults(page) == [], words


async def test_a_narrow_screen_needs_no_scrolling_sideways(browser: Browser, analyst: Client) -> None:
    async with watched(browser, viewport={"width": 360, "height": 740}) as page:
        await sign_in(page, analyst)
        for view in _VIEWS:
            await page.goto(analyst.address + view)
            await _settled(page)
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= 360, view
            assert await _faults(page) == [], view


async def _settled(page: Page) -> None:
    """Nothing is loading any more; the feed stays open, so the network is never idle."""
    await page.locator("main").wait_for()
    await expect(page.locator(".spinner")).to_have_count(0)
