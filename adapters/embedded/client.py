"""Joining the embedded PostgreSQL of a data folder, and leaving it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from adapters.embedded.database import EmbeddedDatabase, Readiness
from adapters.embedded.errors import EmbeddedPostgresError
from adapters.embedded.folder import DataFolder, last_line, open_log
from adapters.embedded.locks import FileLock
from adapters.embedded.succession import succession

_START_SECONDS = 60.0
_RECOVERY_SECONDS = 3600.0
_STOP_SECONDS = 120.0
_LOCK_SECONDS = 10.0
_POLL_SECONDS = 0.01
_NONE: Mapping[str, str] = MappingProxyType({})


@contextmanager
def embedded_postgres(
    data_dir: Path, settings: Mapping[str, str] = _NONE, begin: Callable[[Path], None] = lambda _: None
) -> Iterator[EmbeddedDatabase]:
    """Join the PostgreSQL of data_dir, starting it if needed; it stops when its last user has left.

    Blocks until the server takes connections, which after a crash is when it has recovered. `settings` are
    settings of PostgreSQL (as in postgresql.conf) that go before ours; they count only for who starts the
    server, not for who joins a running one. `begin` is called with the folder before data is begun in it; what
    it raises leaves everything untouched. During the block a server whose guardian is gone is started again, at
    the same place. The last user to leave waits until the server has stopped.

    Raises EmbeddedPostgresError with the reason if it does not start, as with data of another major version.
    """
    if not (folder := DataFolder.at(data_dir)).is_begun:
        begin(folder.path)
    folder = DataFolder.open(data_dir)
    with FileLock(folder.clients_lock) as clients:
        if not clients.wait_shared_for(_STOP_SECONDS):
            raise EmbeddedPostgresError(
                f"The PostgreSQL of {folder.path} is not done with stopping: {_see_logs(folder)}"
            )
        try:
            database = _join(folder, settings)
            with succession(lambda: _start_guardian_unless_one_runs(folder, settings) is not None):
                yield database
        finally:
            _leave(folder, clients)


def _join(folder: DataFolder, settings: Mapping[str, str]) -> EmbeddedDatabase:
    started = time.monotonic()
    patience = _START_SECONDS
    guardian: subprocess.Popen[bytes] | None = None
    while time.monotonic() - started < patience:
        if guardian is not None and guardian.poll():
            raise EmbeddedPostgresError(_reason(folder))
        # One that fails lets go of its lock before it ends: only its end says whether it failed.
        if guardian is None or guardian.poll() == 0:
            guardian = _start_guardian_unless_one_runs(folder, settings)
        database = folder.published()
        readiness = database.readiness() if database else Readiness.ABSENT
        if database and readiness is Readiness.READY:
            return database
        if readiness is Readiness.RECOVERING:
            patience = _RECOVERY_SECONDS
        time.sleep(_POLL_SECONDS)
    raise EmbeddedPostgresError(
        f"The PostgreSQL of {folder.path} does not answer after {patience:.0f} s: {_see_logs(folder)}"
    )


def _leave(folder: DataFolder, clients: FileLock) -> None:
    """Wait for the server's end if nobody else uses it.

    The guardian stops it anyway, but a container whose main process ends takes all others with it.
    """
    deadline = time.monotonic() + _STOP_SECONDS
    while not clients.held_shared_by_others() and not _is_over(folder) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _is_over(folder: DataFolder) -> bool:
    """Whether no guardian runs; then what one that ended before its clients has left is removed."""
    with _looking_at_guardian(folder), FileLock(folder.guardian_lock) as lock:
        if not lock.try_exclusive():
            return False
        folder.withdraw()
        return True


def _start_guardian_unless_one_runs(folder: DataFolder, settings: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
    """Past this, a published state is that of a living guardian: what a killed one left is published no longer."""
    with _looking_at_guardian(folder), FileLock(folder.guardian_lock) as lock:
        if not lock.try_exclusive():
            return None
        folder.retire()
        return _start_guardian(folder, settings, lock)


@contextmanager
def _looking_at_guardian(folder: DataFolder) -> Iterator[None]:
    """To see whether the guardian's lock is free one must take it, and two who do so at once are misled."""
    with FileLock(folder.start_lock) as lock:
        if not lock.wait_exclusive_for(_LOCK_SECONDS):
            raise EmbeddedPostgresError(f"{folder.start_lock} is held for more than {_LOCK_SECONDS:.0f} s.")
        yield


def _start_guardian(folder: DataFolder, settings: Mapping[str, str], lock: FileLock) -> subprocess.Popen[bytes]:
    """Start a guardian in a session of its own, away from our terminal's signals, and leave it the lock."""
    command = [sys.executable, "-m", "adapters.embedded.guardian", str(folder.path)]
    command += [
        f"--lock-descriptor={lock.fileno()}",
        *(f"--setting={name}={value}" for name, value in settings.items()),
    ]
    with open_log(folder.guardian_log) as log:
        guardian = subprocess.Popen(
            command,
            cwd="/",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[lock.fileno()],
        )
    # Reaped whenever it ends, since it may outlast this use of the database but not this process.
    threading.Thread(target=guardian.wait, daemon=True).start()
    return guardian


def _reason(folder: DataFolder) -> str:
    words = last_line(folder.guardian_log) or "no reason given"
    return f"The PostgreSQL of {folder.path} did not start: {words} ({_see_logs(folder)})"


def _see_logs(folder: DataFolder) -> str:
    return f"see {folder.guardian_log} and {folder.postgres_log}"
