"""Files that belong to the service's account alone, written so that a power failure leaves the old or the new."""

import contextlib
import os
import secrets
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replace `path` in one step, durably, with mode 0600."""
    draft = _draft(path, text)
    draft.replace(path)
    sync_folder(path.parent)


def create_private(path: Path, text: str) -> None:
    """Make `path` in one step, durably, with mode 0600, in a folder that is made if missing.

    If there is such a file already it stays.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft(path, text)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make renames in this folder survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _draft(path: Path, text: str) -> Path:
    """The text in a file of its own beside `path`, so that two who write at once do not meet."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft
