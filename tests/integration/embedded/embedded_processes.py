"""Clients of the embedded database in processes of their own, and a look at the processes behind it."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

PROJECT = Path(__file__).parents[3]


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def guardian_of(data: Path) -> int | None:
    try:
        return int(json.loads((data / "postgres.json").read_text())["guardian_pid"])
    except FileNotFoundError:
        return None


def copied(begun: Path, data: Path) -> Path:
    """A new data folder with a copy of the cluster in another one, where no server runs."""
    data.mkdir(mode=0o700)
    kept = [str(begun / name) for name in ("postgres", "postgres.password")]
    # Unlike `shutil.copytree` it keeps the owner, which is not root even where we are.
    subprocess.run(["cp", "-a", *kept, str(data)], check=True)
    return data


def query(url: str, statement: str) -> object:
    """The first value that the statement gives, if any."""
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


@dataclass(frozen=True)
class Processes:
    """What runs behind a data folder, read while it runs."""

    guardian: int
    postmaster: int
    runtime: Path

    @classmethod
    def of(cls, data: Path) -> "Processes":
        state = json.loads((data / "postgres.json").read_text())
        postmaster = int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        return cls(state["guardian_pid"], postmaster, Path(state["host"]))

    def gone(self) -> bool:
        return not alive(self.guardian) and not alive(self.postmaster)


@dataclass(frozen=True)
class ClientProcess:
    process: subprocess.Popen[str]

    def url(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)


StartClient = Callable[..., ClientProcess]
