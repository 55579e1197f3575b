"""What the kernel does for us: a child that ends with its parent, and a look at a process by its number."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if _LINUX else None


@contextmanager
def reachable_by_child(folder: Path) -> Iterator[tuple[int, str]]:
    """A descriptor to pass on, and the path under which a child that got it reaches the folder.

    On Linux that path leads straight to the folder, and not through those above it, which the child's account
    may not be allowed to enter. The working directory would not do: up to version 15 PostgreSQL's programs
    leave it for a moment and come back by name.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor, f"/proc/self/fd/{descriptor}" if _LINUX else str(folder)
    finally:
        os.close(descriptor)


def end_with_parent() -> Callable[[], None]:
    """A `preexec_fn` that makes the kernel interrupt the child when the thread that forked it ends.

    Fork from the main thread, then. The setting does not outlast a change of account, which `subprocess`
    makes before it calls us (prctl(2), PR_SET_PDEATHSIG).
    """
    parent = os.getpid()

    def arrange() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT))
            if os.getppid() != parent:
                os._exit(1)

    return arrange


def postmaster_of(cluster: Path) -> int | None:
    """The number of the live postgres that serves this cluster, if its lock file names one.

    A number alone may long belong to a stranger, so the process must be a postgres that works in this folder.
    Where there is no /proc, None: PostgreSQL itself then refuses to start beside another.
    """
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        process = Path(f"/proc/{pid}")
        is_ours = (process / "exe").readlink().name.startswith("postgres") and (process / "cwd").samefile(cluster)
    except (OSError, ValueError):
        return None
    return pid if is_ours else None
