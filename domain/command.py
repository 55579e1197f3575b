"""Commands: a module's report of an action, as it comes through the door."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from domain import canonical
from domain.activity import Activity, Catalogue, Details
from domain.errors import FieldError, InvalidCommand, pointer
from domain.values import PERSONAL, Code, Identifier, JsonObject, JsonValue, Kind, Name, Text, Timestamp, rfc3339
from domain.words import ActorKind, Channel, Status

FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
"""Where the clocks of computers begin: nothing that is reported happened before."""

FURTHEST_FUTURE = timedelta(days=1)
"""How far ahead of us a module's clock may be; beyond it the time cannot be meant."""

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)


@lru_cache(maxsize=10_000)
def _address(text: str) -> str:
    """Remembered, since the same few come again and again and each takes as long as all else of an actor."""
    return str(ip_address(text))


Address = Annotated[str, Field(max_length=64), AfterValidator(_address)]
"""An IPv4 or IPv6 address, in its usual form."""


class Actor(BaseModel):
    """Who did it."""

    model_config = _STRICT

    id: Identifier
    kind: Annotated[ActorKind, Field(strict=False)]
    full_name: Annotated[Name | None, PERSONAL] = None
    email: Annotated[Name | None, PERSONAL] = None
    roles: Annotated[tuple[Name, ...] | None, Field(strict=False, max_length=100)] = None
    ip: Annotated[Address | None, PERSONAL] = None
    user_agent: Annotated[Text | None, PERSONAL] = None
    session_id: Identifier | None = None
    auth_method: Code | None = None
    on_behalf_of: Identifier | None = None


class Entity(BaseModel):
    """What was acted on."""

    model_config = _STRICT

    type: Kind
    id: Identifier
    name: Name | None = None


class Failure(BaseModel):
    """Why it did not succeed."""

    model_config = _STRICT

    code: Code
    reason: Text


class Change(BaseModel):
    """One value that changed, so that a diff needs no replay."""

    model_config = _STRICT

    path: Name
    old: JsonValue = None
    new: JsonValue = None


class Envelope(BaseModel):
    """All of a command but its details, which depend on the activity."""

    model_config = _STRICT

    command: Name
    command_id: Identifier
    occurred_at: Timestamp
    actor: Actor
    entity: Entity
    status: Annotated[Status, Field(strict=False)]
    failure: Failure | None = None
    channel: Annotated[Channel, Field(strict=False)] | None = None
    correlation_id: Identifier | None = None
    causation_id: Identifier | None = None
    also_affected: Annotated[tuple[Entity, ...], Field(strict=False, max_length=1000)] | None = None
    changes: Annotated[tuple[Change, ...], Field(strict=False, max_length=1000)] | None = None


_STRUCTURED = ("actor", "entity", "failure", "also_affected", "changes")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that has been understood."""

    activity: Activity
    envelope: Envelope
    details: Details
    sent: JsonObject

    def facts(self) -> JsonObject:
        """What was sent, in one form: times in UTC, and nothing that was not sent."""
        # The envelope is strict, so all but these is as it was sent; to dump it would take four times as long.
        facts = self.sent.copy()
        for name in _STRUCTURED:
            if name in facts:
                facts[name] = _copied(facts[name])
        facts["occurred_at"] = rfc3339(self.envelope.occurred_at)
        actor = facts["actor"]
        if isinstance(actor, dict) and "ip" in actor:
            actor["ip"] = self.envelope.actor.ip
        facts["details"] = self.details.model_dump(mode="json", exclude_unset=True)
        return facts


def _copied(value: JsonValue) -> JsonValue:
    """So far that its members may be taken out."""
    if isinstance(value, dict):
        return value.copy()
    return [_copied(item) for item in value] if isinstance(value, list) else value


def read_command(data: JsonObject, catalogue: Catalogue, now: datetime) -> Command:
    """Understand a decoded command, received at `now`.

    Raises InvalidCommand, which lists every field that does not fit.
    """
    if errors := canonical.disputed(data):
        raise InvalidCommand(errors)
    name = data.get("command")
    activity = catalogue.of_command(name) if isinstance(name, str) else None
    if activity is None:
        raise InvalidCommand([FieldError("/command", _what_is_wrong_with(name))])
    envelope_data = dict(data)
    details = envelope_data.pop("details", {})
    failed = data.get("status") == Status.FAILURE
    model = activity.details_for(Status.FAILURE if failed else Status.SUCCESS)
    envelope, errors = _validated(Envelope, envelope_data, ())
    typed_details, details_errors = _validated(model, details, ("details",))
    if envelope is None or typed_details is None:
        raise InvalidCommand([*errors, *details_errors])
    if errors := list(_contradictions(envelope, now)):
        raise InvalidCommand(errors)
    return Command(activity, envelope, typed_details, data)


def _contradictions(envelope: Envelope, now: datetime) -> Iterator[FieldError]:
    if envelope.status is Status.FAILURE and envelope.failure is None:
        yield FieldError("/failure", "is missing: a failure says why, with `code` and `reason`")
    if envelope.status is Status.SUCCESS and envelope.failure is not None:
        yield FieldError("/failure", "must be absent when `status` is `success`")
    if envelope.occurred_at < FIRST_MOMENT:
        yield FieldError("/occurred_at", "must not be before 1970")
    if envelope.occurred_at - now > FURTHEST_FUTURE:
        yield FieldError("/occurred_at", "must not be more than a day ahead of this service's clock")


def _what_is_wrong_with(name: JsonValue) -> str:
    if name is None:
        return "is missing: it names what was done, as RevokeCertificate"
    return f"must be a command of the catalogue, as RevokeCertificate; {str(name)[:100]!r} is none"


M = TypeVar("M", bound=BaseModel)


def _validated(model: type[M], data: JsonValue, path: tuple[str | int, ...]) -> tuple[M | None, list[FieldError]]:
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        first: dict[str, str] = {}
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            place = pointer((*path, *_steps(data, item["loc"])))
            first.setdefault(place, item["msg"].removeprefix("Value error, "))
        return None, [FieldError(place, message) for place, message in first.items()]


def _steps(data: JsonValue, location: Iterable[str | int]) -> Iterator[str | int]:
    """The steps into the data, without the names that pydantic adds for the alternatives of a type."""
    place: JsonValue = data
    for step in location:
        if isinstance(place, dict) and isinstance(step, str):
            yield step
            place = place.get(step)
        elif isinstance(place, list) and isinstance(step, int):
            yield step
            place = place[step] if step < len(place) else None
