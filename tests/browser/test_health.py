"""How the ledger stands, and having it verified."""

from playwright.async_api import Browser, Page, expect

from domain.words import Ledger, Role
from tests.browser.conftest import sign_in, watched
from tests.e2e.client import Client
from tests.e2e.running import Service


async def test_the_ledger_is_verified_from_the_page(page: Page) -> None:
    """By keyboard: to the view, and to the button."""
    await page.locator("[role=row][data-index]").first.wait_for()
    await page.keyboard.press("g")
    await page.keyboard.press("h")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Health")
    await expect(page.get_by_role("region", name="Ledger", exact=True)).to_contain_text("events, signed")
    await expect(page.get_by_role("region", name="Read tables")).to_contain_text("Activity")
    verification = page.get_by_role("region", name="Verification")
    await verification.get_by_role("button", name="Verify everything now").focus()
    await page.keyboard.press("Enter")
    await expect(verification).to_contain_text("Intact", timeout=30_000)
    await expect(verification).to_contain_text("somebody asked for it; positions 1 to")


async def test_an_operator_begins_here_and_sees_what_is_refused(
    browser: Browser, service: Service, ledger: Ledger, module: Client, auditor: Client
) -> None:
    await module.send({"command": "Nonsense"})
    _, key = await service.create_key(ledger, Role.OPERATOR)
    async with watched(browser) as page:
        await sign_in(page, Client(auditor.session, auditor.address, key))
        await expect(page.get_by_role("heading", level=1)).to_have_text("Health")
        quarantine = page.get_by_role("region", name="Quarantine")
        await expect(quarantine).to_contain_text("1 refused command waits for an operator")
        await expect(quarantine.get_by_role("listitem")).to_have_count(1)
        await expect(page.get_by_role("button", name="Verify everything now")).to_have_count(0)


async def test_a_service_that_is_away_is_told(page: Page, auditor: Client) -> None:
    await page.goto(f"{auditor.address}/health")
    await expect(page.get_by_role("status").filter(has_text="everything that follows them is in order")).to_be_visible()
    await page.route("**/readyz", lambda route: route.fulfill(status=503, json={"status": "unavailable"}))
    await expect(page.get_by_role("status").filter(has_text="Nothing can be recorded")).to_be_visible(timeout=15_000)
