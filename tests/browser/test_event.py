"""One event: read, proven in the browser, taken along, and shown as tampered with where it is."""

import json
import re

import psycopg
import pytest
from playwright.async_api import Browser, Page, expect

from adapters.demo import incident
from domain.words import Ledger
from tests.browser.conftest import sign_in, watched
from tests.browser.hands import Press, by_mouse, either_way
from tests.e2e.client import Client
from tests.e2e.running import Service

_THEFT = f"activity=key.exported&entity=key:{incident.KEY_ID}"
_PROVEN = "This event is in the signed ledger"


async def _theft(analyst: Client) -> str:
    """The path of the event in which the incident's key is exported."""
    (event,) = (await analyst.page({"activity": "key.exported", "entity": f"key:{incident.KEY_ID}"}))["events"]
    return f"/event/{event['event_id']}"


@either_way
async def test_it_is_proven_in_the_browser(page: Page, analyst: Client, press: Press) -> None:
    """From the table to the proof, with each step in words."""
    await page.goto(f"{analyst.address}/explore?{_THEFT}")
    if press is by_mouse:
        await page.get_by_role("grid", name="Events").get_by_role("link").click()
    else:
        await press(page.locator("[data-index='0']"))
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Jörg Šimůnek exported key")
    await expect(page.get_by_role("region", name="Who")).to_contain_text(incident.ATTACKER_IP)
    await expect(page.get_by_role("region", name="Details")).to_contain_text(f"sftp://{incident.ATTACKER_IP}/in")
    proof = page.get_by_role("region", name="Proof")
    await expect(proof).to_contain_text(_PROVEN)
    await expect(proof.locator(".step-good")).to_have_count(5)
    await expect(proof.get_by_text("Signed checkpoint")).to_be_hidden()
    await press(proof.get_by_role("button", name="Show the path"))
    await expect(proof.get_by_text("Signed checkpoint")).to_be_visible()
    await expect(proof).to_contain_text(f"certinext-audit/{json.loads(await _record(page))['ledger']}")


async def _record(page: Page) -> str:
    return await page.get_by_role("region", name="Record").locator("pre").inner_text()


async def test_a_changed_read_table_is_seen(
    browser: Browser, auditor: Client, ledger: Ledger, service_and_url: tuple[Service, str]
) -> None:
    """The page does not believe what it is shown: it compares with the record that was signed."""
    with psycopg.connect(service_and_url[1], autocommit=True) as connection:
        (table,) = connection.execute(
            "SELECT max(relname) FROM pg_class WHERE relname ~ '^activity_[0-9]+$' AND relkind = 'r'"
        ).fetchone() or ("",)
        connection.execute(
            f"UPDATE reading.{table} SET event = replace(event, 'Asha Rao', 'Mallory Moe') WHERE ledger = %s".encode(),
            (ledger,),
        )
    (event,) = (await auditor.page({"activity": "certificate.revoked"}))["events"]
    async with watched(browser) as page:
        await sign_in(page, auditor, f"/event/{event['event_id']}")
        await expect(page.get_by_role("region", name="Proof")).to_contain_text("NOT what was signed")
        await expect(page.locator(".step-bad")).to_contain_text("What is shown is what the record says")


@either_way
async def test_its_values_lead_to_what_shares_them(page: Page, analyst: Client, press: Press) -> None:
    await page.goto(analyst.address + await _theft(analyst))
    await press(page.get_by_role("link", name=incident.ATTACKER_IP))
    await expect(page).to_have_url(re.compile(f"ip={incident.ATTACKER_IP}"))
    await expect(page.get_by_role("grid", name="Events")).to_be_visible()


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("Key Nordwind Remote Access CA 1 signing key", f"/entity/key/{incident.KEY_ID}"),
        (f"Everything in the session {incident.SESSION_ID}", f"/investigate?session={incident.SESSION_ID}"),
        ("Everything by Jörg Šimůnek", "/investigate?actor=u-05"),
    ],
)
@either_way
async def test_its_neighbours_are_a_step_away(page: Page, analyst: Client, press: Press, link: str, path: str) -> None:
    await page.goto(analyst.address + await _theft(analyst))
    await press(page.get_by_role("region", name="Around it").get_by_role("link", name=link))
    await expect(page).to_have_url(analyst.address + path)
    await expect(page.get_by_role("main")).to_contain_text("exported key")


@either_way
async def test_it_is_taken_along_as_link_json_and_curl(browser: Browser, analyst: Client, press: Press) -> None:
    path = await _theft(analyst)
    async with watched(browser, permissions=["clipboard-read", "clipboard-write"]) as page:
        await sign_in(page, analyst, path)

        async def copied(what: str) -> str:
            button = page.get_by_role("region", name="Record").get_by_role("button", name=what)
            await press(button)
            await expect(page.get_by_role("button", name="Copied").last).to_be_visible()
            return str(await page.evaluate("navigator.clipboard.readText()"))

        assert await copied("Copy link") == analyst.address + path
        taken = json.loads(await copied("Copy JSON"))
        asked = (await analyst.get(path.replace("/event/", "/v1/events/"))).json
        assert (taken["event"], taken["record"]) == (asked["event"], asked["record"])
        assert f"{analyst.address}/v1/events/" in await copied("Copy curl")


async def test_on_paper_all_of_the_proof_is_there_and_no_control(page: Page, analyst: Client) -> None:
    """Whatever the theme, and whatever was shown on the screen; with the address to find it again."""
    path = await _theft(analyst)
    await page.goto(analyst.address + path)
    await expect(page.get_by_role("region", name="Proof")).to_contain_text(_PROVEN)
    await page.emulate_media(media="print", color_scheme="dark")
    await expect(page.get_by_text("Signed checkpoint")).to_be_visible()
    await expect(page.get_by_text(f"{path}, read by")).to_be_visible()
    await expect(page.get_by_role("button")).to_have_count(0)
    await expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
