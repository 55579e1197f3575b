"""One run of postgres: its settings, its start, its stop."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.account import Account
from adapters.embedded.binaries import Programs
from adapters.embedded.cluster import environment
from adapters.embedded.database import EmbeddedDatabase
from adapters.embedded.errors import EmbeddedPostgresError
from adapters.embedded.folder import DataFolder, open_log
from adapters.embedded.process import end_with_parent, postmaster_of, reachable_by_child

# A fast shutdown writes what is in memory; an immediate one leaves that to the recovery at the next start.
_FAST_SHUTDOWN_SECONDS = 90
_IMMEDIATE_SHUTDOWN_SECONDS = 10
_POLL_SECONDS = 0.02

# Sized for a small machine. What is acknowledged is on disk: fsync and synchronous_commit stay on.
SETTINGS = {
    "cluster_name": "certinext-audit",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_connections": "100",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class Server:
    """How to run postgres on one data folder."""

    folder: DataFolder
    programs: Programs
    account: Account
    database: EmbeddedDatabase
    settings: Mapping[str, str]

    def start(self) -> subprocess.Popen[bytes]:
        """Start postgres as a child that ends with us; call it from the main thread."""
        with (
            reachable_by_child(self.folder.cluster) as (descriptor, path),
            open_log(self.folder.postgres_log) as log,
        ):
            return subprocess.Popen(
                [str(self.programs.bin / "postgres"), "-D", path, *self._options()],
                cwd="/",
                pass_fds=[descriptor],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                umask=0o077,
                env=environment(),
                user=self.account.uid,
                group=self.account.gid,
                extra_groups=self.account.groups,
                # There is no other way to say this, and the threads beside us only wait in the kernel.
                preexec_fn=end_with_parent(),  # noqa: PLW1509
            )

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        def ended(seconds: float) -> bool:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                return False
            return True

        self._shut_down(process.send_signal, ended)

    def stop_survivor(self) -> None:
        """Stop the server that a killed guardian may have left on this data."""
        pid = postmaster_of(self.folder.cluster)
        if pid is None:
            return

        def ended(seconds: float) -> bool:
            deadline = time.monotonic() + seconds
            while postmaster_of(self.folder.cluster) == pid and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
            return postmaster_of(self.folder.cluster) != pid

        self._shut_down(lambda number: os.kill(pid, number), ended)

    def _shut_down(self, send: Callable[[signal.Signals], None], ended: Callable[[float], bool]) -> None:
        ways = ((signal.SIGINT, _FAST_SHUTDOWN_SECONDS), (signal.SIGQUIT, _IMMEDIATE_SHUTDOWN_SECONDS))
        for number, seconds in ways:
            try:
                send(number)
            except ProcessLookupError:
                return
            if ended(seconds):
                return
        raise EmbeddedPostgresError(
            f"The PostgreSQL of {self.folder.path} does not stop: see {self.folder.postgres_log}."
        )

    def _options(self) -> list[str]:
        place = {
            "listen_addresses": "",
            "port": str(self.database.port),
            "unix_socket_directories": f'"{Path(self.database.host)}"',
            "unix_socket_permissions": "0700",
        }
        return [f"--{name}={value}" for name, value in (SETTINGS | dict(self.settings) | place).items()]
