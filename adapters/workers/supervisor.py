"""The parent of the workers."""

import asyncio
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from tempfile import TemporaryDirectory

import structlog

from domain.errors import AuditError

_QUICK_END_SECONDS = 10.0
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0)
_STOP_SECONDS = 120.0

log = structlog.get_logger()


class WorkersFailed(AuditError):
    """A worker ended soon after its start, again and again."""


class Supervisor:
    """Keeps workers running. The task of each place alone starts, waits for and ends the process that fills it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        count: int,
        on_end: Callable[[int], None],
    ) -> None:
        """`command` runs a worker, which says where in one line once it serves, and drains and ends upon SIGTERM.

        Its standard input ends with this process. `on_end` is told the process id of each that has ended by itself.
        Make it where it runs, in the loop.
        """
        self._command = command
        self._environment = environment
        self._on_end = on_end
        self._places: list[asyncio.Future[str]] = [asyncio.Future() for _ in range(count)]
        """For each place what the first worker in it has said; at first nothing."""

    async def run(self, stop: asyncio.Event, on_ready: Callable[[str], None]) -> None:
        """Run until told to stop and all workers have drained.

        Once all of them serve, `on_ready` is called with what they have said.

        Raises WorkersFailed, in a group, after the other workers have ended as well.
        """
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._announce(on_ready)),
                *(tasks.create_task(self._keep(place)) for place in self._places),
            ]
            await stop.wait()
            for task in running:
                task.cancel()

    async def _announce(self, on_ready: Callable[[str], None]) -> None:
        said, *_ = [await place for place in self._places]
        on_ready(said)

    async def _keep(self, place: "asyncio.Future[str]") -> None:
        """Keep one place filled."""
        pauses = iter(_PAUSES)
        while True:
            started = time.monotonic()
            async with _worker(self._command, self._environment) as process:
                assert process.stdout is not None
                if (said := await process.stdout.readline()) and not place.done():
                    place.set_result(said.decode().strip())
                code = await process.wait()
            self._on_end(process.pid)
            if time.monotonic() - started > _QUICK_END_SECONDS:
                pauses = iter(_PAUSES)
            pause = _next(pauses, code)
            log.error("worker_ended", process=process.pid, code=code, next_starts_after_seconds=pause)
            await asyncio.sleep(pause)


def _next(pauses: Iterator[float], code: int) -> float:
    for pause in pauses:
        return pause
    raise WorkersFailed(
        f"A worker ended {len(_PAUSES) + 1} times soon after its start, with code {code} the last time: "
        "the log above says why."
    )


@asynccontextmanager
async def _worker(command: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """A worker, which has ended when the block has."""
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdin=PIPE, stdout=PIPE)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            log.warning("worker_does_not_stop", process=process.pid)
            process.kill()
            await process.wait()


@contextmanager
def figures_folder() -> Iterator[Mapping[str, str]]:
    """The variable that lets workers keep their figures where the others find them, in a temporary folder."""
    with TemporaryDirectory(prefix="certinext-audit-figures-") as folder:
        yield {"PROMETHEUS_MULTIPROC_DIR": folder}
