"""`python -m benchmarks [names...] [--quick] [--json]`: run the benchmarks and print their figures."""

import argparse
import contextlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from rich.console import Console

from adapters.cli.running import run
from adapters.embedded import EmbeddedDatabase, embedded_postgres
from adapters.observability.logs import configure_logs
from benchmarks import (
    append_against_copy,
    append_against_recorder,
    append_at_size,
    commanding,
    exporting,
    feeding,
    projecting,
    proving,
    reconstructing,
    searching,
    streaming,
    verifying,
    viewing,
)
from benchmarks.bench import Bench
from benchmarks.figures import Figure, table

_BENCHMARKS: Mapping[str, Callable[[Bench], Awaitable[Sequence[Figure]]]] = {
    "append": append_against_copy.run,
    "recorder": append_against_recorder.run,
    "size": append_at_size.run,
    "projections": projecting.run,
    "search": searching.run,
    "commands": commanding.run,
    "proofs": proving.run,
    "memory": streaming.run,
    "verify": verifying.run,
    "reconstruct": reconstructing.run,
    "exports": exporting.run,
    "feed": feeding.run,
    "page": viewing.run,
}
_SETTINGS = ("server_version", "fsync", "synchronous_commit", "shared_buffers")


def main() -> None:
    arguments = _arguments()
    progress = Console(stderr=True)
    started = time.monotonic()

    def tell(text: str) -> None:
        progress.print(f"[dim]{time.monotonic() - started:6.0f} s[/]  {text}", highlight=False, soft_wrap=True)

    with tempfile.TemporaryDirectory(prefix="certinext-bench-") as name:
        folder = Path(name)
        with embedded_postgres(folder / "postgres") as embedded, _logs_kept(folder / "service.log"):
            bench = Bench(embedded, folder, arguments.quick, tell)
            facts = _facts(embedded)
            figures = [figure for benchmark in arguments.names or _BENCHMARKS for figure in run(_run(bench, benchmark))]
    facts |= {"load at the end": _load(), "took": f"{time.monotonic() - started:.0f} s"}
    _print(facts, figures, as_json=arguments.json)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Figures as ratios, in one run.")
    parser.add_argument("names", nargs="*", metavar="name", choices=[*_BENCHMARKS, []], help=", ".join(_BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="a tenth of the data: to see that they work")
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    return parser.parse_args()


async def _run(bench: Bench, benchmark: str) -> Sequence[Figure]:
    bench.tell(f"[bold]{benchmark}[/]")
    figures = await _BENCHMARKS[benchmark](bench)
    for figure in figures:
        bench.tell(f"[bold]{figure.line()}[/]")
    return figures


@contextlib.contextmanager
def _logs_kept(path: Path) -> Iterator[None]:
    """Let the service log into a file, as in production; what it warns of is shown, since it spoils figures."""
    with path.open("w+") as log:
        with contextlib.redirect_stderr(log):
            configure_logs("info")
        yield
        log.seek(0)
        for line in log:
            if '"level":"info"' not in line:
                sys.stderr.write(line)


def _facts(embedded: EmbeddedDatabase) -> dict[str, str]:
    with psycopg.connect(embedded.url()) as connection:
        shown = {name: connection.execute(f"SHOW {name}".encode()).fetchone() for name in _SETTINGS}
    settings = ", ".join(f"{name} {value[0]}" for name, value in shown.items() if value)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": f"{os.cpu_count()}, shared by the client, the service and PostgreSQL",
        "python": platform.python_version(),
        "postgres": settings,
        "load at the start": _load(),
    }


def _load() -> str:
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


def _print(facts: Mapping[str, str], figures: Sequence[Figure], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"facts": facts, "figures": [figure.as_json() for figure in figures]}, indent=2))
        return
    console = Console(width=None if sys.stdout.isatty() else 200)
    for name, fact in facts.items():
        console.print(f"{name}: {fact}", highlight=False)
    console.print(table(figures))


if __name__ == "__main__":
    main()
