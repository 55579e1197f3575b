"""Clients of the service, each run in a process of its own so that they do not take the server's time."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

import aiohttp
import orjson
import uvloop

from benchmarks.data import BLOCK, Estate

P = ParamSpec("P")
T = TypeVar("T")

_TIMEOUT = aiohttp.ClientTimeout(total=120)


@dataclass(frozen=True)
class Sending:
    """Commands to send: how many, in bodies of how many lines, over how many connections at once."""

    events: int
    lines: int
    """1 sends a command as JSON, more send NDJSON."""
    connections: int


@dataclass(frozen=True)
class Sent:
    seconds: float
    latencies: Sequence[float]
    """Seconds from sending a body to having read the answer, for each body."""


async def in_process(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `work`, done in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return await asyncio.wrap_future(pool.submit(work, *args, **kwargs))


def get_in_turn(address: str, key: str, paths: Sequence[str], patience: float) -> Sequence[float]:
    """The seconds that each GET took, one after the other on one connection, until `patience` seconds are over."""
    return uvloop.run(_get_in_turn(address, key, paths, patience))


def post_commands(url: str, key: str, sending: Sending, seed: int) -> Sent:
    """Post commands, each of which occurs once only for each seed."""
    bodies = list(_bodies(sending, seed))
    return uvloop.run(_post(url, key, sending, bodies))


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


def _bodies(sending: Sending, seed: int) -> Iterator[bytes]:
    events = -(-sending.events // BLOCK) * BLOCK
    commands = islice(Estate(events, seed).commands(events), sending.events)
    while lines := list(islice(commands, sending.lines)):
        yield b"\n".join(map(orjson.dumps, lines))


async def _post(url: str, key: str, sending: Sending, bodies: Sequence[bytes]) -> Sent:
    waiting = iter(bodies)
    latencies: list[float] = []
    headers = _bearer(key) | {"Content-Type": "application/json" if sending.lines == 1 else "application/x-ndjson"}
    connector = aiohttp.TCPConnector(limit=sending.connections)
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=_TIMEOUT) as session:

        async def send() -> None:
            for body in waiting:
                started = time.perf_counter()
                async with session.post(url, data=body) as response:
                    answer = await response.read()
                    response.raise_for_status()
                latencies.append(time.perf_counter() - started)
                assert b'"status"' not in answer, answer[:1000]

        started = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(sending.connections):
                tasks.create_task(send())
        return Sent(time.perf_counter() - started, latencies)


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
