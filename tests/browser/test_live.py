"""The live feed on the page: the pill, pausing, following, and a connection that is lost."""

from datetime import UTC, datetime
from itertools import count

from playwright.async_api import Browser, Page, WebSocketRoute, expect

from domain.values import JsonObject, rfc3339
from tests.browser.conftest import sign_in, watched
from tests.browser.hands import Press, either_way
from tests.builders import login_data
from tests.e2e.client import Client
from tests.e2e.following import following

_numbers = count(1)

_WATCHED = "/explore?module=user_activity"
"""Where nothing happens but what the test does."""


def _somebody() -> tuple[str, JsonObject]:
    """Somebody new, and their log-in of just now."""
    name = f"Newcomer {next(_numbers)}"
    actor: JsonObject = {"id": f"u-{name.lower().replace(' ', '-')}", "full_name": name, "kind": "user"}
    entity: JsonObject = {"type": "user", "id": actor["id"], "name": name}
    return f"{name} logged in", login_data(actor=actor, entity=entity, occurred_at=rfc3339(datetime.now(UTC)))


async def _watch(page: Page, analyst: Client) -> None:
    await page.goto(analyst.address + _WATCHED)
    await expect(page.locator("[role=row][data-index]").first).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()


@either_way
async def test_new_events_wait_behind_a_pill(page: Page, analyst: Client, reporter: Client, press: Press) -> None:
    """Nothing moves under the reader until they ask for it."""
    await _watch(page, analyst)
    words, command = _somebody()
    await reporter.record(command)
    pill = page.get_by_role("button", name="new event")
    await expect(pill).to_contain_text("1 new event")
    await expect(page.get_by_role("grid", name="Events")).not_to_contain_text(words)
    await press(pill)
    await expect(page.locator("[data-index='0']")).to_contain_text(words)
    await expect(pill).to_have_count(0)


@either_way
async def test_who_follows_has_them_at_once(page: Page, analyst: Client, reporter: Client, press: Press) -> None:
    await _watch(page, analyst)
    await press(page.get_by_role("button", name="Follow"))
    words, command = _somebody()
    await reporter.record(command)
    await expect(page.locator("[data-index='0']")).to_contain_text(words)


@either_way
async def test_what_comes_while_it_is_paused_comes_afterwards(
    page: Page, analyst: Client, reporter: Client, press: Press
) -> None:
    await _watch(page, analyst)
    await press(page.get_by_role("button", name="Follow"))
    pause = page.get_by_role("button", name="Pause")
    await press(pause)
    await expect(page.get_by_text("Paused")).to_be_visible()
    words, command = _somebody()
    async with following(analyst, {"module": "user_activity"}) as witness:
        position = (await reporter.record(command))["position"]
        assert len(await witness.events(position)) == 1
    await expect(page.get_by_role("grid", name="Events")).not_to_contain_text(words)
    await press(pause)
    await expect(page.get_by_role("grid", name="Events")).to_contain_text(words)


async def test_a_lost_connection_is_told_and_nothing_is_missed(
    browser: Browser, analyst: Client, reporter: Client
) -> None:
    """It connects again by itself, and goes on from what it has seen."""
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    async with watched(browser) as page:
        await page.route_web_socket("**/v1/feed*", through)
        await sign_in(page, analyst, _WATCHED)
        await page.get_by_role("button", name="Follow").click()
        await expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
        await sockets[-1].close(code=1011)
        await expect(page.get_by_text("Connection lost")).to_be_visible()
        words, command = _somebody()
        await reporter.record(command)
        await expect(page.get_by_role("grid", name="Events")).to_contain_text(words)
        assert len(sockets) > 1
