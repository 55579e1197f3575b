"""What a replay answers: an entity as of a moment, and what is known of it and what is not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.entities.contradiction import Contradiction, contradictions
from domain.entities.entity import Entity, Reference
from domain.entities.life import Life
from domain.entities.links import Link, links_of
from domain.entities.moment import Moment
from domain.entities.state import Difference, differences, state_of, told_at, unknown
from domain.event import AuditEvent
from domain.ledger import Head
from domain.values import JsonObject, JsonValue, rfc3339

_LIVING = frozenset({"valid", "active", "issued", "validated", "verified"})
_ENDS = ("not_after", "expires_at", "valid_until")


@dataclass(frozen=True, slots=True)
class Relation:
    """That an entity has to do with another, as told of itself or of one that it is linked to."""

    link: Link
    through: Link | None = None

    def as_json(self) -> JsonObject:
        shown: JsonObject = {"relation": self.link.relation, "type": self.link.type, "id": self.link.id}
        if self.through is not None:
            shown["through"] = f"{self.through.type}:{self.through.id}"
        return shown


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """An entity as of a moment, from records that were read and checked up to a place in the ledger."""

    type: str
    id: str
    moment: Moment
    entity: Entity
    replayed_to: Head
    relations: Sequence[Relation] = ()

    @property
    def state(self) -> JsonObject:
        return state_of(self.entity.life)

    @property
    def unknown(self) -> list[str]:
        return unknown(self.type, self.entity.life)

    def own_links(self) -> list[Link]:
        return list(links_of(self.state))

    def notes(self) -> Iterator[str]:
        """What an analyst must know to read it rightly."""
        entity, at = self.entity, self._when()
        if not entity.successes:
            yield "only failed actions tell of it: nothing shows that it ever was"
        if entity.erased:
            yield f"{entity.erased} of its events have lost their personal data: what these told is unknown"
        if entity.last is not None and self.moment.at is not None and entity.last.recorded_at > at:
            yield f"the last of its events that counts was recorded only later, at {entity.last.recorded_at}"
        yield from self._overdue(at)

    def _when(self) -> str:
        moment = self.moment.at or self.replayed_to.recorded_at
        assert moment is not None
        return rfc3339(moment)

    def _overdue(self, at: str) -> Iterator[str]:
        attributes = self.state["attributes"]
        assert isinstance(attributes, dict)
        for name in _ENDS:
            end = attributes.get(name)
            if isinstance(end, str) and end < at and self.state["state"] in _LIVING:
                yield f"its {name} had passed by then, and no event tells that it ended"

    def as_json(self) -> JsonObject:
        entity = self.entity
        return {
            "type": self.type,
            "id": self.id,
            "name": entity.name,
            "as_of": self.moment.as_json(),
            **self.state,
            "version": entity.events,
            "first": _reference(entity.first),
            "last": _reference(entity.last),
            "told_at": told_at(entity.life),
            "unknown": [*self.unknown],
            "relations": [relation.as_json() for relation in self.relations],
            "notes": [*self.notes()],
            "replayed_to": place(self.replayed_to),
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One event of an entity, and what it changed."""

    event: AuditEvent
    changes: Sequence[Difference]
    contradictions: Sequence[Contradiction]
    late: bool
    """Whether it occurred before one that had been recorded before it."""

    @classmethod
    def of(cls, event: AuditEvent, before: Life, after: Life, newest: str) -> "Step":
        """`newest` is when the latest of the events before it occurred."""
        changes = [] if before is after else differences(state_of(before), state_of(after))
        late = str(event.facts["occurred_at"]) < newest
        return cls(event, changes, list(contradictions(before, event)), late)

    def as_json(self) -> JsonObject:
        facts, event = self.event.facts, self.event
        doubts: list[JsonValue] = [
            {"kind": one.kind, "words": one.words, "position": one.position} for one in self.contradictions
        ]
        return {
            **Reference.to(event).as_json(),
            "version": event.originator_version,
            "description": event.description,
            "actor": facts["actor"],
            "status": facts["status"],
            "late": self.late,
            "changes": [change.as_json() for change in self.changes],
            "contradictions": doubts,
        }


def place(head: Head) -> JsonObject:
    """A place in the ledger, and the hash of all up to it."""
    return {"position": head.position, "chain_hash": head.chain_hash.hex()}


def _reference(reference: Reference | None) -> JsonObject | None:
    return None if reference is None else reference.as_json()
