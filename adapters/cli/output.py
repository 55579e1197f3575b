"""What the commands print: words for people, JSON for machines, complaints on the standard error."""

import asyncio
import os
import select
import sys
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

console = Console(stderr=True, highlight=False)
plain = Console(highlight=False)
"""For tables that are the answer itself."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_bytes(data: bytes) -> None:
    """Bytes as they are; on a terminal without what would command it."""
    if sys.stdout.isatty():
        say(printable(data.decode(errors="backslashreplace")))
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


async def write_out(text: str) -> None:
    """Write to the standard output when it takes something, and let others work meanwhile.

    Raises BrokenPipeError if nobody reads it any more.
    """
    sys.stdout.flush()
    descriptor, data = sys.stdout.fileno(), text.encode()
    for start in range(0, len(data), select.PIPE_BUF):
        await _writable(descriptor)
        # A pipe that is writable takes so much at once.
        _write_all(descriptor, data[start : start + select.PIPE_BUF])


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    writable = asyncio.Event()
    try:
        loop.add_writer(descriptor, writable.set)
    except PermissionError:
        return  # A file, which always is.
    try:
        await writable.wait()
    finally:
        loop.remove_writer(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def printable(text: str) -> str:
    """Text of a stranger's, in which control characters are written out."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def print_json(value: Any) -> None:
    """One object on one line."""
    say(orjson.dumps(value).decode())


def tell_of_new_database(folder: Path) -> None:
    complain(f"a new embedded database is begun in {folder}")


def complain(text: str) -> None:
    sys.stderr.write(f"certinext-audit: {text}\n")
