"""The folder in which the server has its socket, with a short name, that only the server's account may enter."""

import os
import stat
import tempfile
from pathlib import Path

from adapters.embedded.account import Account
from adapters.embedded.errors import EmbeddedPostgresError
from adapters.embedded.folder import RUNTIME_PREFIX

# The name of a Unix socket is limited to 107 bytes: this leaves room for our folder and the socket in it.
_LONGEST_TEMPORARY_FOLDER = 60


def new_runtime_folder(account: Account) -> Path:
    # What is made there is a new folder of ours alone.
    for parent in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108
        if len(bytes(parent)) <= _LONGEST_TEMPORARY_FOLDER and _may_enter(account, parent):
            runtime = Path(tempfile.mkdtemp(prefix=RUNTIME_PREFIX, dir=parent))
            account.take_over(runtime)
            return runtime
    raise EmbeddedPostgresError("There is no temporary folder with a short path for PostgreSQL's socket: set TMPDIR.")


def retaken(runtime: Path | None, account: Account) -> Path | None:
    """The folder of a guardian before us, emptied, or made again; None if it is not the account's alone any more.

    Clients that are still there know no other place.
    """
    if runtime is None:
        return None
    try:
        try:
            runtime.mkdir(mode=0o700)
            account.take_over(runtime)
        except FileExistsError:
            _empty(runtime, os.geteuid() if account.uid is None else account.uid)
    except OSError:
        return None
    return runtime


def _empty(folder: Path, owner: int) -> None:
    """Remove the files in a folder of this owner's. Raises OSError if it is a link, another's, or open to others."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != owner or stat.S_IMODE(status.st_mode) & 0o077:
            raise PermissionError(f"{folder} is not the server's alone")
        for name in os.listdir(descriptor):  # noqa: PTH208  # By its descriptor, which nobody can exchange.
            os.unlink(name, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def _may_enter(account: Account, folder: Path) -> bool:
    return not account.differs_from_ours or all(
        place.stat().st_mode & 0o001 for place in (folder.resolve(), *folder.resolve().parents)
    )
