"""The service as tests see it: running in a thread and a loop of its own, and talked to over HTTP."""

import asyncio
import itertools
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from pydantic import SecretStr

from adapters import bootstrap
from adapters.bootstrap import Trail
from adapters.settings import Settings
from application.credentials import console
from domain.credential import Credential
from domain.words import Ledger, Module, Role
from tests.patience import PATIENCE

T = TypeVar("T")

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Service:
    """A running service: its address, its use cases and the loop that they belong to."""

    address: str
    trail: Trail
    loop: asyncio.AbstractEventLoop
    stopping: asyncio.Event

    def stop(self) -> None:
        """Tell it to stop."""
        self.loop.call_soon_threadsafe(self.stopping.set)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of work that is done in the service's own loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    async def create_key(
        self,
        ledger: Ledger,
        role: Role,
        *,
        modules: frozenset[Module] = frozenset(),
        actor_id: str | None = None,
        lives_for: timedelta | None = None,
    ) -> tuple[Credential, str]:
        by = console(ledger, datetime.now(UTC), "tests")
        return await self.run(
            self.trail.create_credential.create(
                by, f"A {role}", role, modules=modules, actor_id=actor_id, lives_for=lives_for
            )
        )

    async def revoke_key(self, credential: Credential) -> bool:
        by = console(credential.ledger, datetime.now(UTC), "tests")
        return await self.run(self.trail.revoke_credential.revoke(by, credential.id))


@contextmanager
def running(url: str, **changes: Any) -> Iterator[Service]:
    """The service on this database and a free port, with changed settings; it has stopped cleanly at the end."""
    started: Queue[Service | None] = Queue()
    stop = asyncio.Event()
    with TemporaryDirectory() as folder, ThreadPoolExecutor(1, "service") as thread:
        settings = Settings(database_url=SecretStr(url), port=0, **{"data_dir": Path(folder), **changes})
        ended = thread.submit(lambda: asyncio.run(_serve(url, settings, started, stop)))
        ended.add_done_callback(lambda _: started.put(None))
        service = started.get(timeout=PATIENCE)
        if service is not None:
            try:
                yield service
            finally:
                if not ended.done():
                    service.stop()
        ended.result()


async def _serve(url: str, settings: Settings, started: "Queue[Service | None]", stop: asyncio.Event) -> None:
    async with bootstrap.server(url, settings) as (trail, address):
        started.put(Service(address, trail, asyncio.get_running_loop(), stop))
        await stop.wait()


def fresh_ledger() -> Ledger:
    """A ledger that no other test uses."""
    return Ledger(f"ledger-{next(_numbers)}")
