"""`certinext-audit tail`: events in the terminal or into a pipe, as they are recorded.

It reads the database, as all commands do, and so works whether or not a server runs.
"""

import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

import orjson
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.text import Text

from adapters import bootstrap
from adapters.bootstrap import Trail
from adapters.cli.filter_options import FilterOptions, wanted_by
from adapters.cli.output import printable, write_out
from adapters.cli.running import account, run, settings, until
from application.credentials import checked_ledger
from application.credentials import console as console_caller
from application.self_audit import HERE
from domain.credential import Credential
from domain.errors import AuditError
from domain.filters import EventFilter
from domain.values import LARGEST_INTEGER
from domain.words import Position, Status
from projections.activity_query import Query, Row
from projections.feed import answered
from projections.reads import AT_ONCE

_PAGE = 200
_NO_FILTER = FilterOptions()
_COLOURS = {Status.SUCCESS: "green", Status.FAILURE: "bold red"}


class BeyondTheEnd(AuditError):
    """A position that the ledger does not have yet."""


Render: TypeAlias = Callable[[Sequence[Row]], str]


def tail(
    *,
    filters: Annotated[FilterOptions, Parameter(name="*")] = _NO_FILTER,
    after: Annotated[int | None, Parameter(validator=Number(gte=0, lte=LARGEST_INTEGER))] = None,
    ledger: str | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Follow events as they are recorded, until Ctrl-C. Filters may be given several times.

    Parameters
    ----------
    after
        Begin behind this position; without it, with what is recorded from now on.
    ledger
        The ledger to follow; that of CERTINEXT_AUDIT_LEDGER if left out.
    json
        One event a line, as JSON.
    """
    configured = settings()
    wanted = wanted_by(filters)
    caller = console_caller(checked_ledger(ledger or configured.ledger), datetime.now(UTC), account())

    async def connected(url: str) -> None:
        stop = bootstrap.stop_signal()
        async with bootstrap.following(url, configured) as trail:
            start = await _start(trail, caller, wanted, after)
            await until(stop, _follow(trail, caller, wanted, start, _as_json if json else _Lines().render))

    with bootstrap.database(configured) as url:
        try:
            run(connected(url))
        except BrokenPipeError:
            # Who read us has left, as `head` does. What is left in the buffer must not complain at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


async def _start(trail: Trail, caller: Credential, wanted: EventFilter, after: int | None) -> Position:
    """Record that somebody follows, and give the position to begin behind."""
    reads = trail.services.reads
    head = await reads.head(caller.ledger)
    if after is not None and after > head:
        raise BeyondTheEnd(f"--after: must not be beyond the ledger's last position, which is {head}")
    start = head if after is None else Position(after)
    await trail.self_audit.subscribed(caller, wanted.as_json(), start, HERE)
    return start


async def _follow(trail: Trail, caller: Credential, wanted: EventFilter, seen: Position, render: Render) -> None:
    query = Query(wanted)
    reads = trail.services.reads
    async with trail.services.feed.opened(caller.ledger) as broadcast:
        while True:
            after = seen
            rows, seen, _ = await answered(
                lambda after=after: reads.by_position(caller.ledger, query, after, _PAGE, AT_ONCE)  # type: ignore[misc]
            )
            if rows:
                await write_out(render(rows))
            elif seen == after:
                await trail.services.feed.something_new(broadcast, query, seen)


def _as_json(rows: Sequence[Row]) -> str:
    return "".join(f"{row.event}\n" for row in rows)


class _Lines:
    """Lines for people, with colours where the standard output is a terminal."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)

    def render(self, rows: Sequence[Row]) -> str:
        with self._console.capture() as capture:
            for row in rows:
                self._console.print(_line(orjson.loads(row.event)))
        return capture.get()


def _line(event: Any) -> Text:
    """Position, time, outcome and activity, in columns, and the sentence."""
    moment = str(event["occurred_at"])[:19].replace("T", " ")
    return Text.assemble(
        (f"{event['position']:>8}  ", "dim"),
        (f"{moment}  ", "cyan"),
        (f"{event['status']:<7}  ", _COLOURS[Status(event["status"])]),
        (f"{event['activity']:<28}  ", "magenta"),
        printable(event["description"]),
    )
