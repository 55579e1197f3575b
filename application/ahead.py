"""Reading ahead: what comes next is read while what has come is worked on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def ahead(pages: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The same pages, each of which is asked for while the one before it is worked on."""
    async with aclosing(pages):
        following = asyncio.ensure_future(_next(pages))
        try:
            while (page := await following) is not None:
                following = asyncio.ensure_future(_next(pages))
                yield page
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def _next(pages: AsyncGenerator[T, None]) -> T | None:
    async for page in pages:
        return page
    return None
