"""Telling every process that something was appended, and hearing it."""

import asyncio
from collections.abc import Callable, Mapping

import asyncpg
import structlog

from adapters.postgres.connections import CONNECT_SECONDS
from projections.database import PASSING, Pool

APPENDED = "certinext_audit_appended"

_AT_MOST_EVERY_SECONDS = 0.005
_RECONNECT_SECONDS = 0.5
_PROBE_SECONDS = 5.0

log = structlog.get_logger()


class Announcer:
    """Announces appends after their commit, in a statement of its own, many together.

    Inside the append transaction a `NOTIFY` would make all commits of the database queue behind one lock. What
    is lost is found by the projectors' poll. Owns the event by which its one task is woken.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._appended = asyncio.Event()

    def announce(self) -> None:
        self._appended.set()

    async def run(self) -> None:
        while True:
            await self._appended.wait()
            self._appended.clear()
            try:
                await self._pool.execute(f"NOTIFY {APPENDED}")
            except PASSING as error:
                log.warning("announcement_lost", error=repr(error))
            await asyncio.sleep(_AT_MOST_EVERY_SECONDS)


async def listen(url: str, heard: Mapping[str, Callable[[], None]]) -> None:
    """Call what belongs to a channel whenever something is announced there, until cancelled.

    After each new connection everything is called once, since announcements may have been missed before.
    """
    while True:
        try:
            connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, command_timeout=CONNECT_SECONDS)
            try:
                for channel, call in heard.items():
                    await connection.add_listener(channel, lambda *_, call=call: call())
                    call()
                while True:
                    await asyncio.sleep(_PROBE_SECONDS)
                    await connection.execute("SELECT")
            finally:
                connection.terminate()
        except PASSING as error:
            log.warning("listening_interrupted", error=repr(error))
            await asyncio.sleep(_RECONNECT_SECONDS)
