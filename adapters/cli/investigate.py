"""`certinext-audit investigate`: from one clue to all that belongs to it."""

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from adapters.bootstrap import Trail
from adapters.cli.on_trail import with_trail
from adapters.cli.output import print_json, printable, say
from adapters.cli.reconstruct import InvalidArgument, time_of
from application.self_audit import HERE
from domain.credential import Credential
from domain.span import Span
from domain.values import JsonObject
from domain.words import Position
from projections.investigation import Clue, Question
from projections.reads import Wait

BAD_NEWS = 1


@dataclass(frozen=True)
class Clues:
    """From where to start; exactly one is given."""

    actor: str | None = None
    """The id of an actor."""
    session: str | None = None
    """The id of a session."""
    token: str | None = None
    """The id of a token."""
    ip: str | None = None
    """An IP address."""
    correlation: str | None = None
    """The id of a story."""

    def only(self) -> tuple[Clue, str]:
        """The one that is given. Raises InvalidArgument."""
        given = [(clue, value) for clue in Clue if (value := getattr(self, clue)) is not None]
        if len(given) != 1:
            raise InvalidArgument(f"give exactly one of {', '.join(f'--{clue}' for clue in Clue)}")
        return given[0]


_NO_CLUE = Clues()


def investigate(
    *,
    clues: Annotated[Clues, Parameter(name="*")] = _NO_CLUE,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    limit: Annotated[int, Parameter(validator=Number(gte=1, lte=10_000))] = 1000,
    ledger: str | None = None,
    json: bool = False,
) -> int:
    """Show what an actor did, or what happened in a session, with a token, from an address or in a story.

    It reads the tables that a running service keeps. Exits with 1 if nothing is found.

    Parameters
    ----------
    from_
        Events that occurred at this time or later, as 2026-11-24T03:12:00Z.
    to
        Events that occurred before this time.
    limit
        How many events at most.
    ledger
        The ledger; that of CERTINEXT_AUDIT_LEDGER if left out.
    """
    clue = clues.only()
    begin, end = time_of("from", from_), time_of("to", to)
    if begin is not None and end is not None and begin >= end:
        raise InvalidArgument("--from must be before --to")
    question = Question(*clue, Span.model_validate({"from": begin, "to": end}))

    async def work(trail: Trail, caller: Credential) -> JsonObject:
        found = await trail.services.estate.investigate(caller.ledger, question, None, limit, Wait(Position(0)))
        asked = question.span.as_json() | {"investigation": question.clue, question.clue.value: question.value}
        await trail.self_audit.searched(caller, asked, len(found.events), HERE)
        return found.as_json(question)

    shown = with_trail(ledger, work)
    if json:
        print_json(shown)
    else:
        _tell(shown)
    return 0 if shown["events"] else BAD_NEWS


def _tell(shown: dict[str, Any]) -> None:
    say(printable(f"{shown['clue']} {shown['value']}: {len(shown['events'])} events"))
    for event in shown["events"]:
        _tell_event(event)
        for change in event.get("changed", ()):
            say(
                printable(
                    f"           {change['path']}: {change.get('old', 'unknown')} -> {change.get('new', 'unknown')}"
                )
            )
    say("\nEntities touched")
    for entity in shown["entities"]:
        done = ", ".join(f"{name} x{count}" if count > 1 else name for name, count in entity["activities"].items())
        say(printable(f"  {entity['type']} {entity['id']}: {done}"))
    say("\nWhat came of it")
    for consequence in shown["consequences"]:
        _tell_event(consequence["event"])
        say(printable(f"           {consequence['because']}"))
    say("\nFindings")
    for finding in shown["findings"]:
        say(printable(f"  {finding['severity']:<8}  {finding['finding_id']}  {finding['words']} ({finding['status']})"))
    say("\nWhat this does not tell")
    for limit in shown["limits"]:
        say(f"  - {limit}")


def _tell_event(event: dict[str, Any]) -> None:
    address = event["actor"].get("ip")
    say(
        printable(
            f"{event['position']:>9}  {event['occurred_at']}  {event['description']}"
            + (f"  [{address}]" if address else "")
        )
    )
