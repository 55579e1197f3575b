"""One event: read, proven in the browser, and shown as tampered with where it is."""

import re

import psycopg
from playwright.async_api import Page, expect

from adapters.embedded import EmbeddedDatabase
from domain.words import Ledger
from tests.e2e.client import Client


async def _open(page: Page, auditor: Client, activity: str) -> str:
    event_id = str((await auditor.page({"activity": activity}))["events"][0]["event_id"])
    await page.goto(f"{auditor.address}/event/{event_id}")
    return event_id


async def test_it_is_proven_in_the_browser(page: Page, auditor: Client) -> None:
    await _open(page, auditor, "certificate.revoked")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Asha Rao revoked www.example.com")
    proof = page.get_by_role("region", name="Proof")
    await expect(proof).to_contain_text("This event is in the signed ledger", timeout=30_000)
    await expect(proof.locator(".step-good")).to_have_count(5)
    await proof.get_by_role("button", name="Show the path").click()
    await expect(proof).to_contain_text("certinext-audit/")


async def test_a_changed_read_table_is_seen(
    page: Page, auditor: Client, server: EmbeddedDatabase, ledger: Ledger
) -> None:
    """The page does not believe what it is shown: it compares with the record that was signed."""
    with psycopg.connect(server.url("browser"), autocommit=True) as connection:
        (table,) = connection.execute(
            "SELECT max(relname) FROM pg_class WHERE relname ~ '^activity_[0-9]+$' AND relkind = 'r'"
        ).fetchone() or ("",)
        connection.execute(
            f"UPDATE reading.{table} SET event = replace(event, 'Asha Rao', 'Mallory Moe') WHERE ledger = %s".encode(),
            (ledger,),
        )
    await _open(page, auditor, "certificate.revoked")
    await expect(page.get_by_role("region", name="Proof")).to_contain_text("NOT what was signed", timeout=30_000)
    await expect(page.locator(".step-bad")).to_contain_text("What is shown is what the record says")


async def test_its_values_lead_to_what_shares_them(page: Page, auditor: Client) -> None:
    await _open(page, auditor, "certificate.revoked")
    await page.get_by_role("link", name="10.1.2.3").click()
    await expect(page).to_have_url(re.compile("ip=10.1.2.3"))
    await expect(page.get_by_role("grid", name="Events")).to_be_visible()


async def test_on_paper_all_of_the_proof_is_there_and_no_control(page: Page, auditor: Client) -> None:
    """Whatever the theme, and whatever was shown on the screen; with the address to find it again."""
    event_id = await _open(page, auditor, "certificate.revoked")
    await expect(page.get_by_role("region", name="Proof")).to_contain_text(
        "This event is in the signed ledger", timeout=30_000
    )
    await page.emulate_media(media="print", color_scheme="dark")
    await expect(page.get_by_text("Signed checkpoint")).to_be_visible()
    await expect(page.get_by_text(f"/event/{event_id}, read by")).to_be_visible()
    await expect(page.get_by_role("button")).to_have_count(0)
    await expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
