"""`certinext-audit export`: events as a file, from the database itself."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import IO, Annotated

from cyclopts import Parameter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.bootstrap import Trail
from adapters.cli.filter_options import FilterOptions, wanted_by
from adapters.cli.on_trail import with_trail
from adapters.cli.output import console, print_json, say
from application.export_trail import RunningExport
from application.self_audit import HERE
from domain.credential import Credential
from domain.errors import AuditError
from domain.filters import EventFilter
from domain.values import JsonObject
from domain.words import ExportFormat, Order
from projections.activity_query import Query
from projections.reads import TookTooLong

_NO_FILTER = FilterOptions()
_STANDARD_OUTPUT = "-"


class CannotExport(AuditError):
    """An export that cannot be made as asked for."""


def export(
    *,
    filters: Annotated[FilterOptions, Parameter(name="*")] = _NO_FILTER,
    format: ExportFormat = ExportFormat.XLSX,  # noqa: A002 - the option's name.
    output: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    order: Order = Order.OCCURRED,
    ledger: str | None = None,
    json: bool = False,
) -> int:
    """Export the events that fit all filters to a file, which `certinext-audit verify` checks.

    Parameters
    ----------
    format
        xlsx and jsonl verify themselves; csv does not.
    output
        The file, or - for the standard output; a telling name in this folder if left out.
    order
        occurred: newest first. recorded: by position, oldest first.
    ledger
        The ledger to export; that of CERTINEXT_AUDIT_LEDGER if left out.
    json
        Say as JSON what was exported.
    """
    wanted = wanted_by(filters)

    async def work(trail: Trail, caller: Credential) -> JsonObject:
        async with trail.services.export_trail.run(caller, wanted, order, format, HERE) as running:
            target = output or Path(running.asked.file_name)
            total = await _total(trail, caller, running, wanted) if str(target) != _STANDARD_OUTPUT else None
            with _opened(target) as file, _progress(total, shown=not json and str(target) != _STANDARD_OUTPUT) as tell:
                async with aclosing(running.chunks()) as chunks:
                    async for chunk in chunks:
                        file.write(chunk)
                        tell(running.rows)
            return _summary(running, target)

    _tell_of(with_trail(ledger, work), json=json)
    return 0


def _tell_of(summary: JsonObject, *, json: bool) -> None:
    """Beside the file, if that went to the standard output."""
    beside = summary["file"] == _STANDARD_OUTPUT
    if json:
        console.print_json(data=summary) if beside else print_json(summary)
    else:
        told = f"{summary['rows']:,} events are in {summary['file']}.\nSHA-256 {summary['sha256']}"
        console.print(told) if beside else say(told)


async def _total(trail: Trail, caller: Credential, running: RunningExport, wanted: EventFilter) -> int | None:
    """How many rows there will be, if that can be counted soon."""
    query = Query(wanted, None, running.position)
    try:
        return await trail.services.reads.count(caller.ledger, query)
    except TookTooLong:
        return None


@contextmanager
def _opened(target: Path) -> Iterator[IO[bytes]]:
    """The file, which has its name only once it is whole: what was broken off leaves nothing that looks like one."""
    if str(target) == _STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise CannotExport(f"--output: {target} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _progress(total: int | None, *, shown: bool) -> Iterator[Callable[[int], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not shown) as bar:
        task = bar.add_task("Exporting", total=total, pace="")

        def tell(rows: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0
            bar.update(task, completed=rows, pace=f"{rows / elapsed:,.0f} rows/s" if elapsed else "")

        yield tell


def _summary(running: RunningExport, target: Path) -> JsonObject:
    return {
        "export_id": running.asked.export_id,
        "file": str(target),
        "format": running.asked.format,
        "rows": running.rows,
        "position": running.position,
        "sha256": running.sha256.hex(),
    }
