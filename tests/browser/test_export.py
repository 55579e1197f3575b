"""Exporting what is shown: by mouse and by keyboard, with the digest that the ledger has."""

import hashlib
from pathlib import Path

import openpyxl
from playwright.async_api import Browser, Download, Page, expect

from adapters.demo import incident
from adapters.exports.verifying import check_export
from domain.words import Role
from tests import demonstration
from tests.browser.conftest import sign_in, watched
from tests.browser.hands import Press, by_keyboard, either_way, walk_to
from tests.e2e.client import Client
from tests.e2e.running import Service

_FAILURES = incident.FAILED_LOG_INS + 2


async def _verified(page: Page, analyst: Client, download: Download, folder: Path) -> int:
    """The rows of the file, which is what it should be and what the page says of it."""
    path = folder / download.suggested_filename
    await download.save_as(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("byte for byte as the ledger has recorded it")
    await expect(dialog).to_contain_text(digest)
    recorded = (await analyst.page({"activity": "audit_trail.exported"}))["events"]
    assert [one["details"].get("sha256") for one in recorded].count(digest) == 1
    verdict = check_export(path, []).verdict
    assert verdict.faults == []
    return verdict.rows


@either_way
async def test_the_filters_in_force_decide_what_is_in_the_file(
    page: Page, analyst: Client, tmp_path: Path, press: Press
) -> None:
    await page.goto(f"{analyst.address}/explore?status=failure&ip={incident.ATTACKER_IP}")
    await press(page.get_by_role("button", name="Export"))
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"about {_FAILURES} events")
    if press is by_keyboard:
        await walk_to(dialog.get_by_role("radio", name="Excel workbook"))
        await page.keyboard.press("ArrowDown")
    else:
        await dialog.get_by_text("JSON Lines").click()
    await expect(dialog.get_by_role("radio", name="JSON Lines")).to_be_checked()
    async with page.expect_download() as download:
        await press(dialog.get_by_role("button", name="Export"))
    assert (await download.value).suggested_filename.endswith(".jsonl")
    assert await _verified(page, analyst, await download.value, tmp_path) == _FAILURES
    await expect(dialog.get_by_role("region", name="How to verify")).to_contain_text("certinext-audit verify")
    await press(dialog.get_by_role("link", name="the event at position"))
    await expect(page.get_by_role("heading", level=1)).to_contain_text("exported the audit trail")


async def test_it_opens_with_its_key_and_closes_again(page: Page, analyst: Client) -> None:
    await page.goto(analyst.address)
    await expect(page.locator("[role=row][data-index]").first).to_be_visible()
    await page.keyboard.press("x")
    await by_keyboard(page.get_by_role("dialog").get_by_role("button", name="Cancel"))
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def _export_asked(page: Page, analyst: Client) -> None:
    await page.goto(f"{analyst.address}/explore?ip={incident.ATTACKER_IP}")
    await page.get_by_role("button", name="Export").click()
    await page.get_by_role("dialog").get_by_role("button", name="Export").click()


async def test_what_goes_wrong_is_told_and_can_be_tried_again(page: Page, analyst: Client) -> None:
    problem = '{"type":"about:blank","title":"Too many exports","status":429,"detail":"two run already"}'
    await page.route(
        "**/v1/events/export.*",
        lambda route: route.fulfill(status=429, content_type="application/problem+json", body=problem),
    )
    await _export_asked(page, analyst)
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("two run already")
    await page.unroute_all()
    async with page.expect_download():
        await page.get_by_role("dialog").get_by_role("button", name="Export").click()


async def test_a_file_that_breaks_off_is_not_kept(page: Page, analyst: Client) -> None:
    """A part of an export would look like all of it."""
    await page.route("**/v1/events/export.*", lambda route: route.abort("connectionreset"))
    await _export_asked(page, analyst)
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    await expect(page.get_by_role("button", name="Save again")).to_have_count(0)


async def test_users_export_what_they_did(browser: Browser, service: Service, analyst: Client, tmp_path: Path) -> None:
    """As a workbook, with their own key: nobody else is in it."""
    user = incident.ANALYST.id
    _, key = await service.create_key(demonstration.LEDGER, Role.USER, actor_id=user)
    async with watched(browser) as page:
        await sign_in(page, Client(analyst.session, analyst.address, key), "/explore?module=user_activity")
        await page.get_by_role("button", name="Export").click()
        async with page.expect_download() as download:
            await page.get_by_role("dialog").get_by_role("button", name="Export").click()
        assert (await download.value).suggested_filename.endswith(".xlsx")
        assert await _verified(page, analyst, await download.value, tmp_path) > 50
    sheet = openpyxl.load_workbook(tmp_path / (await download.value).suggested_filename)["Events"]
    assert {row[1].value for row in sheet.iter_rows(min_row=2)} == {user}
