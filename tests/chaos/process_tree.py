"""Processes as the kernel shows them: children, command lines, memory."""

from pathlib import Path


def children(pid: int) -> set[int]:
    """The processes that this one has started and that live."""
    return {int(child) for child in read(pid, f"task/{pid}/children").split()}


def workers_of(parent: int) -> set[int]:
    """The workers of a `serve --workers`."""
    return {child for child in children(parent) if b"adapters.cli.worker" in read(child, "cmdline")}


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not waited for does not."""
    return read(pid, "cmdline") != b""


def resident_bytes(pid: int) -> int:
    """The memory that the process has in use."""
    (line,) = (line for line in read(pid, "status").splitlines() if line.startswith(b"VmRSS:"))
    return int(line.split()[1]) * 1024


def read(pid: int, name: str) -> bytes:
    """A file of the process's; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
