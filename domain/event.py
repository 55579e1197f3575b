"""The domain event: an immutable fact, with its activity and all that is known about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from eventsourcing.domain import CanMutateAggregate

from domain.activity import Activity, Details
from domain.once import once
from domain.values import JsonObject, parse_rfc3339
from domain.words import Status


class Learns(Protocol):
    """What an event mutates."""

    def learn(self, event: "AuditEvent") -> None:
        """Take in what the event tells."""


@dataclass(frozen=True)
class AuditEvent(CanMutateAggregate[str]):
    """What a command became: an event of the entity `originator_id`, recorded at `timestamp`."""

    originator_id: str
    originator_version: int
    timestamp: datetime
    activity: Activity
    facts: JsonObject
    """The members of the record in the activity's present shape, the personal data back in their places."""
    personal: bytes | None
    """The personal data as they are stored; None if there are none, or if they were erased."""

    @classmethod
    def made(cls, **fields: object) -> "AuditEvent":
        """One from all of its fields, in a third of the time that the check of a frozen one takes."""
        event = object.__new__(cls)
        object.__setattr__(event, "__dict__", fields)
        return event

    def apply(self, aggregate: Learns) -> None:
        """Called by `mutate` once it is certain that this is the aggregate's next event."""
        aggregate.learn(self)

    @once
    def details(self) -> Details:
        """The typed details. Raises pydantic's ValidationError if the record does not hold them."""
        return self.activity.details_for(self.status).model_validate(self.facts["details"])

    @once
    def status(self) -> Status:
        """Raises ValueError if the record's is none."""
        return Status(str(self.facts["status"]))

    @once
    def occurred_at(self) -> datetime:
        """Raises ValueError or TypeError if the record's is not a time in UTC."""
        return parse_rfc3339(self.facts["occurred_at"])

    @once
    def description(self) -> str:
        """One sentence for people."""
        return self.activity.wording.describe_facts(self.facts)
