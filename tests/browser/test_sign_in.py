"""Signing in and out, and what is offered to whom."""

from playwright.async_api import Browser, expect

from domain.words import Ledger, Role
from tests.browser.conftest import sign_in, watched
from tests.e2e.client import Client
from tests.e2e.running import Service


async def test_a_wrong_key_is_told_and_the_right_one_lets_in(browser: Browser, auditor: Client) -> None:
    assert auditor.key is not None
    async with watched(browser) as page:
        await page.goto(auditor.address)
        await page.get_by_label("API key").fill("cna_default_nobody_" + "0" * 64)
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("the API key is unknown")).to_be_visible()
        await sign_in(page, auditor)
        cookies = await page.context.cookies()
        assert [(cookie["httpOnly"], cookie["sameSite"]) for cookie in cookies] == [(True, "Strict")]
        assert await page.evaluate("document.cookie") == ""
        assert auditor.key not in await page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")


async def test_signing_out_takes_everything_away(browser: Browser, auditor: Client) -> None:
    async with watched(browser) as page:
        await sign_in(page, auditor)
        await page.get_by_role("button", name="Settings").click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await expect(page.get_by_role("heading", name="Sign in to the audit trail")).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("heading", name="Sign in to the audit trail")).to_be_visible()


async def test_what_one_may_not_do_is_not_offered(
    browser: Browser, service: Service, ledger: Ledger, auditor: Client
) -> None:
    offers = {}
    for role, actor in ((Role.AUDITOR, None), (Role.USER, "u-17"), (Role.OPERATOR, None)):
        _, key = await service.create_key(ledger, role, actor_id=actor)
        async with watched(browser) as page:
            await sign_in(page, Client(auditor.session, auditor.address, key))
            offers[role] = await page.get_by_role("navigation", name="Views").get_by_role("link").all_inner_texts()
    assert "Findings" in offers[Role.AUDITOR]
    assert "Findings" not in offers[Role.USER]
    assert "Explore" in offers[Role.USER]
    assert "Explore" not in offers[Role.OPERATOR]
