"""Time travel through the demonstration's estate: one entity, two moments of it, all of a type, what is related."""

import re

import pytest
from playwright.async_api import Page, expect

from adapters.demo import incident
from tests.browser.hands import Press, either_way, walk_to
from tests.e2e.client import Client

_CERTIFICATE = f"/entity/certificate/{incident.CERTIFICATE_ID}"


@pytest.mark.parametrize("hand", ["mouse", "keyboard"])
async def test_an_entity_is_seen_as_it_was(page: Page, analyst: Client, hand: str) -> None:
    """The slider goes from event to event; what changed there is marked, and the address says where it stands."""
    await page.goto(analyst.address + _CERTIFICATE)
    state = page.get_by_role("region", name="State")
    await expect(state).to_contain_text("Revoked")
    slider = page.get_by_role("slider")
    if hand == "mouse":
        box = await page.locator(".slider-track").bounding_box()
        assert box is not None
        await page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    else:
        await walk_to(slider)
        await page.keyboard.press("Home")
    await expect(page).to_have_url(re.compile("position="))
    await expect(state).to_contain_text("Valid")
    await expect(state.locator("mark").filter(has_text=incident.SERIAL)).to_be_visible()
    await expect(state).not_to_contain_text("keyCompromise")
    await page.reload()
    await expect(state).to_contain_text("Valid")
    await walk_to(slider)
    await page.keyboard.press("End")
    await expect(state).to_contain_text("keyCompromise")
    await expect(page).not_to_have_url(re.compile("position="))


@either_way
async def test_a_step_of_the_timeline_leads_to_the_state_after_it(page: Page, analyst: Client, press: Press) -> None:
    await page.goto(f"{analyst.address}/entity/certificate_authority/ca-remote")
    steps = page.get_by_role("region", name="Timeline").get_by_role("listitem")
    suspended = steps.filter(has=page.get_by_role("link", name="suspended"))
    await press(suspended.get_by_role("button", name="State here"))
    await expect(page.get_by_role("region", name="State")).to_contain_text("Suspended")
    await expect(suspended).to_have_attribute("aria-current", "step")


@pytest.mark.parametrize("hand", ["mouse", "keyboard"])
async def test_two_moments_are_compared(page: Page, analyst: Client, hand: str) -> None:
    await page.goto(analyst.address + _CERTIFICATE)
    compare = page.get_by_role("region", name="Compare two moments")
    if hand == "mouse":
        await compare.get_by_role("combobox").nth(0).select_option(index=1)
        await compare.get_by_role("combobox").nth(1).select_option(index=4)
    else:
        await walk_to(compare.get_by_role("combobox").nth(0))
        await page.keyboard.press("ArrowDown")
        await walk_to(compare.get_by_role("combobox").nth(1))
        await page.keyboard.press("End")
    await expect(page).to_have_url(re.compile("diff_from=.*diff_to="))
    await expect(compare.get_by_role("table")).to_contain_text("revoked")
    await expect(compare.get_by_role("row").filter(has_text="CRL reason")).to_contain_text("keyCompromise")


async def _that_night(analyst: Client) -> str:
    """When the key was stolen."""
    (event,) = (await analyst.page({"activity": "key.exported", "entity": f"key:{incident.KEY_ID}"}))["events"]
    return str(event["occurred_at"])


@either_way
async def test_the_estate_is_seen_as_it_was_and_its_relations_at_that_moment(
    page: Page, analyst: Client, press: Press
) -> None:
    """That night the stolen key's authority was active; today it is revoked."""
    await page.goto(f"{analyst.address}/estate")
    await press(
        page.get_by_role("navigation", name="Types of entities").get_by_role("link", name="Certificate authority")
    )
    authority = page.get_by_role("row").filter(has_text="Nordwind Remote Access CA 1")
    await expect(authority).to_contain_text("Revoked")
    await page.get_by_label("As of").fill((await _that_night(analyst))[:19])
    await page.get_by_label("State").fill("active")
    await press(page.get_by_role("button", name="Show"))
    await expect(page.get_by_role("heading", level=1)).to_contain_text("The estate on")
    await expect(authority).to_contain_text("Active")
    await press(authority.get_by_role("link", name=f"Key {incident.KEY_ID}"))
    await expect(page).to_have_url(re.compile(f"/entity/key/{incident.KEY_ID}.*at="))
    await expect(page.get_by_role("region", name="State")).to_contain_text("Active")
    await page.goto(f"{analyst.address}/entity/key/{incident.KEY_ID}")
    await expect(page.get_by_role("region", name="State")).to_contain_text("Compromised")


@either_way
async def test_an_entity_leads_to_what_it_is_related_to(page: Page, analyst: Client, press: Press) -> None:
    at = await _that_night(analyst)
    await page.goto(f"{analyst.address}{_CERTIFICATE}?at={at}")
    await press(page.get_by_role("region", name="Related").get_by_role("link", name="ca-remote").first)
    await expect(page).to_have_url(re.compile("/entity/certificate_authority/ca-remote.*at="))
    await expect(page.get_by_role("region", name="State")).to_contain_text("Active")


async def test_an_entity_as_of_a_time_says_so_at_its_slider(page: Page, analyst: Client) -> None:
    """An address may name a time between two events."""
    at = await _that_night(analyst)
    await page.goto(f"{analyst.address}/entity/certificate_authority/ca-remote?at={at}")
    moment = page.locator(".time-slider-output")
    await expect(moment).to_contain_text(f"{at[:10]} {at[11:19]} UTC, after Certificate authority activated")
    await expect(page.get_by_role("slider")).to_have_value("3")
    await walk_to(page.get_by_role("slider"))
    await page.keyboard.press("ArrowRight")
    await expect(moment).to_contain_text("Certificate authority suspended")
    await expect(page.get_by_role("region", name="State")).to_contain_text("Suspended")


async def test_before_anything_was_there_was_nothing(page: Page, analyst: Client) -> None:
    await page.goto(f"{analyst.address}/estate/certificate?at=2020-01-01T00:00:00Z")
    await expect(page.get_by_text("Nothing of this kind was known then.")).to_be_visible()
