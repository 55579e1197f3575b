"""The two ways of doing things on the page: with a mouse, and with nothing but a keyboard.

A test that takes `press` is run with each, so nothing that it does is for the mouse alone.
"""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Locator, expect

Press = Callable[[Locator], Awaitable[None]]

_FAR = 150
_HAS_FOCUS = "(element) => element === document.activeElement"
_IS_IN_MENU = "(element) => element.closest('[role=menu]') !== null"


async def by_mouse(control: Locator) -> None:
    await control.click()


async def by_keyboard(control: Locator) -> None:
    """Walk to it, and press Enter."""
    await walk_to(control)
    await control.page.keyboard.press("Enter")


async def walk_to(control: Locator) -> None:
    """With Tab, or in a menu with the arrow, until it has the focus."""
    await control.wait_for()
    # While a list is open on the way, all else is hidden from who looks for roles.
    element = await control.element_handle()
    key = "ArrowDown" if await element.evaluate(_IS_IN_MENU) else "Tab"
    for _ in range(_FAR):
        if await element.evaluate(_HAS_FOCUS):
            break
        await control.page.keyboard.press(key)
    await expect(control).to_be_focused()


either_way = pytest.mark.parametrize("press", [by_mouse, by_keyboard])
