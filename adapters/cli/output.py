"""What the commands print: words for people, JSON for machines, complaints on the standard error."""

import sys
from typing import Any

import orjson
from rich.console import Console

console = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """One object on one line."""
    say(orjson.dumps(value).decode())


def complain(text: str) -> None:
    sys.stderr.write(f"certinext-audit: {text}\n")
