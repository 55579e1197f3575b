"""How an activity is declared, once: everything else about it is derived from the declaration.

certificate_operations = Declarations(Module.CERTIFICATE_OPERATIONS)

@certificate_operations(
    "RevokeCertificate", "certificate.revoked", "certificate", "revoked {entity}", becomes("revoked"), "2.6"
)
class CertificateRevoked(Details):
    \"""A certificate was revoked before the end of its validity.\"""

    crl_reason: CrlReason
    revocation_time: Timestamp
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from domain.effect import TOUCHES, Effect
from domain.errors import UnreadableEvent
from domain.values import PERSONAL, JsonObject
from domain.words import Module, Status

_WORDS = re.compile(r"[A-Z][a-z0-9]*")


class Details(BaseModel):
    """The typed fields of an activity beyond the envelope; a subclass's name is the event's type, for ever.

    A change of shape raises `schema_version` and adds `upcast_v1_v2(state)`, a static method that brings the
    state of the version before into the shape of the next, in place.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    schema_version: ClassVar[int] = 1


D = TypeVar("D", bound=Details)


@dataclass(frozen=True)
class Wording:
    """The words in which an activity is told."""

    command: str
    phrase: str

    def describe(self, actor: str, entity: str, failure: JsonObject | None) -> str:
        """One sentence for people: who did what to what, and if it failed, why."""
        if failure is None:
            return f"{actor} {self.phrase.replace('{entity}', entity)}"
        attempt = " ".join(_WORDS.findall(self.command)).lower()
        return f"{actor} failed to {attempt} {entity}: {failure['reason']} ({failure['code']})"

    def describe_facts(self, facts: JsonObject) -> str:
        """The same about a record's facts, of which the personal ones are in their places as far as they are known."""
        actor: Any = facts["actor"]
        entity: Any = facts["entity"]
        failure: Any = facts.get("failure")
        return self.describe(actor.get("full_name") or actor["id"], entity.get("name") or entity["id"], failure)


@dataclass(frozen=True)
class Activity:
    """One thing that can happen in CertiNext."""

    command: str
    """What a module sends, in the imperative: `RevokeCertificate`."""
    name: str
    """For people and filters: `certificate.revoked`."""
    module: Module
    entity_type: str
    """The type of entity that it is usually about."""
    effect: Effect
    phrase: str
    """What the actor did, in the past tense, with `{entity}` for the entity: `revoked {entity}`."""
    details: type[Details]
    clause: str | None
    """The clauses of the CA/Browser Forum Baseline Requirements, 5.4.1, that oblige a CA to log it."""

    @property
    def event_type(self) -> str:
        """The event's stable name, by which it is stored: `CertificateRevoked`."""
        return self.details.__name__

    @property
    def description(self) -> str:
        """What it means, for people who have not met it before."""
        return " ".join((self.details.__doc__ or "").split())

    @cached_property
    def attempted_details(self) -> type[Details]:
        """The details of a failure: of the same types, but what was never reached may be missing."""
        hints = get_type_hints(self.details, include_extras=True)
        optional: dict[str, Any] = {name: (hints[name] | None, None) for name in self.details.model_fields}
        return create_model(f"{self.event_type}Attempted", __base__=Details, __doc__=self.details.__doc__, **optional)

    def details_for(self, status: Status) -> type[Details]:
        return self.details if status is Status.SUCCESS else self.attempted_details

    @cached_property
    def personal_details(self) -> tuple[str, ...]:
        """The names of the details that name a person."""
        return tuple(name for name, field in self.details.model_fields.items() if PERSONAL in field.metadata)

    def describe(self, actor: str, entity: str, failure: JsonObject | None) -> str:
        """One sentence for people: who did what to what, and if it failed, why."""
        return self.wording.describe(actor, entity, failure)

    @cached_property
    def wording(self) -> "Wording":
        return Wording(self.command, self.phrase)


class Declarations:
    """The activities of one module, in the order of their declaration."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.activities: list[Activity] = []

    def __call__(
        self,
        command: str,
        name: str,
        entity_type: str,
        phrase: str,
        effect: Effect = TOUCHES,
        clause: str | None = None,
    ) -> Callable[[type[D]], type[D]]:
        """Declare the activity whose event is the decorated class."""

        def declare(details: type[D]) -> type[D]:
            self.activities.append(Activity(command, name, self._module, entity_type, effect, phrase, details, clause))
            return details

        return declare


class Catalogue:
    """The closed list of activities, found by command, by name or by event type."""

    def __init__(self, activities: Iterable[Activity]) -> None:
        """Raises ValueError if two activities share a command, a name or an event type."""
        self._activities = tuple(activities)
        self._by_command = _index(self._activities, lambda activity: activity.command)
        self._by_name = _index(self._activities, lambda activity: activity.name)
        self._by_type = _index(self._activities, lambda activity: activity.event_type)

    def __iter__(self) -> Iterator[Activity]:
        return iter(self._activities)

    def __len__(self) -> int:
        return len(self._activities)

    def of_command(self, command: str) -> Activity | None:
        return self._by_command.get(command)

    def named(self, name: str) -> Activity | None:
        return self._by_name.get(name)

    def of_type(self, event_type: str) -> Activity:
        """Resolve the topic of a stored event: from this list only, never by importing what is stored.

        Raises UnreadableEvent if there is none.
        """
        try:
            return self._by_type[event_type]
        except KeyError:
            raise UnreadableEvent(f"the event type {event_type!r} is unknown") from None


def _index(activities: Iterable[Activity], key: Callable[[Activity], str]) -> dict[str, Activity]:
    index: dict[str, Activity] = {}
    for activity in activities:
        if index.setdefault(key(activity), activity) is not activity:
            raise ValueError(f"{key(activity)} is declared twice")
    return index
