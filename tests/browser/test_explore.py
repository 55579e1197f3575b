"""Finding events of the demonstration's estate: by keyboard, by mouse, and by an address that somebody sent."""

import asyncio
import re
from datetime import datetime, timedelta

import pytest
from playwright.async_api import FloatRect, Page, Route, expect

from adapters.demo import incident
from tests.browser.hands import Press, either_way, walk_to
from tests.e2e.client import Client

_ROWS = "[role=row][data-index]"
_FAILURES = incident.FAILED_LOG_INS + 2
"""From the attacker's address: the log-ins, and two calls with a token that was revoked."""

_TYPE_AND_ENTER = """async (box, typed) => {
    box.focus();
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
    for (let end = 1; end <= typed.length; end += 1) {
        set.call(box, typed.slice(0, end));
        box.dispatchEvent(new InputEvent("input", { bubbles: true }));
        await Promise.resolve();
    }
    box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", bubbles: true, cancelable: true }));
}"""
"""A person quicker than the page: the keys come one after the other, with no frame between them."""

_MANY = "/explore?module=certificate_operations"


async def _shown(page: Page) -> list[str]:
    """The times of the rows in sight, from the top, once there are rows."""
    await expect(page.locator(_ROWS).first).to_be_visible()
    times: list[str] = await page.locator(f"{_ROWS} time").evaluate_all(
        "(times) => times.map((time) => [Number(time.closest('[data-index]').dataset.index), time.dateTime])"
        ".sort(([one], [other]) => one - other).map(([, at]) => at)"
    )
    return times


async def _plot(page: Page) -> FloatRect:
    over = page.locator(".u-over")
    await expect(over).to_be_visible()
    box = await over.bounding_box()
    assert box is not None
    return box


def _at(box: FloatRect, part: float) -> tuple[float, float]:
    return box["x"] + box["width"] * part, box["y"] + box["height"] / 2


async def test_the_events_are_there_newest_first(page: Page, analyst: Client) -> None:
    await page.goto(f"{analyst.address}/explore?ip={incident.ATTACKER_IP}")
    times = await _shown(page)
    assert len(times) > 10
    assert times == sorted(times, reverse=True)
    await expect(page.get_by_role("figure")).to_contain_text(f"{_FAILURES} failures")


async def test_filters_are_typed_and_completed_by_keyboard(page: Page, analyst: Client) -> None:
    await page.goto(analyst.address)
    await expect(page.locator(_ROWS).first).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("status:fail")
    await page.get_by_role("option", name="Failure").wait_for()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("status=failure"))
    box = page.get_by_role("combobox", name="Filter events")
    await expect(page.get_by_role("listbox")).to_have_count(0)
    await expect(box).to_be_focused()
    await page.keyboard.type("ip:203.")
    # What was found for less than was typed stands behind what was typed.
    await expect(page.get_by_role("option").first).to_contain_text(incident.ATTACKER_IP)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("figure")).to_contain_text(f"{_FAILURES} events")
    await expect(page).to_have_url(re.compile("status=failure.*ip="))
    await expect(box).to_be_focused()
    await page.keyboard.press("Backspace")
    await expect(page).not_to_have_url(re.compile("ip="))
    await page.keyboard.press("Backspace")
    await expect(page).not_to_have_url(re.compile("status="))


@pytest.mark.parametrize(
    ("typed", "is_known"),
    [
        ("status:failure", True),
        ("activity:certificate.renewed", True),
        ("activity:certificate.renewed", False),
        (f"ip:{incident.ATTACKER_IP}", True),
    ],
    ids=["status", "activity", "activity, before they are known", "ip"],
)
async def test_enter_means_what_was_typed_however_quickly(
    page: Page, analyst: Client, typed: str, is_known: bool
) -> None:
    may_come = asyncio.Event()

    async def hold(route: Route) -> None:
        await may_come.wait()
        await route.continue_()

    await page.route("**/v1/modules", hold)
    await page.goto(analyst.address)
    await expect(page.locator(_ROWS).first).to_be_visible()
    box = page.get_by_role("combobox", name="Filter events")
    if is_known:
        may_come.set()
        async with page.expect_response("**/v1/modules"):
            await box.focus()
    await box.evaluate(_TYPE_AND_ENTER, typed)
    await expect(page).to_have_url(f"{analyst.address}/explore?{typed.replace(':', '=')}")
    may_come.set()


@pytest.mark.parametrize(
    ("before", "typed"),
    [("ip:203.", "source:203"), ("ip:203.", "ip:203.0.113.7")],
    ids=["another filter", "a beginning"],
)
async def test_enter_chooses_nothing_that_was_offered_for_other_words(
    page: Page, analyst: Client, before: str, typed: str
) -> None:
    await page.goto(analyst.address)
    await expect(page.locator(_ROWS).first).to_be_visible()
    box = page.get_by_role("combobox", name="Filter events")
    await box.fill(before)
    await page.get_by_role("option", name=incident.ATTACKER_IP).wait_for()
    await box.fill("")
    await box.evaluate(_TYPE_AND_ENTER, typed)
    await expect(page).to_have_url(f"{analyst.address}/explore?{typed.replace(':', '=')}")


async def test_filters_are_chosen_and_taken_away_by_mouse(page: Page, analyst: Client) -> None:
    await page.goto(analyst.address)
    await page.get_by_role("combobox", name="Filter events").fill("user:jör")
    await page.get_by_role("option", name="Jörg Šimůnek").click()
    await expect(page).to_have_url(re.compile("user=u-05"))
    await expect(page.locator(_ROWS).first).to_contain_text("Jörg Šimůnek")
    await page.locator(".term-remove").click()
    await expect(page).not_to_have_url(re.compile("user="))


@pytest.mark.parametrize(
    ("typed", "option", "part"),
    [
        ("key exp", "Key exported", "activity=key.exported"),
        ("private", "Events about “private”", "text=private"),
        ("module:auth", "Certificate authority", "module=certificate_authority"),
        ("entity:certificate:c-vpn", "certificate:c-vpn-7", "entity=certificate%3Ac-vpn-7"),
    ],
)
async def test_every_kind_of_filter_is_completed(
    page: Page, analyst: Client, typed: str, option: str, part: str
) -> None:
    await page.goto(analyst.address)
    await page.get_by_role("combobox", name="Filter events").fill(typed)
    await page.get_by_role("option", name=option).first.click()
    await expect(page).to_have_url(re.compile(re.escape(part)))
    await expect(page.locator(_ROWS).first).to_be_visible()


async def test_all_filters_are_said_in_one_text(page: Page, analyst: Client) -> None:
    """In the search language; it comes back into the box to be written otherwise."""
    await page.goto(analyst.address)
    box = page.get_by_role("combobox", name="Filter events")
    text = f'user:jör status:failure ip:{incident.ATTACKER_IP} "locked"'
    await box.fill(text)
    await page.get_by_role("option", name="locked").wait_for()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("figure")).to_contain_text("6 events")
    await expect(page).to_have_url(re.compile("q=user"))
    await page.keyboard.press("Backspace")
    await expect(box).to_have_value(text)
    await expect(page).not_to_have_url(re.compile("q="))


async def test_a_search_that_is_not_understood_is_told_at_its_column(page: Page, analyst: Client) -> None:
    await page.goto(analyst.address)
    box = page.get_by_role("combobox", name="Filter events")
    await box.fill("status:failure status:odd")
    await page.get_by_role("option", name="status:odd").wait_for()
    await page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("At column 16")
    assert await alert.locator("pre").inner_text() == "status:failure status:odd\n" + " " * 15 + "^"


async def test_an_address_holds_the_whole_view_and_the_browser_goes_back_to_it(page: Page, analyst: Client) -> None:
    await page.goto(f"{analyst.address}/explore?activity=key.exported&columns=time,description,position")
    await expect(page.locator(_ROWS)).to_have_count(3)
    await expect(page.get_by_role("columnheader")).to_have_count(3)
    await page.reload()
    await expect(page.locator(_ROWS)).to_have_count(3)
    await page.get_by_role("combobox", name="Filter events").fill("status:failure")
    await page.get_by_role("option", name="Failure").click()
    await expect(page.locator(_ROWS)).to_have_count(1)
    await page.go_back()
    await expect(page.locator(_ROWS)).to_have_count(3)


@either_way
async def test_nothing_found_says_so_and_how_to_go_on(page: Page, analyst: Client, press: Press) -> None:
    await page.goto(f"{analyst.address}/explore?entity=certificate:nowhere")
    await expect(page.get_by_role("heading", name="No event matches")).to_be_visible()
    await press(page.get_by_role("button", name="Clear all filters"))
    await expect(page.locator(_ROWS).first).to_be_visible()


async def test_a_time_that_is_none_is_told_and_the_rest_stays(page: Page, analyst: Client) -> None:
    """An address may be written by hand."""
    await page.goto(f"{analyst.address}/explore?from=yesterday")
    await expect(page.get_by_role("alert")).to_contain_text("from")
    await expect(page.get_by_role("banner")).to_be_visible()
    await expect(page.get_by_role("button", name="yesterday")).to_be_visible()


async def test_rows_are_walked_and_opened_by_keyboard(page: Page, analyst: Client) -> None:
    await page.goto(analyst.address + _MANY)
    await walk_to(page.locator("[data-index='0']"))
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[data-index='1']")).to_be_focused()
    await page.keyboard.press("k")
    await expect(page.locator("[data-index='0']")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/event/"))


async def test_rows_are_opened_by_mouse(page: Page, analyst: Client) -> None:
    await page.goto(analyst.address + _MANY)
    await page.locator(_ROWS).first.get_by_role("link").click()
    await expect(page).to_have_url(re.compile("/event/"))
    await page.go_back()
    await page.locator(_ROWS).nth(1).get_by_role("gridcell").nth(2).dblclick()
    await expect(page).to_have_url(re.compile("/event/"))


async def test_more_events_are_scrolled_to_by_wheel(page: Page, analyst: Client) -> None:
    """What is in sight stays where it is while more comes, and no event is left out or shown twice."""
    await page.goto(analyst.address + _MANY)
    await expect(page.locator(_ROWS).first).to_be_visible()
    await page.locator(".table-scroller").hover()
    seen: dict[int, str] = {}
    while 150 not in seen:
        await page.mouse.wheel(0, 400)
        rows = await page.locator(_ROWS).evaluate_all(
            "(rows) => rows.map((row) => [Number(row.dataset.index), row.querySelector('a').href])"
        )
        for index, link in rows:
            assert seen.setdefault(index, link) == link
    assert len(set(seen.values())) == len(seen)
    wanted = (await analyst.page({"module": "certificate_operations", "limit": "200"}))["events"]
    assert [seen[index].rsplit("/")[-1] for index in range(150)] == [one["event_id"] for one in wanted[:150]]


async def test_more_events_are_scrolled_to_by_keyboard(page: Page, analyst: Client) -> None:
    await page.goto(analyst.address + _MANY)
    await walk_to(page.locator("[data-index='0']"))
    await page.keyboard.press("End")
    await expect(page.locator("[data-index='99']")).to_be_focused()
    await expect(page.locator("[data-index='100']")).to_be_attached()
    for _ in range(3):
        await page.keyboard.press("PageDown")
    await expect(page.locator("[role=row]:focus")).to_have_attribute("data-index", re.compile(r"1\d\d"))
    await page.keyboard.press("Home")
    await expect(page.locator("[data-index='0']")).to_be_focused()


@either_way
async def test_columns_are_chosen_and_kept_in_the_address(page: Page, analyst: Client, press: Press) -> None:
    await page.goto(f"{analyst.address}/explore?ip={incident.ATTACKER_IP}")
    await press(page.get_by_role("button", name="Columns"))
    await press(page.get_by_role("menuitemcheckbox", name="IP address"))
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("columnheader", name="IP address")).to_be_visible()
    await expect(page.locator(_ROWS).first).to_contain_text(incident.ATTACKER_IP)
    await expect(page).to_have_url(re.compile("columns=[^&]*ip"))
    await page.reload()
    await expect(page.get_by_role("columnheader", name="IP address")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
async def test_nothing_moves_when_the_counts_come(page: Page, analyst: Client, width: int) -> None:
    """They are asked for once the rows are there, when somebody may be about to press what stands below."""
    asked, may_come = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await may_come.wait()
        await route.continue_()

    await page.set_viewport_size({"width": width, "height": 800})
    await page.route("**/v1/events/histogram?*", hold)
    await page.goto(analyst.address)
    follow = page.get_by_role("button", name="Follow")
    await expect(follow).to_be_visible()
    await asked.wait()
    before = await follow.bounding_box()
    may_come.set()
    await _plot(page)
    assert await follow.bounding_box() == before


async def test_drawing_over_the_histogram_narrows_the_time(page: Page, analyst: Client) -> None:
    await page.goto(analyst.address)
    box = await _plot(page)
    await page.mouse.move(*_at(box, 0.5))
    await page.mouse.down()
    await page.mouse.move(*_at(box, 0.7), steps=5)
    await page.mouse.up()
    await expect(page).to_have_url(re.compile("from=.*to="))
    times = re.search("from=([^&]*)&to=([^&]*)", page.url.replace("%3A", ":"))
    assert times is not None
    begin, end = map(datetime.fromisoformat, times.groups())
    assert timedelta(days=16) < end - begin < timedelta(days=20)
    assert all(begin <= datetime.fromisoformat(at) < end for at in await _shown(page))


@either_way
async def test_a_span_of_time_is_chosen(page: Page, analyst: Client, press: Press) -> None:
    """What the histogram's brush does, without a brush."""
    await page.goto(f"{analyst.address}/explore?ip={incident.ATTACKER_IP}")
    newest = datetime.fromisoformat((await _shown(page))[0])
    await press(page.get_by_role("button", name="All time"))
    await page.get_by_label("From (UTC)").fill(f"{newest - timedelta(hours=1):%Y-%m-%dT%H:%M:%S}")
    await press(page.get_by_role("button", name="Apply"))
    await expect(page).to_have_url(re.compile("from="))
    await expect(page.get_by_role("figure")).to_contain_text("5 events")
    await press(page.get_by_role("button", name=f"{newest - timedelta(hours=1):%Y-%m-%d}"))
    await press(page.get_by_role("dialog").get_by_role("button", name="All time"))
    await expect(page).not_to_have_url(re.compile("from="))


@either_way
async def test_the_table_goes_to_a_time_and_back(page: Page, analyst: Client, press: Press) -> None:
    """The filters stay as they are."""
    events = (await analyst.page({"ip": incident.ATTACKER_IP, "status": "failure"}))["events"]
    there = datetime.fromisoformat(events[10]["occurred_at"])
    await page.goto(f"{analyst.address}/explore?ip={incident.ATTACKER_IP}&status=failure")
    await expect(page.locator(_ROWS).first).to_be_visible()
    await page.keyboard.press("t")
    await page.get_by_label("Time (UTC)").fill(f"{there:%Y-%m-%dT%H:%M:%S}")
    await press(page.get_by_role("button", name="Go", exact=True))
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator(_ROWS).first.get_by_role("time")).to_have_text(f"{there:%Y-%m-%d %H:%M:%S}")
    await expect(page).to_have_url(re.compile("status=failure.*at="))
    await press(page.get_by_role("button", name="Back to the newest"))
    await expect(page).not_to_have_url(re.compile("at=2"))
    await expect(page.locator(_ROWS).first.get_by_role("time")).not_to_have_text(f"{there:%Y-%m-%d %H:%M:%S}")


@pytest.mark.parametrize("part", [0.02, 0.08])
async def test_a_press_on_the_histogram_goes_to_the_end_of_its_bar(page: Page, analyst: Client, part: float) -> None:
    """Whichever half of it is hit; the first is that of the day on which the key was stolen, nine days ago."""
    await page.goto(f"{analyst.address}/explore?activity=key.exported&entity=key:{incident.KEY_ID}")
    (day,) = {at[:10] for at in await _shown(page)}
    await page.mouse.click(*_at(await _plot(page), part))
    await expect(page).to_have_url(re.compile(f"at={day}T23%3A59%3A59"))
    await expect(page.get_by_role("button", name="Back to the newest")).to_be_visible()


async def test_the_sheet_of_shortcuts_opens_and_closes(page: Page, analyst: Client) -> None:
    await page.goto(analyst.address)
    await expect(page.locator(_ROWS).first).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
