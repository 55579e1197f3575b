"""The files of one data folder: what each is for, and who may read it."""

import contextlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from adapters.embedded.database import EmbeddedDatabase
from adapters.embedded.errors import EmbeddedPostgresError
from adapters.private_files import write_private

RUNTIME_PREFIX = "certinext-audit-"


@dataclass(frozen=True)
class DataFolder:
    """A data folder; everything in it belongs to the owner alone, and nothing outside it is changed."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> "DataFolder":
        """The folder at `path`, which need not be there."""
        return cls(path.expanduser().resolve())

    @classmethod
    def open(cls, path: Path) -> "DataFolder":
        """The folder at `path`, made with mode 0700 if missing; the mode of one that exists is left alone."""
        resolved = cls.at(path).path
        try:
            resolved.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddedPostgresError(f"The data folder {resolved} cannot be made: {error.strerror}.") from error
        if not os.access(resolved, os.R_OK | os.W_OK | os.X_OK):
            raise EmbeddedPostgresError(f"The data folder {resolved} is not writable for user id {os.geteuid()}.")
        return cls(resolved)

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data; it is here only once its initialisation is complete."""
        return self.path / "postgres"

    @property
    def password_file(self) -> Path:
        return self.path / "postgres.password"

    @property
    def state_file(self) -> Path:
        """How to reach the server, as long as a guardian runs."""
        return self.path / "postgres.json"

    @property
    def retired_state_file(self) -> Path:
        """How the server of a guardian that ended before its clients was reached: its successor takes that place."""
        return self.path / "postgres.last.json"

    @property
    def is_begun(self) -> bool:
        """Whether a cluster is here, or on its way."""
        return self.cluster.exists() or self.state_file.exists()

    @property
    def postgres_log(self) -> Path:
        return self.path / "postgres.log"

    @property
    def guardian_log(self) -> Path:
        return self.path / "guardian.log"

    @property
    def clients_lock(self) -> Path:
        """Held shared by each client for as long as it lives, and exclusively by a guardian that ends."""
        return self.path / "clients.lock"

    @property
    def guardian_lock(self) -> Path:
        """Held exclusively by the one guardian."""
        return self.path / "guardian.lock"

    @property
    def start_lock(self) -> Path:
        """Held exclusively for the moment in which somebody looks at `guardian_lock`."""
        return self.path / "start.lock"

    def publish(self, database: EmbeddedDatabase) -> None:
        state = asdict(database) | {"guardian_pid": os.getpid()}
        write_private(self.state_file, json.dumps(state, indent=2) + "\n")

    def published(self) -> EmbeddedDatabase | None:
        return _read(self.state_file)

    def retire(self) -> None:
        """Publish no longer, but keep the runtime folder for a successor; only who holds the guardian's lock may."""
        with contextlib.suppress(FileNotFoundError):
            self.state_file.replace(self.retired_state_file)

    def retired(self) -> Path | None:
        """The runtime folder that was kept."""
        database = _read(self.retired_state_file)
        return None if database is None else Path(database.host)

    def withdraw(self) -> None:
        """Remove what is published or retired, with its runtime folder; only who holds the guardian's lock may."""
        for file in (self.state_file, self.retired_state_file):
            database = _read(file)
            if database is not None and Path(database.host).name.startswith(RUNTIME_PREFIX):
                shutil.rmtree(database.host, ignore_errors=True)
            with contextlib.suppress(FileNotFoundError):
                file.unlink()

    def password(self) -> str:
        try:
            return self.password_file.read_text().strip()
        except FileNotFoundError:
            raise EmbeddedPostgresError(
                f"{self.password_file} is missing, and without it the database in {self.cluster} cannot be "
                "opened: restore it from a backup."
            ) from None


def _read(state_file: Path) -> EmbeddedDatabase | None:
    try:
        state = json.loads(state_file.read_text())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EmbeddedPostgresError(f"{state_file} cannot be read: {error.strerror}.") from error
    return EmbeddedDatabase(state["host"], state["port"], state["user"], state["password"], state["database"])


def open_log(path: Path, keep_bytes: int = 16 * 1024 * 1024) -> IO[bytes]:
    """A file that appends to `path`; a log that has grown large is set aside once, as `<name>.1`."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > keep_bytes:
            path.replace(path.with_name(path.name + ".1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def last_line(path: Path, window: int = 4096) -> str:
    """The last line of a log that says something, for an error message."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - window))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")
    return ""
