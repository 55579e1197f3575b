"""Does what it is asked on its standard input, one thing after the other, until that ends."""

import gc
import pickle
import signal
import sys
from typing import BinaryIO

from adapters.processes.frames import LENGTH


def main() -> None:
    """Answer with the result or the exception."""
    # A Ctrl-C at the terminal is for the one who asks; we end with the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(100_000, 50, 1000)
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    while message := _read(asked):
        answer = pickle.dumps(_done(message), pickle.HIGHEST_PROTOCOL)
        answers.write(LENGTH.pack(len(answer)))
        answers.write(answer)
        answers.flush()


def _done(message: bytes) -> tuple[bool, object]:
    work, args, kwargs = pickle.loads(message)  # noqa: S301 - from the process that has started us.
    try:
        return True, work(*args, **kwargs)
    except Exception as error:
        return False, error


def _read(asked: BinaryIO) -> bytes | None:
    head = asked.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    message = asked.read(length)
    return message if len(message) == length else None


if __name__ == "__main__":
    main()
