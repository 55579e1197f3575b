"""An exported file, verified in the browser: dropped or chosen, whole or changed; it never leaves the page."""

import base64
from collections.abc import Awaitable, Callable
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from playwright.async_api import Browser, FilePayload, Page, Request, expect

from adapters.demo import incident
from domain.words import Role
from tests.browser.conftest import sign_in, verify_file, watched
from tests.browser.hands import Press, either_way, walk_to
from tests.demonstration import LEDGER
from tests.e2e.client import Client
from tests.e2e.running import Service

Exported = Callable[[str], Awaitable[bytes]]


@pytest.fixture
def exported(analyst: Client) -> Exported:
    """Asks for an export of all that came from the attacker, in a format."""

    async def export(format_: str) -> bytes:
        return (await analyst.get(f"/v1/events/export.{format_}", {"ip": incident.ATTACKER_IP})).body

    return export


async def _drop(page: Page, data: bytes, name: str) -> None:
    held = await page.evaluate_handle(
        """([content, name]) => {
            const held = new DataTransfer();
            held.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name));
            return held;
        }""",
        [base64.b64encode(data).decode(), name],
    )
    await page.dispatch_event("main", "dragover", {"dataTransfer": held})
    await expect(page.get_by_text("Drop the exported file to verify it here")).to_be_visible()
    await page.dispatch_event("main", "drop", {"dataTransfer": held})


@pytest.mark.parametrize("format_", ["xlsx", "jsonl"])
async def test_a_file_that_is_dropped_anywhere_is_verified_and_sent_nowhere(
    page: Page, analyst: Client, exported: Exported, format_: str
) -> None:
    await page.goto(analyst.address)
    data = await exported(format_)
    await expect(page.locator("[role=row][data-index]").first).to_be_visible()
    requests: list[Request] = []

    def keep(request: Request) -> None:
        requests.append(request)  # Playwright takes no method of a built-in type.

    page.on("request", keep)
    await _drop(page, data, f"audit.{format_}")
    result = page.get_by_role("region", name="Result")
    await expect(
        result.get_by_role("status").filter(has_text="This file is as it was exported: 59 events")
    ).to_be_visible()
    await expect(result).to_contain_text("with a key that this service publishes")
    await expect(result).to_contain_text(incident.ATTACKER_IP)
    sent = [request for request in requests if request.method != "GET" or request.post_data_buffer]
    assert sent == []


@either_way
async def test_a_file_is_chosen(page: Page, analyst: Client, exported: Exported, press: Press) -> None:
    data = await exported("jsonl")
    await page.goto(f"{analyst.address}/verify")
    async with page.expect_file_chooser() as chooser:
        await press(page.get_by_role("button", name="Choose a file"))
    file = FilePayload(name="audit.jsonl", mimeType="application/octet-stream", buffer=data)
    await (await chooser.value).set_files(file)
    await expect(page.get_by_role("status").filter(has_text="This file is as it was exported: 59")).to_be_visible()


async def test_the_first_changed_cell_is_named(page: Page, analyst: Client, exported: Exported) -> None:
    data = await exported("xlsx")
    await page.goto(f"{analyst.address}/verify")
    await verify_file(page, data, "whole.xlsx")
    await expect(page.get_by_role("status").filter(has_text="as it was exported")).to_be_visible()
    await verify_file(page, _with_first_failure_hidden(data), "changed.xlsx")
    verdict = page.get_by_role("status").filter(has_text="NOT as it was exported. The first that is wrong: Events, row")
    await expect(verdict).to_contain_text('column Status: says "success", and the record says "failure"')
    await expect(page.get_by_role("row").filter(has_text="Status")).to_have_count(1)


def _with_first_failure_hidden(workbook: bytes) -> bytes:
    changed = BytesIO()
    with ZipFile(BytesIO(workbook)) as before, ZipFile(changed, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            data = before.read(name)
            after.writestr(name, data.replace(b">failure<", b">success<", 1) if name.endswith("/sheet1.xml") else data)
    return changed.getvalue()


async def test_what_is_no_export_is_told(page: Page, analyst: Client, exported: Exported) -> None:
    await page.goto(f"{analyst.address}/verify")
    for data, words in (
        (b"hello", "neither a workbook nor JSON Lines"),
        (await exported("csv"), "hold no proof"),
        ((await exported("xlsx"))[:-4000], "damaged or cut off"),
    ):
        await verify_file(page, data, f"{words}.bin")
        await expect(page.get_by_role("alert")).to_contain_text(words)


async def test_another_key_is_not_believed(page: Page, analyst: Client, exported: Exported) -> None:
    """By keyboard: a key of one's own counts instead of what the service publishes."""
    await page.goto(analyst.address)
    data = await exported("jsonl")
    await expect(page.locator("[role=row][data-index]").first).to_be_visible()
    await page.keyboard.press("g")
    await page.keyboard.press("v")
    await walk_to(page.get_by_label("A public key"))
    await page.keyboard.type("09" * 32)
    await verify_file(page, data, "audit.jsonl")
    await expect(page.get_by_role("status").filter(has_text="NOT as it was exported")).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="no key that is known has signed it")).to_be_visible()
    keys = (await analyst.get("/.well-known/certinext-audit/keys", {"ledger": LEDGER})).json["keys"]
    await page.get_by_label("A public key").fill(keys[-1]["verifier_key"])
    await expect(page.get_by_role("status").filter(has_text="This file is as it was exported")).to_be_visible()


async def test_who_reads_no_events_verifies_files_all_the_same(
    browser: Browser, service: Service, analyst: Client, exported: Exported
) -> None:
    _, key = await service.create_key(LEDGER, Role.OPERATOR)
    async with watched(browser) as page:
        await sign_in(page, Client(analyst.session, analyst.address, key))
        await page.get_by_role("link", name="Verify").click()
        await verify_file(page, await exported("jsonl"), "audit.jsonl")
        await expect(page.get_by_role("status").filter(has_text="This file is as it was exported")).to_be_visible()
