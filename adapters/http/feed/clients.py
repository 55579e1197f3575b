"""All clients of the live feed in this process: how many a credential may have, what goes by the clock, and the end."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from adapters.http import metrics
from adapters.http.feed.client import FeedClient
from adapters.http.feed.protocol import Close
from adapters.http.feed.pulse import Pace
from adapters.http.problems import TooManyFeeds
from application.credentials import Authenticate, NotAuthenticated
from domain.credential import Credential
from domain.errors import StoreUnavailable

_TICK_SECONDS = 1.0
_CHECK_TICKS = 5
"""Credentials are checked so often even if nothing is announced: the announcement may be lost."""

log = structlog.get_logger()


@dataclass(frozen=True)
class FeedLimits:
    """What a client of the live feed may do."""

    per_credential: int = 100
    """How many connections of one credential there may be in this process."""
    origins: frozenset[str] = frozenset()
    """Other origins than our own whose pages may follow."""
    pace: Pace = field(default_factory=lambda: Pace(heartbeat=15.0, patience=60.0))


class FeedClients:
    """Owns the set of clients; its one task tends them and ends those whose credential has ended."""

    def __init__(self, authenticate: Authenticate, limits: FeedLimits) -> None:
        self.limits = limits
        self._authenticate = authenticate
        self._clients: dict[FeedClient, None] = {}
        self._of: Counter[tuple[str, str]] = Counter()
        self._changed = asyncio.Event()
        self._behind = 0

    @contextmanager
    def admitted(self, caller: Credential) -> Iterator[None]:
        """Room for one more connection. Raises TooManyFeeds."""
        key = _key(caller)
        if self._of[key] >= self.limits.per_credential:
            raise TooManyFeeds(
                f"this key has {self._of[key]} connections to the feed, and may have no more: end one, or try again"
            )
        self._of[key] += 1
        metrics.FEED_CLIENTS.inc()
        try:
            yield
        finally:
            metrics.FEED_CLIENTS.dec()
            self._of[key] -= 1
            if not self._of[key]:
                del self._of[key]

    def __iter__(self) -> Iterator[FeedClient]:
        """The clients of now."""
        return iter(list(self._clients))

    @contextmanager
    def tended(self, client: FeedClient) -> Iterator[None]:
        self._clients[client] = None
        try:
            yield
        finally:
            del self._clients[client]

    def credentials_changed(self) -> None:
        """Some credential may have ended."""
        self._changed.set()

    async def run(self) -> None:
        """Tend the clients until cancelled."""
        loop = asyncio.get_running_loop()
        ticks = 0
        while True:
            changed = await self._tick()
            ticks += 1
            if changed or ticks % _CHECK_TICKS == 0:
                await self._check_credentials()
            now = loop.time()
            for client in self:
                client.tend(now, self.limits.pace)
            self._report_behind(sum(client.is_behind for client in self._clients))

    def _report_behind(self, count: int) -> None:
        metrics.FEED_BEHIND.inc(count - self._behind)
        self._behind = count

    def end_all(self) -> None:
        """Tell everybody to connect again: this process goes away."""
        for client in self:
            client.end(Close.GOING_AWAY)

    async def _tick(self) -> bool:
        """Wait for a second, or until a credential has changed."""
        try:
            async with asyncio.timeout(_TICK_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True

    async def _check_credentials(self) -> None:
        for key, caller in {_key(client.caller): client.caller for client in self._clients}.items():
            try:
                await self._authenticate.check_again(caller)
            except NotAuthenticated as error:
                for client in self:
                    if _key(client.caller) == key:
                        client.end(Close.NOT_AUTHENTICATED, str(error))
            except StoreUnavailable as error:
                log.warning("feed_credentials_unchecked", error=repr(error))
                return  # What is not known now is asked again, and without the database nothing is sent either.


def _key(caller: Credential) -> tuple[str, str]:
    return caller.ledger, caller.id
