"""Exporting what is shown: by mouse and by keyboard, with the digest that the ledger has."""

import hashlib
from pathlib import Path

import openpyxl
from playwright.async_api import Browser, Download, Page, expect

from adapters.exports.verifying import check_export
from domain.words import Ledger, Role
from tests.browser.conftest import sign_in, watched
from tests.e2e.client import Client
from tests.e2e.running import Service


async def _verified(page: Page, auditor: Client, download: Download, folder: Path) -> int:
    """The rows of the file, which is what it should be and what the page says of it."""
    path = folder / download.suggested_filename
    await download.save_as(path)
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("byte for byte as the ledger has recorded it")
    await expect(dialog).to_contain_text(hashlib.sha256(path.read_bytes()).hexdigest())
    (recorded,) = (await auditor.page({"activity": "audit_trail.exported"}))["events"]
    assert recorded["details"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    verdict = check_export(path, []).verdict
    assert verdict.faults == []
    return verdict.rows


async def test_the_filters_in_force_decide_what_is_in_the_file(page: Page, auditor: Client, tmp_path: Path) -> None:
    await page.goto(f"{auditor.address}/explore?status=failure")
    await page.get_by_role("button", name="Export").click()
    await expect(page.get_by_role("dialog")).to_contain_text("about 6 events")
    async with page.expect_download() as download:
        await page.get_by_role("dialog").get_by_role("button", name="Export").click()
    assert (await download.value).suggested_filename.startswith("audit-")
    assert await _verified(page, auditor, await download.value, tmp_path) == 6
    await page.get_by_role("link", name="the event at position").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("exported the audit trail")


async def test_it_is_done_by_keyboard_alone(page: Page, auditor: Client, tmp_path: Path) -> None:
    await page.locator("[role=row][data-index]").first.wait_for()
    await page.keyboard.press("x")
    await page.get_by_role("radio", name="Excel workbook").focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("radio", name="JSON Lines")).to_be_checked()
    await page.get_by_role("dialog").get_by_role("button", name="Export").focus()
    async with page.expect_download() as download:
        await page.keyboard.press("Enter")
    assert (await download.value).suggested_filename.endswith(".jsonl")
    assert await _verified(page, auditor, await download.value, tmp_path) >= 40
    await page.get_by_role("button", name="Close").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_what_goes_wrong_is_told_and_can_be_tried_again(page: Page) -> None:
    problem = '{"type":"about:blank","title":"Too many exports","status":429,"detail":"two run already"}'
    await page.route(
        "**/v1/events/export.*",
        lambda route: route.fulfill(status=429, content_type="application/problem+json", body=problem),
    )
    await page.get_by_role("button", name="Export").click()
    await page.get_by_role("dialog").get_by_role("button", name="Export").click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("two run already")
    await page.unroute_all()
    async with page.expect_download():
        await page.get_by_role("dialog").get_by_role("button", name="Export").click()


async def test_a_file_that_breaks_off_is_not_kept(page: Page) -> None:
    """A part of an export would look like all of it."""
    await page.route("**/v1/events/export.*", lambda route: route.abort("connectionreset"))
    await page.get_by_role("button", name="Export").click()
    await page.get_by_role("dialog").get_by_role("button", name="Export").click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    await expect(page.get_by_role("button", name="Save again")).to_have_count(0)


async def test_users_export_what_they_did(
    browser: Browser, service: Service, ledger: Ledger, auditor: Client, tmp_path: Path
) -> None:
    _, key = await service.create_key(ledger, Role.USER, actor_id="u-17")
    async with watched(browser) as page:
        await sign_in(page, Client(auditor.session, auditor.address, key))
        await page.get_by_role("button", name="Export").click()
        async with page.expect_download() as download:
            await page.get_by_role("dialog").get_by_role("button", name="Export").click()
        assert await _verified(page, auditor, await download.value, tmp_path) >= 34
    sheet = openpyxl.load_workbook(tmp_path / (await download.value).suggested_filename)["Events"]
    assert {row[1].value for row in sheet.iter_rows(min_row=2)} == {"u-17"}
