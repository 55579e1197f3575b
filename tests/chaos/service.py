"""The service in processes of its own, on a durable PostgreSQL of its own, to be killed."""

import asyncio
import json
import os
import signal
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from adapters import bootstrap
from adapters.embedded.folder import DataFolder
from adapters.embedded.process import postmaster_of
from adapters.settings import Settings
from application.credentials import console
from domain.words import DEFAULT_LEDGER, Role
from tests.chaos.process_tree import is_alive, workers_of
from tests.e2e.processes import PROGRAM, environment

_START_SECONDS = 60
_POLL_SECONDS = 0.02


class ServiceProcess:
    """`serve` on one port and one data folder, however often it is killed and started again."""

    def __init__(self, folder: Path, workers: int, settings: dict[str, str]) -> None:
        self._folder = DataFolder.open(folder / "data")
        self._log = folder / "service.log"
        self._workers = str(workers)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self._environment = environment(
            data_dir=str(self._folder.path), port=str(port), log_level="warning", **settings
        ) | {"TMPDIR": str(folder)}  # Who is killed leaves something there.
        self._parent: Process | None = None

    @property
    def parent(self) -> Process:
        assert self._parent is not None
        return self._parent

    @property
    def workers(self) -> set[int]:
        return workers_of(self.parent.pid)

    @property
    def owner_url(self) -> str:
        """The database, for its superuser."""
        database = self._folder.published()
        assert database is not None
        return database.url()

    async def start(self) -> None:
        """Start it, again and again as long as workers of a killed parent have the port, until it listens."""
        async with asyncio.timeout(_START_SECONDS):
            while not await self._starts():  # noqa: ASYNC110  # Processes of others have no event.
                await asyncio.sleep(_POLL_SECONDS)

    async def _starts(self) -> bool:
        with self._log.open("ab") as log:
            self._parent = await asyncio.create_subprocess_exec(
                PROGRAM, "serve", "--workers", self._workers, env=self._environment, stdout=PIPE, stderr=log
            )
        assert self._parent.stdout is not None
        return bool(await self._parent.stdout.readline())

    async def create_key(self, role: Role) -> str:
        """A new key of the default ledger."""
        settings = Settings(database_url=SecretStr(self.owner_url), data_dir=self._folder.path)
        async with bootstrap.trail(self.owner_url, settings) as trail:
            by = console(DEFAULT_LEDGER, datetime.now(UTC), "tests")
            _, key = await trail.create_credential.create(by, f"A {role}", role)
        return key

    async def kill_worker(self) -> None:
        """SIGKILL for one worker, which its parent replaces."""
        os.kill(min(self.workers), signal.SIGKILL)

    async def kill_all(self) -> None:
        """SIGKILL for the parent and all workers at once; then the service is started again."""
        doomed = self.workers
        self.parent.kill()
        for worker in doomed:
            os.kill(worker, signal.SIGKILL)
        await self.parent.wait()
        await self.start()

    async def kill_parent(self) -> None:
        """SIGKILL for the parent alone: the workers end by themselves; then the service is started again."""
        orphans = self.workers
        self.parent.kill()
        await self.parent.wait()
        async with asyncio.timeout(_START_SECONDS):
            while any(map(is_alive, orphans)):  # noqa: ASYNC110  # Processes of others have no event.
                await asyncio.sleep(_POLL_SECONDS)
        await self.start()

    async def kill_postgres(self) -> None:
        """SIGKILL for the first process of PostgreSQL, which its guardian starts again."""
        pid = postmaster_of(self._folder.cluster)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    async def kill_guardian(self) -> None:
        """SIGKILL for the guardian, which takes PostgreSQL along; a process of the service starts another one."""
        os.kill(self._guardian(), signal.SIGKILL)

    def _guardian(self) -> int:
        return int(json.loads(self._folder.state_file.read_text())["guardian_pid"])

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.parent.terminate()
        return await self.parent.wait()

    def log(self) -> str:
        return self._log.read_text()


@asynccontextmanager
async def service_process(folder: Path, workers: int = 2, **settings: str) -> AsyncIterator[ServiceProcess]:
    """A service that listens, and of which nothing is left at the end."""
    service = ServiceProcess(folder, workers, settings)
    await service.start()
    try:
        yield service
    finally:
        if service.parent.returncode is None and await service.stop() != 0:
            raise AssertionError(service.log())
