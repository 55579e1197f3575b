"""`certinext-audit reconstruct`: an entity as it was, from the ledger's records."""

from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from pydantic import TypeAdapter, ValidationError
from rich.table import Table
from rich.text import Text

from adapters.bootstrap import Trail
from adapters.cli.on_trail import with_trail
from adapters.cli.output import complain, plain, print_json, printable, say
from application.reconstruct import InvalidMoment, NothingKnown
from application.self_audit import HERE
from domain.credential import Credential
from domain.entities.history import BrokenRecord
from domain.entities.moment import Moment
from domain.errors import AuditError
from domain.values import JsonObject, Timestamp
from domain.words import Position

BAD_NEWS = 1
_STEPS = 10_000
_TIME: TypeAdapter[datetime] = TypeAdapter(Timestamp)


class InvalidArgument(AuditError):
    """An argument that does not fit."""


def reconstruct(
    type: str,  # noqa: A002 - the name that it has in the help
    id: str,  # noqa: A002
    /,
    *,
    at: str | None = None,
    position: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    timeline: bool = False,
    ledger: str | None = None,
    json: bool = False,
) -> int:
    """Show an entity as it was, from the ledger's records, each of which is checked.

    Exits with 1 if nothing is known of it, or if a record does not hold.

    Parameters
    ----------
    type
        The type of the entity, as certificate.
    id
        Its id.
    at
        As of a time, by when things occurred, as 2026-11-24T03:12:00Z; now if left out.
    position
        As of a position of the ledger: what had been recorded then.
    timeline
        Show its events as well, each with what it changed.
    ledger
        The ledger; that of CERTINEXT_AUDIT_LEDGER if left out.
    """
    moment = _moment(at, position)

    async def work(trail: Trail, caller: Credential) -> JsonObject:
        found = await trail.services.reconstruct.entity(caller.ledger, type, id, moment)
        shown = found.as_json()
        if timeline:
            told = await trail.services.reconstruct.timeline(caller.ledger, type, id, moment, 0, _STEPS)
            shown["timeline"] = [step.as_json() for step in told.steps]
        await trail.self_audit.replayed(caller, f"{type}:{id}"[:1024], moment, HERE)
        return shown

    try:
        shown = with_trail(ledger, work)
    except (NothingKnown, BrokenRecord) as error:
        complain(str(error))
        return BAD_NEWS
    except InvalidMoment as error:
        raise InvalidArgument(f"--{error.parameter}: {error.message}") from error
    if json:
        print_json(shown)
    else:
        _tell(shown)
    return 0


def time_of(name: str, text: str | None) -> datetime | None:
    """A time in RFC 3339. Raises InvalidArgument that names the argument."""
    if text is None:
        return None
    try:
        return _TIME.validate_python(text)
    except ValidationError:
        raise InvalidArgument(f"--{name}: {text!r} must be an RFC 3339 time, as 2026-11-24T03:12:00Z") from None


def _moment(at: str | None, position: int | None) -> Moment:
    if at is not None and position is not None:
        raise InvalidArgument("--at and --position exclude each other")
    return Moment(time_of("at", at), None if position is None else Position(position))


def _tell(shown: dict[str, Any]) -> None:
    name = f" ({shown['name']})" if shown["name"] else ""
    say(printable(f"{shown['type']} {shown['id']}{name}, as of {_when(shown['as_of'])}"))
    say(f"state     {shown['state'] or 'unknown'}")
    say(f"events    {shown['version']}, from {_reference(shown['first'])}\n          to {_reference(shown['last'])}")
    told_at = shown["told_at"]
    table = Table("known", "value", "told at", box=None, pad_edge=False)
    for attribute, value in shown["attributes"].items():
        table.add_row(attribute, Text(printable(_value(value))), str(told_at.get(attribute, "")))
    plain.print(table)
    for relation in shown["relations"]:
        through = f" (told of {relation['through']})" if "through" in relation else ""
        say(printable(f"{relation['relation']}: {relation['type']} {relation['id']}{through}"))
    say(f"unknown   {', '.join(shown['unknown']) or 'nothing that could be told'}")
    for note in shown["notes"]:
        say(printable(f"note      {note}"))
    for step in shown.get("timeline", ()):
        _tell_step(step)
    place = shown["replayed_to"]
    say(f"replayed to position {place['position']}, chain hash {place['chain_hash']}; every record holds")


def _tell_step(step: dict[str, Any]) -> None:
    late = "  (reported late)" if step["late"] else ""
    say(printable(f"{step['position']:>9}  {step['occurred_at']}  {step['description']}{late}"))
    for change in step["changes"]:
        old, new = (_value(change[side]) if side in change else "unknown" for side in ("old", "new"))
        say(printable(f"           {change['path']}: {old} -> {new}"))
    for doubt in step["contradictions"]:
        say(printable(f"           ! {doubt['words']}"))


def _when(moment: dict[str, Any]) -> str:
    return next((f"{name} {value}" for name, value in moment.items()), "now").removeprefix("at ")


def _reference(event: dict[str, Any]) -> str:
    return f"{event['activity']} at position {event['position']}, {event['occurred_at']}"


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
