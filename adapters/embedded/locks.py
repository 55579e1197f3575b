"""Advisory locks on files, which the kernel releases however their holder ends.

Each `FileLock` opens its file anew, and a lock belongs to that opening: two in one process exclude each other
as two processes do, and a child that inherits the descriptor holds the same lock. Python's descriptors close
on `exec`, so only who is given one on purpose inherits it.
"""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters.embedded.errors import EmbeddedPostgresError

_POLL_SECONDS = 0.01


class FileLock:
    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise EmbeddedPostgresError(f"{path} cannot be opened: {error.strerror}.") from error

    @classmethod
    def adopt(cls, descriptor: int) -> Self:
        """The lock that our parent took and left to us, kept from our own children."""
        lock = cls.__new__(cls)
        lock._descriptor = descriptor  # noqa: SLF001  # Our own, made without opening the file again.
        os.set_inheritable(descriptor, False)  # noqa: FBT003  # The library's signature.
        return lock

    def fileno(self) -> int:
        return self._descriptor

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def wait_exclusive(self) -> None:
        """Block, in a thread of its own, for as long as it takes."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def wait_shared_for(self, seconds: float) -> bool:
        return self._retry(fcntl.LOCK_SH, seconds)

    def wait_exclusive_for(self, seconds: float) -> bool:
        return self._retry(fcntl.LOCK_EX, seconds)

    def release(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def held_shared_by_others(self) -> bool:
        """Whether somebody else holds it shared; gives up a hold of our own to find out."""
        others = not self.try_exclusive() and self.try_shared()
        self.release()
        return others

    def close(self) -> None:
        """Let go of our opening: the lock stays with a child that was given the descriptor."""
        os.close(self._descriptor)

    def _retry(self, mode: int, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self._try(mode):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _try(self, mode: int) -> bool:
        try:
            fcntl.flock(self._descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
