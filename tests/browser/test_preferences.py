"""How things look is the reader's: the theme, and whose time."""

import re

from playwright.async_api import Browser, Page, expect

from adapters.demo import incident
from tests.browser.conftest import sign_in, watched
from tests.browser.hands import Press, either_way
from tests.e2e.client import Client

_DARK, _LIGHT = re.compile(r"rgb\((\d{1,2}, ){2}\d{1,2}\)"), re.compile(r"rgb\((2\d\d, ){2}2\d\d\)")


async def _choose(page: Page, name: str, press: Press) -> None:
    await press(page.get_by_role("button", name="Settings"))
    await press(page.get_by_role("menuitemradio", name=name))
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)


@either_way
async def test_the_theme_is_the_systems_until_the_reader_says_so(
    browser: Browser, analyst: Client, press: Press
) -> None:
    async with watched(browser, color_scheme="light") as page:
        await sign_in(page, analyst)
        body = page.locator("body")
        await expect(body).to_have_css("background-color", _LIGHT)
        await page.emulate_media(color_scheme="dark")
        await expect(body).to_have_css("background-color", _DARK)
        await _choose(page, "Light", press)
        await expect(body).to_have_css("background-color", _LIGHT)
        await _choose(page, "Dark", press)
        await page.emulate_media(color_scheme="light")
        await page.reload()
        await expect(body).to_have_css("background-color", _DARK)


@either_way
async def test_times_are_in_utc_until_the_reader_wants_their_own(
    browser: Browser, analyst: Client, press: Press
) -> None:
    """In the table, in its head, and where a time is asked for; the zone is always said."""
    (event,) = (await analyst.page({"activity": "key.exported", "entity": f"key:{incident.KEY_ID}"}))["events"]
    day = event["occurred_at"][:10]
    async with watched(browser, timezone_id="Asia/Kolkata") as page:
        await sign_in(page, analyst, f"/explore?activity=key.exported&entity=key:{incident.KEY_ID}")
        row = page.locator("[data-index='0']")
        await expect(row.get_by_role("time")).to_have_text(f"{day} 01:47:00")
        await expect(page.get_by_role("columnheader", name="Time")).to_contain_text("UTC")
        await _choose(page, "Local", press)
        await expect(row.get_by_role("time")).to_have_text(f"{day} 07:17:00")
        await expect(page.get_by_role("columnheader", name="Time")).to_contain_text("GMT+5:30")
        await press(page.get_by_role("button", name="Go to time"))
        await expect(page.get_by_label("Time (GMT+5:30)")).to_be_visible()
