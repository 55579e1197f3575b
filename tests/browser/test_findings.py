"""What does not add up: the demonstration's hidden incident is found, proven, investigated and acknowledged."""

import re

from playwright.async_api import Locator, Page, expect

from adapters.demo import incident
from adapters.demo.scenes_of_certificates import SELF_APPROVED_REQUEST_IDS
from tests.browser.hands import Press, by_keyboard, by_mouse, either_way, walk_to
from tests.e2e.client import Client


async def _choose(select: Locator, value: str, press: Press) -> None:
    """A list of the system's own is not for a script's mouse."""
    if press is by_mouse:
        await select.select_option(value)
    else:
        await walk_to(select)
        await select.page.keyboard.type(value)


@either_way
async def test_the_hidden_incident_is_found_and_followed_to_who_did_it(
    page: Page, analyst: Client, press: Press
) -> None:
    """From the gravest findings to the event that proves one, and from there to all of the stolen session."""
    await page.goto(f"{analyst.address}/explore")
    await press(page.get_by_role("navigation", name="Views").get_by_role("link", name="Findings"))
    await _choose(page.get_by_label("Severity"), "critical", press)
    findings = page.get_by_role("article")
    await expect(findings.filter(has_text="A revoked token or a deactivated account was used")).to_be_visible()
    theft = findings.filter(has_text="A key was exported or destroyed outside a ceremony or workflow")
    await expect(theft).to_contain_text(incident.KEY_ID)
    await expect(findings.filter(has_text="Somebody administered the system at an hour")).to_have_count(0)
    await press(theft.locator("summary").filter(has_text="as evidence"))
    await press(theft.get_by_role("link", name="Event at position"))
    await expect(page.get_by_role("heading", level=1)).to_contain_text("exported key Nordwind Remote Access CA 1")
    await press(page.get_by_role("link", name="Everything in the session"))
    await expect(page.get_by_role("region", name="Entities touched")).to_contain_text("vpn.nordwind.example")
    await expect(page.get_by_role("region", name="What came of it")).to_contain_text("is compromised")


async def _acknowledge(page: Page, analyst: Client, request: str, press: Press) -> None:
    await page.goto(f"{analyst.address}/findings")
    finding = page.get_by_role("article").filter(has_text=request)
    words = f"Looked into {request}: somebody was in a hurry."
    await press(finding.locator("summary").filter(has_text="Acknowledge"))
    comment = finding.get_by_label("What came of looking into it")
    if press is by_keyboard:
        await walk_to(comment)
    else:
        await comment.click()
    await page.keyboard.type(words)
    await press(finding.get_by_role("button", name="Record"))
    await expect(finding).to_contain_text("Acknowledged")
    await page.goto(f"{analyst.address}/findings?status=acknowledged")
    await expect(page.get_by_role("article").filter(has_text=words)).to_be_visible()


async def test_a_finding_is_acknowledged_by_mouse(page: Page, analyst: Client) -> None:
    await _acknowledge(page, analyst, SELF_APPROVED_REQUEST_IDS[0], by_mouse)


async def test_a_finding_is_acknowledged_by_keyboard(page: Page, analyst: Client) -> None:
    await _acknowledge(page, analyst, SELF_APPROVED_REQUEST_IDS[1], by_keyboard)


@either_way
async def test_a_clue_leads_to_all_that_belongs_to_it(page: Page, analyst: Client, press: Press) -> None:
    """From the attacker's address to the token that was used after its end."""
    await page.goto(f"{analyst.address}/findings")
    await expect(page.get_by_role("article").first).to_be_visible()
    if press is by_keyboard:
        await page.keyboard.press("g")
        await page.keyboard.press("i")
    else:
        await page.get_by_role("link", name="Investigate").click()
    await _choose(page.get_by_label("Clue"), "IP address" if press is by_keyboard else "ip", press)
    value = page.get_by_label("Value")
    await (walk_to(value) if press is by_keyboard else value.click())
    await page.keyboard.type(incident.ATTACKER_IP)
    await press(page.get_by_role("button", name="Investigate"))
    await expect(page).to_have_url(re.compile(f"ip={incident.ATTACKER_IP}"))
    await expect(page.get_by_role("region", name="Entities touched")).to_contain_text("Release pipeline")
    await expect(page.get_by_role("article").filter(has_text="A revoked token")).to_be_visible()
    await press(page.get_by_role("region", name="Entities touched").get_by_role("link", name="Token"))
    await expect(page).to_have_url(re.compile(f"/entity/token/{incident.TOKEN_ID}"))
