"""The process that owns the PostgreSQL of one data folder, from its first client to its last.

Started by a client, which takes the guardian's lock and leaves it to us, so there is exactly one of us. It
stops postgres when nobody holds the clients' lock any more and restarts it when it falls over. If this
process is killed, the kernel interrupts postgres, and a client starts a successor.
"""

import argparse
import enum
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from adapters.embedded.account import Account
from adapters.embedded.binaries import find_programs
from adapters.embedded.cluster import (
    DATABASE,
    USER,
    create_cluster,
    major_version,
    new_password,
    remove_interrupted,
)
from adapters.embedded.database import EmbeddedDatabase
from adapters.embedded.errors import EmbeddedPostgresError
from adapters.embedded.folder import DataFolder, last_line
from adapters.embedded.locks import FileLock
from adapters.embedded.runtime import new_runtime_folder, retaken
from adapters.embedded.server import Server

_PORT = 5432
_QUICK_FAILURE_SECONDS = 10
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0)


class Event(enum.Enum):
    CLIENTS_GONE = enum.auto()
    TOLD_TO_STOP = enum.auto()
    SERVER_ENDED = enum.auto()


class Guardian:
    def __init__(self, folder: DataFolder, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._settings = settings
        self._clients = FileLock(folder.clients_lock)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._alone = threading.Event()
        """Set when nobody holds the clients' lock any more."""

    def run(self) -> None:
        """Serve until the last client has left, still holding the clients' lock on return.

        Newcomers wait at that lock until this process has ended, so none meets a server on its way out.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._events.put(Event.TOLD_TO_STOP))
        threading.Thread(target=self._watch_clients, daemon=True).start()
        account = Account.for_cluster(self._folder.cluster)
        version = major_version(self._folder)
        programs = find_programs(account, version)
        password = new_password(self._folder) if version is None else self._folder.password()
        with self._published(account, password) as database:
            if version is None:
                create_cluster(self._folder, programs, account, Path(database.host), password)
            remove_interrupted(self._folder)
            server = Server(self._folder, programs, account, database, self._settings)
            server.stop_survivor()
            self._keep_running(server)

    def _watch_clients(self) -> None:
        self._clients.wait_exclusive()
        self._alone.set()
        self._events.put(Event.CLIENTS_GONE)

    @contextmanager
    def _published(self, account: Account, password: str) -> Iterator[EmbeddedDatabase]:
        """Publish before anything is in the runtime folder, so that a successor finds it if we are killed.

        Clients that we leave behind find the successor at the same place.
        """
        runtime = retaken(self._folder.retired(), account) or new_runtime_folder(account)
        database = EmbeddedDatabase(str(runtime), _PORT, USER, password, DATABASE)
        self._folder.publish(database)
        try:
            yield database
        finally:
            if self._alone.is_set():
                self._folder.withdraw()
            else:
                self._folder.retire()

    def _keep_running(self, server: Server) -> None:
        pauses = iter(_PAUSES)
        while True:
            started = time.monotonic()
            process = server.start()
            _log(f"started PostgreSQL, process {process.pid}")
            threading.Thread(target=self._watch_server, args=(process,), daemon=True).start()
            event = self._events.get()
            if event is not Event.SERVER_ENDED:
                _log(f"stopping PostgreSQL: {event.name}")
                server.stop(process)
                return
            if time.monotonic() - started > _QUICK_FAILURE_SECONDS:
                pauses = iter(_PAUSES)
            _log(f"PostgreSQL ended by itself with code {process.returncode}")
            if self._told_to_leave_within(self._next_pause(pauses)):
                return

    def _next_pause(self, pauses: Iterator[float]) -> float:
        for pause in pauses:
            return pause
        log = self._folder.postgres_log
        raise EmbeddedPostgresError(
            f"PostgreSQL of {self._folder.path} ended {len(_PAUSES) + 1} times soon after its start; "
            f"the last words in {log} are: {last_line(log)}"
        )

    def _told_to_leave_within(self, seconds: float) -> bool:
        try:
            self._events.get(timeout=seconds)
        except queue.Empty:
            return False
        return True

    def _watch_server(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._events.put(Event.SERVER_ENDED)


def _log(text: str) -> None:
    """One line for each event: the last one tells a client why we failed."""
    sys.stdout.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {'; '.join(text.splitlines())}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="adapters.embedded.guardian")
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--lock-descriptor", type=int, required=True)
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    folder = DataFolder(options.data_dir)
    lock = FileLock.adopt(options.lock_descriptor)
    try:
        Guardian(folder, dict(setting.split("=", 1) for setting in options.setting)).run()
    except EmbeddedPostgresError as error:
        _log(str(error))
        return 1
    finally:
        # Before the clients' lock, which ends with the process: who gets that one must find this one free.
        lock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
