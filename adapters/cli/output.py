"""What the commands print: words for people, JSON for machines, complaints on the standard error."""

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
