"""An entity as the toolkit of the domain knows aggregates: its events mutate it, one version after the other."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from eventsourcing.domain import BaseAggregate

from domain.entities.life import UNBORN, Life, evolve
from domain.event import AuditEvent
from domain.values import JsonObject
from domain.words import Status

_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Reference(NamedTuple):
    """One event, as others refer to it."""

    position: int
    event_id: str
    activity: str
    occurred_at: str
    """RFC 3339 in UTC, always of the same width."""
    recorded_at: str

    @classmethod
    def to(cls, event: AuditEvent) -> "Reference":
        facts = event.facts
        position = facts["position"]
        assert isinstance(position, int)
        return cls(
            position,
            str(facts["event_id"]),
            event.activity.name,
            str(facts["occurred_at"]),
            str(facts["recorded_at"]),
        )

    @property
    def stamp(self) -> tuple[str, int]:
        return self.occurred_at, self.position

    def as_json(self) -> JsonObject:
        return dict(self._asdict())


class Entity(BaseAggregate[str]):
    """What its events make of an entity, and nothing else. Its id is `type:id`, its version how many they are."""

    life: Life
    name: str | None
    """By which the last of its events that named it called it."""
    events: int
    """How many events were taken in."""
    successes: int
    """How many of these succeeded: if none did, nobody knows whether the entity ever was."""
    erased: int
    """How many of these have lost their personal data, so that what these told is unknown."""
    first: Reference | None
    """The one of them that occurred first."""
    last: Reference | None
    """The one of them that occurred last."""

    @classmethod
    def unborn(cls, originator_id: str) -> "Entity":
        """Before its first event."""
        entity = object.__new__(cls)
        entity.__base_init__(originator_id, 0, _NEVER)
        entity.life, entity.name = UNBORN, None
        entity.events = entity.successes = entity.erased = 0
        entity.first = entity.last = None
        return entity

    def learn(self, event: AuditEvent) -> None:
        """What an event does to it when it mutates it."""
        facts = event.facts
        self.life = evolve(self.life, event)
        entity = facts["entity"]
        assert isinstance(entity, dict)
        if "name" in entity:
            self.name = str(entity["name"])
        self.events += 1
        self.successes += facts["status"] == Status.SUCCESS
        self.erased += event.personal is None and "personal" in facts
        occurred_at = str(facts["occurred_at"])
        if self.first is None or self.last is None:
            self.first = self.last = Reference.to(event)
        elif occurred_at >= self.last.occurred_at:
            self.last = Reference.to(event)
        elif occurred_at < self.first.occurred_at:
            self.first = Reference.to(event)

    def pass_over(self, event: AuditEvent) -> None:
        """Leave out an event that is not wanted."""
        self.version = event.originator_version

    def copied(self) -> "Entity":
        """Another one that goes its own way from here: a snapshot."""
        copy = object.__new__(Entity)
        copy.__dict__.update(self.__dict__)
        return copy


def project(entity: Entity | None, events: Iterable[AuditEvent]) -> Entity | None:
    """A projector function for the toolkit's repositories."""
    for event in events:
        entity = event.mutate(entity or Entity.unborn(event.originator_id))
    return entity
