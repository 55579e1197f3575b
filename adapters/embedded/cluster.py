"""The making of a cluster: PostgreSQL's data with our user, password and database in it."""

import locale
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.embedded.account import Account
from adapters.embedded.binaries import Programs
from adapters.embedded.errors import EmbeddedPostgresError
from adapters.embedded.folder import DataFolder
from adapters.embedded.process import end_with_parent, reachable_by_child
from adapters.private_files import sync_folder, write_private

USER = "certinext_audit"
DATABASE = "certinext_audit"
_TIMEOUT = 300
_DRAFT_PREFIX = "postgres.new-"
_KEEPS_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(4 * 1024 * 1024), "MALLOC_TRIM_THRESHOLD_": str(8 * 1024 * 1024)}
"""For glibc: a connection keeps a few MB from one statement to the next. To ask the system for them again, page by
page, is a quarter of what the database spends on an export."""


def major_version(folder: DataFolder) -> int | None:
    """The PostgreSQL major version of the data, or None if there is none yet."""
    if not folder.cluster.exists():
        return None
    try:
        return int((folder.cluster / "PG_VERSION").read_text())
    except (OSError, ValueError) as error:
        raise EmbeddedPostgresError(
            f"{folder.cluster} is not PostgreSQL's data: PG_VERSION in it holds no number."
        ) from error


def new_password(folder: DataFolder) -> str:
    password = secrets.token_urlsafe(32)
    write_private(folder.password_file, password + "\n")
    return password


def create_cluster(folder: DataFolder, programs: Programs, account: Account, runtime: Path, password: str) -> None:
    """Initialise beside the final place and rename: a cluster that is in place is complete, and never wiped.

    Raises EmbeddedPostgresError with the words of the program that failed.
    """
    remove_interrupted(folder)
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT_PREFIX, dir=folder.path))
    account.take_over(draft)
    with reachable_by_child(draft) as (descriptor, path):
        with _password_file(runtime, account, password) as password_file:
            _run([str(programs.bin / "initdb"), *_initdb_options(path, password_file)], account, descriptor)
        single_user = ["--single", f"-D{path}", "-cexit_on_error=on", "postgres"]
        _run(
            [str(programs.bin / "postgres"), *single_user],
            account,
            descriptor,
            f"CREATE DATABASE {DATABASE};\n",
        )
    draft.rename(folder.cluster)
    sync_folder(folder.path)


def remove_interrupted(folder: DataFolder) -> None:
    """Remove what interrupted initialisations left; one still on its way out waits for a later call."""
    for draft in folder.path.glob(f"{_DRAFT_PREFIX}*"):
        shutil.rmtree(draft, ignore_errors=True)


def _initdb_options(path: str, password_file: Path) -> list[str]:
    return [
        f"--pgdata={path}",
        f"--username={USER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        _locale_option(),
        "--data-checksums",
        "--no-instructions",
    ]


def _locale_option() -> str:
    """C.UTF-8 knows letters beyond ASCII in every language alike; systems without it get plain C."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "--no-locale"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "--locale=C.UTF-8"


@contextmanager
def _password_file(runtime: Path, account: Account, password: str) -> Iterator[Path]:
    path = runtime / "password"
    write_private(path, password + "\n")
    account.take_over(path)
    try:
        yield path
    finally:
        path.unlink()


def _run(command: list[str], account: Account, descriptor: int, text: str = "") -> None:
    try:
        answer = subprocess.run(
            command,
            check=False,
            cwd="/",
            pass_fds=[descriptor],
            input=text,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            umask=0o077,
            env=environment(),
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
            preexec_fn=end_with_parent(),
        )
    except subprocess.TimeoutExpired as error:
        raise EmbeddedPostgresError(f"{command[0]} did not finish within {_TIMEOUT} s.") from error
    if answer.returncode:
        raise EmbeddedPostgresError(f"{command[0]} failed: {answer.stderr.strip() or answer.stdout.strip()}")


def environment() -> dict[str, str]:
    """Ours without what would steer PostgreSQL: its own variables and the language of a terminal."""
    steering = ("PG", "LC_", "LANG")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return ours | _KEEPS_MEMORY | {"LC_ALL": "C"}
