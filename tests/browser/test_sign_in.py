"""Signing in and out, and what is offered to whom."""

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, Page, expect

from adapters.demo import incident
from domain.words import Role
from tests.browser.conftest import sign_in, watched
from tests.browser.hands import Press, either_way
from tests.demonstration import LEDGER
from tests.e2e.client import Client
from tests.e2e.running import Service


@either_way
async def test_a_wrong_key_is_told_and_the_right_one_lets_in(browser: Browser, analyst: Client, press: Press) -> None:
    assert analyst.key is not None
    async with watched(browser) as page:
        await page.goto(analyst.address)
        await page.get_by_label("API key").fill("cna_default_nobody_" + "0" * 64)
        await press(page.get_by_role("button", name="Sign in"))
        await expect(page.get_by_text("the API key is unknown")).to_be_visible()
        await page.get_by_label("API key").fill(analyst.key)
        await press(page.get_by_role("button", name="Sign in"))
        await expect(page.get_by_role("banner")).to_be_visible()
        cookies = await page.context.cookies()
        assert [(cookie["httpOnly"], cookie["sameSite"]) for cookie in cookies] == [(True, "Strict")]
        assert await page.evaluate("document.cookie") == ""
        assert analyst.key not in await page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")


@either_way
async def test_signing_out_takes_everything_away(page: Page, analyst: Client, press: Press) -> None:
    await page.goto(analyst.address)
    await press(page.get_by_role("button", name="Settings"))
    await press(page.get_by_role("menuitem", name="Sign out"))
    await expect(page.get_by_role("heading", name="Sign in to the audit trail")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", name="Sign in to the audit trail")).to_be_visible()


@pytest.mark.parametrize(
    ("role", "actor", "offered"),
    [
        (Role.AUDITOR, None, ["Explore", "Findings", "Estate", "Investigate", "Health", "Verify"]),
        (Role.USER, incident.ANALYST.id, ["Explore", "Investigate", "Verify"]),
        (Role.OPERATOR, None, ["Health", "Verify"]),
    ],
)
async def test_what_one_may_not_do_is_not_offered(
    browser: Browser, service: Service, session: ClientSession, role: Role, actor: str | None, offered: list[str]
) -> None:
    _, key = await service.create_key(LEDGER, role, actor_id=actor)
    async with watched(browser) as page:
        await sign_in(page, Client(session, service.address, key))
        await expect(page.get_by_role("navigation", name="Views").get_by_role("link")).to_have_text(offered)


async def test_a_user_sees_what_they_did_and_nothing_else(browser: Browser, service: Service, analyst: Client) -> None:
    _, key = await service.create_key(LEDGER, Role.USER, actor_id=incident.ANALYST.id)
    async with watched(browser) as page:
        await sign_in(page, Client(analyst.session, analyst.address, key), "/explore?module=user_activity&columns=user")
        rows = page.locator("[role=row][data-index]")
        await expect(rows.first).to_be_visible()
        assert set(await rows.locator(".cell-user").all_inner_texts()) == {incident.ANALYST.full_name}
