"""An entity as the toolkit of the domain knows aggregates: its events mutate it, one version after the other."""

from collections.abc import Iterable
from datetime import UTC, datetime

from eventsourcing.domain import BaseAggregate

from domain.entities.life import UNBORN, Life, evolve
from domain.event import AuditEvent

_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Entity(BaseAggregate[str]):
    """What its events make of an entity, and nothing else. Its id is `type:id`, its version how many they are."""

    life: Life

    @classmethod
    def unborn(cls, originator_id: str) -> "Entity":
        """Before its first event."""
        entity = object.__new__(cls)
        entity.__base_init__(originator_id, 0, _NEVER)
        entity.life = UNBORN
        return entity

    def learn(self, event: AuditEvent) -> None:
        """What an event does to it when it mutates it."""
        self.life = evolve(self.life, event)


def project(entity: Entity | None, events: Iterable[AuditEvent]) -> Entity | None:
    """A projector function for the toolkit's repositories."""
    for event in events:
        entity = event.mutate(entity or Entity.unborn(event.originator_id))
    return entity
