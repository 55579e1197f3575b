"""Finding events on the page: by keyboard, by mouse, and by an address that somebody sent."""

import re
from datetime import datetime

from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import sign_in, watched
from tests.builders import command_data
from tests.e2e.client import Client

_ROWS = "[role=row][data-index]"


async def test_the_events_are_there_newest_first(page: Page) -> None:
    await expect(page.get_by_role("grid", name="Events")).to_be_visible()
    rows = page.locator(_ROWS).filter(has_text="Asha Rao logged in")
    times = await rows.get_by_role("time").all_inner_texts()
    assert len(times) > 10
    assert times == sorted(times, reverse=True)
    await expect(page.get_by_role("figure")).to_contain_text("6 failures")


async def test_a_filter_is_typed_and_chosen_by_keyboard(page: Page) -> None:
    await page.keyboard.press("/")
    await page.keyboard.type("status:fail")
    await page.get_by_role("option", name="Failure").wait_for()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator(_ROWS)).to_have_count(6)
    await expect(page).to_have_url(re.compile("status=failure"))
    box = page.get_by_role("combobox", name="Filter events")
    await expect(page.get_by_role("listbox")).to_have_count(0)
    await expect(box).to_be_focused()
    await page.keyboard.type("user:jör")
    await page.get_by_role("option", name="Jörg Šimůnek").wait_for()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("status=failure.*user="))
    await page.keyboard.press("Backspace")
    await page.keyboard.press("Backspace")
    await expect(page).not_to_have_url(re.compile("status="))


async def test_names_are_completed_from_the_trail(page: Page) -> None:
    await page.get_by_role("combobox", name="Filter events").fill("user:jör")
    await page.get_by_role("option", name="Jörg Šimůnek").click()
    await expect(page.locator(_ROWS)).to_have_count(6)
    await page.locator(".term-remove").click()
    await expect(page).not_to_have_url(re.compile("user="))


async def test_an_address_holds_the_whole_view(browser: Browser, auditor: Client) -> None:
    async with watched(browser) as page:
        await sign_in(page, auditor)
        await page.goto(f"{auditor.address}/explore?activity=certificate.revoked&columns=time,description,position")
        await expect(page.locator(_ROWS)).to_have_count(1)
        await expect(page.get_by_role("columnheader")).to_have_count(3)
        await page.reload()
        await expect(page.locator(_ROWS)).to_have_count(1)


async def test_nothing_found_says_so_and_how_to_go_on(page: Page) -> None:
    await page.goto(page.url.split("?")[0] + "explore?text=nowhereatall")
    await expect(page.get_by_role("heading", name="No event matches")).to_be_visible()
    await page.get_by_role("button", name="Clear all filters").click()
    await expect(page.locator(_ROWS).first).to_be_visible()


async def test_rows_are_walked_and_opened_by_keyboard(page: Page) -> None:
    first = page.locator(_ROWS).first
    await first.focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[data-index='1']")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/event/"))


async def test_drawing_over_the_histogram_narrows_the_time(page: Page) -> None:
    over = page.locator(".u-over")
    await over.wait_for()
    box = await over.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.95, middle, steps=5)
    await page.mouse.up()
    await expect(page).to_have_url(re.compile("from=.*to="))


async def test_the_table_goes_to_a_time_and_back(page: Page, auditor: Client) -> None:
    """By keyboard; what happened later is out of the table, and the filters stay as they are."""
    events = (await auditor.page({"activity": "user.logged_in", "status": "success"}))["events"]
    there = datetime.fromisoformat(events[10]["occurred_at"])
    await page.goto(f"{auditor.address}/explore?status=success")
    await expect(page.locator(_ROWS).first).to_be_visible()
    await page.keyboard.press("t")
    await page.get_by_label("Time (UTC)").fill(f"{there:%Y-%m-%dT%H:%M:%S}")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator(_ROWS).first.get_by_role("time")).to_have_text(f"{there:%Y-%m-%d %H:%M:%S}")
    await expect(page).to_have_url(re.compile("status=success.*at="))
    await page.get_by_role("button", name="Back to the newest").click()
    await expect(page).not_to_have_url(re.compile("at="))
    await expect(page.locator(_ROWS).first.get_by_role("time")).not_to_have_text(f"{there:%Y-%m-%d %H:%M:%S}")


async def test_a_press_on_the_histogram_goes_to_that_time(page: Page) -> None:
    over = page.locator(".u-over")
    await over.wait_for()
    box = await over.bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
    await expect(page).to_have_url(re.compile("at="))
    await expect(page.get_by_text("Newer ones are not shown")).to_be_visible()


async def test_new_events_wait_behind_a_pill(page: Page, module: Client) -> None:
    await expect(page.get_by_text("Live", exact=False).first).to_be_visible()
    await expect(page.locator(_ROWS).first).to_be_visible()
    await module.record(command_data(entity={"type": "certificate", "id": "c-new", "name": "new.example.com"}))
    pill = page.get_by_role("button", name="new event")
    await expect(pill).to_contain_text("1 new event")
    await expect(page.locator(_ROWS).first).not_to_contain_text("new.example.com")
    await pill.click()
    await expect(page.get_by_role("grid", name="Events")).to_contain_text("new.example.com")
    await expect(pill).to_have_count(0)


async def test_who_follows_has_them_at_once(page: Page, module: Client) -> None:
    await page.get_by_role("button", name="Follow").click()
    await expect(page.locator(_ROWS).first).to_be_visible()
    await module.record(command_data(entity={"type": "certificate", "id": "c-new", "name": "new.example.com"}))
    await expect(page.get_by_role("grid", name="Events")).to_contain_text("new.example.com")


async def test_the_sheet_of_shortcuts_opens_and_closes(page: Page) -> None:
    await expect(page.locator(_ROWS).first).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_time_that_is_none_is_told_and_the_rest_stays(page: Page, auditor: Client) -> None:
    """An address may be written by hand."""
    await page.goto(f"{auditor.address}/explore?from=yesterday")
    await expect(page.get_by_role("alert")).to_contain_text("from")
    await expect(page.get_by_role("banner")).to_be_visible()
    await expect(page.get_by_role("button", name="yesterday")).to_be_visible()


async def test_all_filters_are_said_in_one_text(page: Page) -> None:
    """In the search language; it comes back into the box to be written otherwise."""
    box = page.get_by_role("combobox", name="Filter events")
    await box.fill('user:jör status:failure after:2026-01-01 "password"')
    await page.get_by_role("option", name="password").wait_for()
    await page.keyboard.press("Enter")
    await expect(page.locator(_ROWS)).to_have_count(6)
    await expect(page).to_have_url(re.compile("q=user"))
    await page.keyboard.press("Backspace")
    await expect(box).to_have_value('user:jör status:failure after:2026-01-01 "password"')
    await expect(page).not_to_have_url(re.compile("q="))


async def test_a_search_that_is_not_understood_is_told_at_its_column(page: Page) -> None:
    box = page.get_by_role("combobox", name="Filter events")
    await box.fill("status:failure status:odd")
    await page.get_by_role("option", name="status:odd").wait_for()
    await page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("At column 16")
    assert await alert.locator("pre").inner_text() == "status:failure status:odd\n" + " " * 15 + "^"
