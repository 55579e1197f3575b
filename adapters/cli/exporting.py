"""`certinext-audit export`: events as a file, from the database itself."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import IO, Annotated, Any

from cyclopts import Parameter
from pydantic import ValidationError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.bootstrap import Trail
from adapters.cli.on_trail import with_trail
from adapters.cli.output import console, print_json, say
from application.export_trail import RunningExport
from application.self_audit import HERE
from domain.credential import Credential
from domain.errors import AuditError
from domain.filters import EventFilter
from domain.values import JsonObject
from domain.words import ExportFormat, Module, Order, Status
from projections.activity_query import Query
from projections.reads import TookTooLong

Texts = Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())]


class CannotExport(AuditError):
    """An export that cannot be made as asked for."""


def export(  # noqa: PLR0913 - each filter is an option of its own.
    *,
    format: ExportFormat = ExportFormat.XLSX,  # noqa: A002 - the option's name.
    output: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    order: Order = Order.OCCURRED,
    user: Texts = None,
    module: Annotated[list[Module] | None, Parameter(consume_multiple=True, negative=())] = None,
    activity: Texts = None,
    status: Annotated[list[Status] | None, Parameter(consume_multiple=True, negative=())] = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    entity: Texts = None,
    source: Texts = None,
    ip: Texts = None,
    correlation_id: Texts = None,
    text: Texts = None,
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
    user
        The beginning of an actor's id or full name.
    module
        The module that the activity belongs to.
    activity
        As certificate.revoked.
    status
        How it ended.
    from_
        Events that occurred at this time (RFC 3339) or later.
    to
        Events that occurred before this time.
    entity
        What was acted on or also affected, as certificate:c-42, or a type.
    source
        The id of the credential that sent the command.
    ip
        The actor's IP address.
    correlation_id
        The story that the event belongs to.
    text
        Words of the description and the details.
    ledger
        The ledger to export; that of CERTINEXT_AUDIT_LEDGER if left out.
    """
    given = {
        "user": user,
        "module": module,
        "activity": activity,
        "status": status,
        "from": from_,
        "to": to,
        "entity": entity,
        "source": source,
        "ip": ip,
        "correlation_id": correlation_id,
        "text": text,
    }
    wanted = _filter(given)
    said: list[str] = []

    async def work(trail: Trail, caller: Credential) -> JsonObject:
        async with trail.services.export_trail.run(caller, wanted, order, format, HERE) as running:
            target = output or Path(running.asked.file_name)
            total = await _total(trail, caller, running, wanted) if str(target) != "-" else None
            with _opened(target) as file, _progress(total, shown=not json and str(target) != "-") as tell:
                async with aclosing(running.chunks()) as chunks:
                    async for chunk in chunks:
                        file.write(chunk)
                        tell(running.rows)
            return _summary(running, target)

    summary = with_trail(ledger, work)
    said.append(f"{summary['rows']:,} events are in {summary['file']}.\nSHA-256 {summary['sha256']}")
    if json:
        print_json(summary) if summary["file"] != "-" else console.print_json(data=summary)
    elif summary["file"] == "-":
        console.print("\n".join(said))
    else:
        say("\n".join(said))
    return 0


def _filter(given: dict[str, Any]) -> EventFilter:
    try:
        return EventFilter.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        item = error.errors(include_url=False, include_context=False)[0]
        name = str(item["loc"][0]) if item["loc"] else "from"
        message = item["msg"].removeprefix("Value error, ")
        raise CannotExport(f"--{name.replace('_', '-')}: {message}: {str(item['input'])[:100]!r}") from None


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
    if str(target) == "-":
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
