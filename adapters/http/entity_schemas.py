"""The shapes of answers about entities, for the API's description."""

from typing import Annotated

from pydantic import BaseModel, Field

from adapters.http.schemas import Page
from domain.command import Actor
from domain.entities.contradiction import Kind
from domain.values import JsonObject, JsonValue, Sha256, Timestamp
from domain.words import Status


class Place(BaseModel):
    """Up to where the ledger was read and checked."""

    position: int
    chain_hash: Sha256


class MomentBody(BaseModel):
    """As of when; empty for now."""

    at: Timestamp | None = None
    position: int | None = None


class RelatedBody(BaseModel):
    """Another entity that it has to do with."""

    relation: Annotated[str, Field(description="As `issuer`.")]
    type: str
    id: str
    through: Annotated[
        str | None, Field(description="The entity of which this is told, as `certificate_request:r-1`.")
    ] = None
    href: Annotated[str, Field(description="That entity at the same moment.")]


class EventReference(BaseModel):
    """One event."""

    position: int
    event_id: str
    activity: str
    occurred_at: Timestamp
    recorded_at: Timestamp


class StateBody(BaseModel):
    """What is known."""

    state: Annotated[str | None, Field(description="Null if no event has told it.")]
    attributes: JsonObject


class EntityState(StateBody):
    """An entity as it was."""

    type: str
    id: str
    name: str | None
    as_of: MomentBody
    version: Annotated[int, Field(description="How many events tell of it.")]
    first: EventReference | None
    last: EventReference | None
    told_at: Annotated[dict[str, int], Field(description="At which position each thing was told last.")]
    unknown: Annotated[list[str], Field(description="What events could have told of it, and none has.")]
    relations: list[RelatedBody]
    notes: Annotated[list[str], Field(description="What must be known to read this rightly.")]
    replayed_to: Place


class ChangedBody(BaseModel):
    """One value that changed; `old` or `new` is missing where there was or is none."""

    path: Annotated[str, Field(description="A JSON Pointer, as `/attributes/issuer`.")]
    old: JsonValue = None
    new: JsonValue = None


class ContradictionBody(BaseModel):
    """What does not add up."""

    kind: Kind
    words: str
    position: Annotated[int | None, Field(description="The event that is contradicted.")]


class StepBody(EventReference):
    """One event of an entity, and what it changed."""

    version: int
    description: str
    actor: Actor
    status: Status
    late: Annotated[bool, Field(description="Whether it occurred before one that had been recorded before it.")]
    changes: list[ChangedBody]
    contradictions: list[ContradictionBody]


class Timeline(BaseModel):
    """The events of an entity."""

    type: str
    id: str
    events: list[StepBody]
    also_named_by: Annotated[str, Field(description="Where the events are that only name it among others.")]
    next: str | None
    replayed_to: Place


class Diff(BaseModel):
    """An entity at two moments."""

    type: str
    id: str
    from_: Annotated[MomentBody, Field(alias="from")]
    to: MomentBody
    before: Annotated[StateBody | None, Field(description="Null if nothing was known of it yet.")]
    after: StateBody
    changes: list[ChangedBody]
    replayed_to: Place


class SinceBody(BaseModel):
    """Since when it was so."""

    position: int
    time: Timestamp


class EntityRowBody(StateBody):
    """An entity of a page."""

    id: str
    name: str | None
    since: SinceBody
    relations: list[RelatedBody]
    href: str


class EntitiesPage(Page):
    """A page of the entities of a type."""

    type: str
    as_of: MomentBody
    entities: list[EntityRowBody]
