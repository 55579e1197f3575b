"""Servers in processes of their own: the service, whose memory can be looked at, and one that only validates."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

_PROGRAM = Path(sys.executable).with_name("certinext-audit")
_FOLLOWERS = "certinext_audit_feed_clients "


@dataclass(frozen=True)
class Served:
    address: str
    process: Process

    def resident_kb(self) -> float:
        """The memory that it has in use."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith("VmRSS:"))
        return float(line.split()[1])

    async def until_followed(self, count: int) -> None:
        """Wait until the live feed has so many clients."""
        async with aiohttp.ClientSession() as session:
            while await self._followers(session) != count:  # noqa: ASYNC110  # Processes have no event.
                await asyncio.sleep(0.1)

    async def _followers(self, session: aiohttp.ClientSession) -> float:
        async with session.get(f"{self.address}/metrics") as response:
            lines = (await response.text()).splitlines()
        return sum(float(line.removeprefix(_FOLLOWERS)) for line in lines if line.startswith(_FOLLOWERS))


@asynccontextmanager
async def served(url: str, *, workers: int = 1, background: bool = True) -> AsyncIterator[Served]:
    """A service on this database, for the time of the block."""
    settings = {"DATABASE_URL": url, "PORT": "0", "MAX_FEEDS": "10000", "BACKGROUND": str(background)}
    with TemporaryDirectory() as folder:
        settings["DATA_DIR"] = folder
        async with _running((_PROGRAM, "serve", "--workers", str(workers)), settings) as service:
            yield service


@asynccontextmanager
async def served_bare(workers: int) -> AsyncIterator[str]:
    """The address of a server that validates commands and keeps nothing."""
    async with _running((sys.executable, "-m", "benchmarks.bare", str(workers)), {}) as bare:
        yield bare.address


@asynccontextmanager
async def _running(program: Sequence[str | Path], settings: Mapping[str, str]) -> AsyncIterator[Served]:
    """A program that prints a line with its address, for the time of the block."""
    variables = {f"CERTINEXT_AUDIT_{name}": value for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(*program, env=os.environ | variables, stdout=PIPE, stderr=DEVNULL)
    try:
        assert process.stdout is not None
        yield Served((await process.stdout.readline()).decode().split()[-1], process)
    finally:
        process.terminate()
        await process.wait()
