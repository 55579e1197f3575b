"""Time travel, findings and investigations, by keyboard and by mouse."""

import re

from playwright.async_api import Page, expect

from tests.e2e.client import Client


async def test_an_entity_is_seen_as_it_was(page: Page, auditor: Client) -> None:
    """The slider goes from event to event; the address says where it stands."""
    await page.goto(f"{auditor.address}/entity/certificate/c-42")
    state = page.get_by_role("region", name="State")
    await expect(state).to_contain_text("Revoked")
    await page.get_by_role("slider").focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await expect(state).to_contain_text("Suspended")
    await expect(page).to_have_url(re.compile("position="))
    await page.reload()
    await expect(state).to_contain_text("Suspended")


async def test_two_moments_are_compared(page: Page, auditor: Client) -> None:
    await page.goto(f"{auditor.address}/entity/certificate/c-42")
    compare = page.get_by_role("region", name="Compare two moments")
    await compare.get_by_role("combobox").nth(0).select_option(index=1)
    await compare.get_by_role("combobox").nth(1).select_option(index=4)
    await expect(compare.get_by_role("table")).to_contain_text("revoked")


async def test_the_estate_leads_to_its_entities(page: Page, auditor: Client) -> None:
    """As of before anything was, there was nothing."""
    await page.goto(f"{auditor.address}/estate/certificate")
    await page.get_by_role("link", name="www.example.com").click()
    await expect(page).to_have_url(re.compile("/entity/certificate/c-42"))
    await page.goto(f"{auditor.address}/estate/certificate?at=2020-01-01T00:00:00Z")
    await expect(page.get_by_text("Nothing of this kind was known then.")).to_be_visible()


async def test_a_finding_is_followed_to_its_evidence_and_acknowledged(page: Page, auditor: Client) -> None:
    await page.goto(f"{auditor.address}/findings")
    finding = page.get_by_role("article").first
    await finding.get_by_text("as evidence").click()
    await expect(finding.get_by_role("link", name="Event at position").first).to_be_visible()
    await finding.get_by_text("Acknowledge", exact=True).click()
    await finding.get_by_label("What came of looking into it").fill("A test of the estate.")
    await finding.get_by_role("button", name="Record").click()
    await expect(page.get_by_role("article").filter(has_text="A test of the estate.")).to_be_visible(timeout=15_000)


async def test_a_clue_leads_to_all_that_belongs_to_it(page: Page) -> None:
    """By keyboard, from the first field to the events."""
    await page.locator("[role=row][data-index]").first.wait_for()
    await page.keyboard.press("g")
    await page.keyboard.press("i")
    await page.get_by_label("Clue").select_option("session")
    await page.get_by_label("Value").fill("s-9")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("session=s-9"))
    await expect(page.get_by_role("region", name="Entities touched")).to_contain_text("www.example.com")
    await expect(page.get_by_role("region", name="Events")).to_contain_text("Asha Rao")
