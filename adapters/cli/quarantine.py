"""`certinext-audit quarantine`: what modules sent and nobody could understand."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated
from uuid import UUID

from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.table import Column, Table
from rich.text import Text

from adapters.bootstrap import Trail
from adapters.cli.on_trail import with_trail
from adapters.cli.output import complain, console, print_json, printable, say, say_bytes
from adapters.http.problems import problem_of
from application.record_commands import Answer
from domain.credential import Credential
from domain.errors import AuditError
from domain.quarantined import Quarantined, QuarantineFilter, body_as_json
from domain.receipt import Receipt
from domain.values import JsonObject, rfc3339
from domain.words import Ledger, QuarantineState, Refusal

quarantine = App(name="quarantine", help="List, show and retry commands that could not be understood.")


class NoneChosen(AuditError):
    """What is to be retried was not said, or said twice."""


def _fits(_: object, source: str | None) -> None:
    if source is not None and not 1 <= len(source) <= 256:
        raise ValueError("must be a key's id of 1 to 256 characters")


@quarantine.command(name="list")
def list_quarantine(
    *,
    state: QuarantineState = QuarantineState.WAITING,
    source: Annotated[str | None, Parameter(validator=_fits)] = None,
    kind: Refusal | None = None,
    limit: Annotated[int, Parameter(validator=Number(gte=1, lte=100_000))] = 100,
    ledger: str | None = None,
    json: bool = False,
) -> int:
    """List what is in quarantine, newest first.

    Parameters
    ----------
    state
        waiting, or retried with success.
    source
        The id of the key that sent it.
    kind
        Why it was refused.
    limit
        How many at most.
    ledger
        The ledger that it was sent to; that of CERTINEXT_AUDIT_LEDGER if left out.
    """
    wanted = QuarantineFilter(state=state, source=() if source is None else (source,), kind=(kind,) if kind else ())

    async def work(trail: Trail, caller: Credential) -> Sequence[Quarantined]:
        return await trail.services.quarantine.page(caller.ledger, wanted, None, limit)

    found = with_trail(ledger, work)
    if json:
        for one in found:
            print_json(one.as_json())
        return 0
    # To retry one, its id must be there whole, however narrow the terminal is.
    table = Table(Column("id", no_wrap=True), "received", "times", "source", "kind", "detail", box=None)
    for one in found:
        detail = Text(printable(one.reason.detail[:200]))
        table.add_row(one.id, rfc3339(one.received_at), str(one.count), one.source, one.reason.kind, detail)
    console.print(table)
    return 0


@quarantine.command
def show(quarantine_id: str, /, *, ledger: str | None = None, json: bool = False) -> int:
    """Show what was sent, byte for byte, and why it was refused.

    Parameters
    ----------
    quarantine_id
        Its id, as `quarantine list` shows it.
    ledger
        The ledger that it was sent to; that of CERTINEXT_AUDIT_LEDGER if left out.
    """

    async def work(trail: Trail, caller: Credential) -> tuple[Quarantined, bytes] | None:
        return await trail.services.quarantine.find(caller.ledger, quarantine_id)

    found = with_trail(ledger, work) if _is_id(quarantine_id) else None
    if found is None:
        complain(f"there is no {quarantine_id[:100]!r} in quarantine")
        return 1
    quarantined, body = found
    if json:
        print_json(quarantined.as_json() | body_as_json(body))
        return 0
    for name, value in quarantined.as_json().items():
        console.print(Text(f"{name}: {printable(str(value))}"), soft_wrap=True)
    say_bytes(body)
    return 0


@quarantine.command
def retry(
    quarantine_id: str | None = None,
    /,
    *,
    everything: Annotated[bool, Parameter(name="--all", negative=())] = False,
    ledger: str | None = None,
    json: bool = False,
) -> int:
    """Try again to record what was refused. Ends with 1 if anything is refused again.

    Parameters
    ----------
    quarantine_id
        Its id, as `quarantine list` shows it.
    everything
        Retry all that waits, oldest first.
    ledger
        The ledger that it was sent to; that of CERTINEXT_AUDIT_LEDGER if left out.
    """
    if everything == (quarantine_id is not None):
        raise NoneChosen("quarantine retry: name one id, or --all")

    async def work(trail: Trail, caller: Credential) -> bool:
        good = True
        async for one, answer in _retried(trail, caller.ledger, quarantine_id):
            good = isinstance(answer, Receipt) and good
            _report(one, answer, json=json)
        return good

    return 0 if with_trail(ledger, work) else 1


async def _retried(trail: Trail, ledger: Ledger, quarantine_id: str | None) -> AsyncIterator[tuple[str, Answer | None]]:
    retrying = trail.services.retry_quarantined
    for one in await retrying.waiting(ledger) if quarantine_id is None else [quarantine_id]:
        yield one, await retrying.retry(ledger, one) if _is_id(one) else None


def _report(quarantine_id: str, answer: Answer | None, *, json: bool) -> None:
    result: JsonObject = {"id": quarantine_id, "retried": isinstance(answer, Receipt)}
    if isinstance(answer, Receipt):
        result |= {"event_id": answer.event_id, "position": answer.position, "duplicate": answer.duplicate}
        words = f"{quarantine_id} is recorded at position {answer.position}."
    elif answer is None:
        words = f"there is no {quarantine_id[:100]!r} in quarantine"
    else:
        result["problem"] = problem_of(answer).body()
        words = f"{quarantine_id} is refused again: {printable(problem_of(answer).detail)}"
    if json:
        print_json(result)
    elif isinstance(answer, Receipt):
        say(words)
    else:
        complain(words)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
