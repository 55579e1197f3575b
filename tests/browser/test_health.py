"""How the demonstration's ledger stands, and having it verified."""

import re

from playwright.async_api import Browser, Page, expect

from domain.words import Role
from tests.browser.conftest import sign_in, watched
from tests.browser.hands import Press, by_keyboard, either_way
from tests.demonstration import LEDGER
from tests.e2e.client import Client
from tests.e2e.running import Service

_AS_LONG_AS_IT_TAKES = 120_000
"""In milliseconds, to verify a ledger while other tests have the processors."""


@either_way
async def test_the_ledger_is_verified_from_the_page(page: Page, analyst: Client, press: Press) -> None:
    await page.goto(analyst.address)
    await expect(page.locator("[role=row][data-index]").first).to_be_visible()
    if press is by_keyboard:
        await page.keyboard.press("g")
        await page.keyboard.press("h")
    else:
        await page.get_by_role("navigation", name="Views").get_by_role("link", name="Health").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Health")
    await expect(page.get_by_role("region", name="Ledger", exact=True)).to_contain_text("events, signed")
    await expect(page.get_by_role("region", name="Read tables")).to_contain_text("Activity")
    button = page.get_by_role("button", name="Verify everything now")
    await expect(button).to_be_enabled(timeout=_AS_LONG_AS_IT_TAKES)
    async with page.expect_response(lambda response: response.url.endswith("/v1/verifications")) as begun:
        await press(button)
    assert (await begun.value).status == 202
    checked = page.get_by_role("region", name="Last check").filter(has_text="somebody asked for it")
    await expect(checked.filter(has_text="Intact")).to_contain_text(
        re.compile(r"positions 1 to \d+"), timeout=_AS_LONG_AS_IT_TAKES
    )


async def test_an_operator_begins_here_and_sees_what_is_refused(
    browser: Browser, service: Service, reporter: Client
) -> None:
    await reporter.send({"command": "Nonsense"})
    _, key = await service.create_key(LEDGER, Role.OPERATOR)
    async with watched(browser) as page:
        await sign_in(page, Client(reporter.session, reporter.address, key))
        await expect(page.get_by_role("heading", level=1)).to_have_text("Health")
        quarantine = page.get_by_role("region", name="Quarantine")
        await expect(quarantine).to_contain_text("for an operator")
        await expect(quarantine.get_by_role("listitem").filter(has_text="Nonsense").first).to_be_visible()
        await expect(page.get_by_role("button", name="Verify everything now")).to_have_count(0)


async def test_a_service_that_is_away_is_told(page: Page, analyst: Client) -> None:
    await page.goto(f"{analyst.address}/health")
    await expect(page.get_by_role("status").filter(has_text="everything that follows them is in order")).to_be_visible()
    await page.route("**/readyz", lambda route: route.fulfill(status=503, json={"status": "unavailable"}))
    await expect(page.get_by_role("status").filter(has_text="Nothing can be recorded")).to_be_visible(timeout=15_000)
