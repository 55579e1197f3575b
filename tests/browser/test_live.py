"""The live feed on the page: pausing it, and a connection that is lost."""

from playwright.async_api import Browser, Page, WebSocketRoute, expect

from tests.browser.conftest import sign_in, watched
from tests.builders import command_data
from tests.e2e.client import Client

_NEW = {"type": "certificate", "id": "c-new", "name": "new.example.com"}


async def test_what_comes_while_it_is_paused_comes_afterwards(page: Page, module: Client) -> None:
    await page.get_by_role("button", name="Follow").click()
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Paused")).to_be_visible()
    await module.record(command_data(entity=_NEW))
    table = page.get_by_role("grid", name="Events")
    await page.wait_for_timeout(1000)  # Long enough for what must not happen.
    await expect(table).not_to_contain_text("new.example.com")
    await page.get_by_role("button", name="Pause").click()
    await expect(table).to_contain_text("new.example.com")


async def test_a_lost_connection_is_told_and_nothing_is_missed(
    browser: Browser, auditor: Client, module: Client
) -> None:
    """It connects again by itself, and goes on from what it has seen."""
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    async with watched(browser) as page:
        await page.route_web_socket("**/v1/feed*", through)
        await sign_in(page, auditor)
        await page.get_by_role("button", name="Follow").click()
        await expect(page.get_by_text("Live", exact=False).first).to_be_visible()
        await sockets[-1].close(code=1011)
        await expect(page.get_by_text("Connection lost")).to_be_visible()
        await module.record(command_data(entity=_NEW))
        await expect(page.get_by_role("grid", name="Events")).to_contain_text("new.example.com", timeout=15_000)
        assert len(sockets) > 1
