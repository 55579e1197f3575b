"""The service in a process of its own, whose memory can be looked at."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

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
async def served(url: str) -> AsyncIterator[Served]:
    """A service on this database, for the time of the block."""
    prefix = "CERTINEXT_AUDIT_"
    settings = {"DATABASE_URL": url, "PORT": "0", "MAX_FEEDS": "10000", "LOG_LEVEL": "warning"}
    process = await asyncio.create_subprocess_exec(
        _PROGRAM,
        "serve",
        env=os.environ | {prefix + name: value for name, value in settings.items()},
        stdout=PIPE,
        stderr=DEVNULL,
    )
    try:
        assert process.stdout is not None
        yield Served((await process.stdout.readline()).decode().split()[-1], process)
    finally:
        process.terminate()
        await process.wait()
