"""The command line, run as its users run it: in a process of its own.

To import all of the service takes seconds, so most of these processes are forked from one that has done it once.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from tests.patience import PATIENCE

PROGRAM = Path(sys.executable).with_name("certinext-audit")
_PREFIX = "CERTINEXT_AUDIT_"

_context = multiprocessing.get_context("forkserver")
# With what some commands import only when they need it.
_context.set_forkserver_preload(["adapters.cli.main", "adapters.postgres.migrations.upgrade", "pytest"])


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    complaint: str

    @property
    def json(self) -> list[Any]:
        """The objects that it printed, one a line."""
        return [orjson.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Running:
    """A command that runs, with its output in files."""

    process: ForkServerProcess
    folder: "TemporaryDirectory[str]" = field(repr=False)

    @property
    def out(self) -> str:
        return (Path(self.folder.name) / "out").read_text()

    async def first_line(self) -> str:
        """What it says first."""
        async with asyncio.timeout(PATIENCE):
            while "\n" not in self.out:
                assert self.process.is_alive(), (Path(self.folder.name) / "err").read_text()
                await asyncio.sleep(0.02)
        return self.out.splitlines()[0]

    async def interrupted(self) -> Ended:
        """Its end after Ctrl-C."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGINT)
        return await self.end()

    async def end(self) -> Ended:
        """Wait for its end."""
        await asyncio.to_thread(self.process.join, PATIENCE)
        assert self.process.exitcode is not None, "it does not end"
        return Ended(self.process.exitcode, self.out, (Path(self.folder.name) / "err").read_text())


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with no settings of the service but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}
    return kept | {_PREFIX + name.upper(): value for name, value in settings.items()}


def start(*arguments: str | bytes, settings: Mapping[str, str], out: str | None = None) -> Running:
    """`out` is the path of a pipe or a terminal that has its output, instead of a file."""
    folder = TemporaryDirectory(ignore_cleanup_errors=True)  # What was killed may have children that still write.
    for name in ("out", "err"):
        (Path(folder.name) / name).touch()
    variables = environment(**{"data_dir": f"{folder.name}/data", **settings})
    outputs = (out or f"{folder.name}/out", f"{folder.name}/err")
    process = _context.Process(target=_main, args=([*map(os.fsdecode, arguments)], variables, outputs))
    process.start()
    return Running(process, folder)


async def run(*arguments: str | bytes, settings: Mapping[str, str]) -> Ended:
    """Run a command to its end."""
    running = start(*arguments, settings=settings)
    try:
        return await running.end()
    finally:
        discard(running)


@dataclass(frozen=True)
class Serving:
    """A service that runs in a process."""

    running: Running
    address: str

    async def stop(self) -> Ended:
        """Tell it to stop, and wait until it has."""
        self.running.process.terminate()
        return await self.running.end()


@asynccontextmanager
async def serving(settings: Mapping[str, str], *arguments: str) -> AsyncIterator[Serving]:
    """`serve`, from the line on in which it says where it listens."""
    running = start("serve", *arguments, settings={"port": "0", **settings})
    try:
        line = await running.first_line()
        assert line.startswith("The audit trail listens on http://127.0.0.1:")
        yield Serving(running, line.split()[-1])
    finally:
        discard(running)


def discard(running: Running) -> None:
    if running.process.is_alive():
        running.process.kill()
    running.process.join()
    running.process.close()
    running.folder.cleanup()


def _main(arguments: list[str], variables: dict[str, str], outputs: tuple[str, str]) -> None:
    """What the console script does, with this command line, environment and output."""
    from adapters.cli.main import main  # noqa: PLC0415  # Forked with it.

    for descriptor, path in enumerate(outputs, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), descriptor)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = [PROGRAM.name, *arguments]
    main()
