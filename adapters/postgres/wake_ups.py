"""Telling every process that something has happened, and hearing it."""

import asyncio
from collections.abc import Callable, Mapping

import asyncpg
import structlog

from adapters.postgres.connections import CONNECT_SECONDS
from projections.database import PASSING, Pool, heed_cancellation

APPENDED = "certinext_audit_appended"
"""The channel of ledgers that have new events."""
APPLIED = "certinext_audit_applied"
"""The channel of ledgers whose new events have come into the table `activity`."""

_AT_MOST_EVERY_SECONDS = 0.005
_RECONNECT_SECONDS = 0.5
_PROBE_SECONDS = 5.0

_NOTIFY = "SELECT pg_notify($1, said) FROM unnest($2::text[]) AS said"

log = structlog.get_logger()


class Announcer:
    """Announces on a channel what has happened, after its commit, in a statement of its own, many together.

    Inside the append transaction a `NOTIFY` would make all commits of the database queue behind one lock. What
    is lost is found by the listeners' poll. Owns what is to be said, and the event by which its one task is woken.
    """

    def __init__(self, pool: Pool, channel: str) -> None:
        self._pool = pool
        self._channel = channel
        self._unsaid: dict[str, None] = {}
        self._something = asyncio.Event()

    def announce(self, ledger: str) -> None:
        self._unsaid[ledger] = None
        self._something.set()

    async def run(self) -> None:
        while True:
            heed_cancellation()
            await self._something.wait()
            self._something.clear()
            said, self._unsaid = list(self._unsaid), {}
            try:
                await self._pool.execute(_NOTIFY, self._channel, said)
            except PASSING as error:
                log.warning("announcement_lost", channel=self._channel, error=repr(error))
            await asyncio.sleep(_AT_MOST_EVERY_SECONDS)


async def listen(url: str, heard: Mapping[str, Callable[[str], None]]) -> None:
    """Call what belongs to a channel with what is announced there, until cancelled.

    After each new connection everything is called once with nothing, since announcements may have been missed before.
    """
    while True:
        heed_cancellation()
        try:
            connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, command_timeout=CONNECT_SECONDS)
            try:
                for channel, call in heard.items():
                    await connection.add_listener(channel, lambda *said, call=call: call(str(said[-1])))
                    call("")
                while True:
                    await asyncio.sleep(_PROBE_SECONDS)
                    await connection.execute("SELECT")
            finally:
                connection.terminate()
        except PASSING as error:
            log.warning("listening_interrupted", error=repr(error))
            await asyncio.sleep(_RECONNECT_SECONDS)
