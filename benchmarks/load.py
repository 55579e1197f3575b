"""Clients of the service, each run in a process of its own so that they do not take the server's time."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

import aiohttp
import uvloop

P = ParamSpec("P")
T = TypeVar("T")

_TIMEOUT = aiohttp.ClientTimeout(total=120)


async def in_process(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `work`, done in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return await asyncio.wrap_future(pool.submit(work, *args, **kwargs))


def get_in_turn(address: str, key: str, paths: Sequence[str], patience: float) -> Sequence[float]:
    """The seconds that each GET took, one after the other on one connection, until `patience` seconds are over."""
    return uvloop.run(_get_in_turn(address, key, paths, patience))


async def _get_in_turn(address: str, key: str, paths: Sequence[str], patience: float) -> Sequence[float]:
    seconds: list[float] = []
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector, headers=_bearer(key), timeout=_TIMEOUT) as session:
        for path in paths:
            if sum(seconds) > patience:
                break
            started = time.perf_counter()
            async with session.get(address + path) as response:
                await response.read()
                response.raise_for_status()
            seconds.append(time.perf_counter() - started)
    return seconds


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
