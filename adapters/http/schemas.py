"""The shapes of answers, for the API's description."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from domain.command import Actor, Change, Entity, Failure
from domain.values import JsonObject, Sha256, Timestamp
from domain.words import Channel, Module, Refusal, Status


class Page(BaseModel):
    """What each page says about itself."""

    next: Annotated[str | None, Field(description="The cursor of the next page; null on the last.")]
    position: Annotated[int, Field(description="The table says all about the events up to this position.")]
    set_aside: Annotated[int, Field(description="How many events could not be applied and are missing.")]


class Event(BaseModel):
    """An event as people and programs read it: the facts of its record, the personal ones in their places."""

    event_id: str
    ledger: str
    position: int
    recorded_at: Timestamp
    occurred_at: Timestamp
    type: str
    schema_version: int
    activity: str
    module: Module
    description: Annotated[str, Field(description="One sentence: who did what to what.")]
    actor: Actor
    entity: Entity
    entity_version: int
    status: Status
    failure: Failure | None = None
    source: Annotated[str, Field(description="The id of the credential that sent the command.")]
    command_id: str
    channel: Channel | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    also_affected: list[Entity] | None = None
    changes: list[Change] | None = None
    details: JsonObject


class EventWithEvidence(BaseModel):
    """An event and what it is proven with."""

    event: Event
    record: Annotated[str, Field(description="The canonical bytes of the event, as text in UTF-8.")]
    personal: Annotated[
        str | None,
        Field(description="The personal data; the record's `personal` is SHA-256(0x03 || these bytes)."),
    ]
    leaf_hash: Sha256
    chain_hash: Sha256
    position: Annotated[int, Field(description="The table says all about the events up to this position.")]
    set_aside: Annotated[int, Field(description="How many events could not be applied and are missing.")]


class User(BaseModel):
    """What one actor did, in sum."""

    id: str
    full_name: str | None
    kind: str
    events: int
    failures: int
    first_occurred_at: Timestamp
    last_occurred_at: Timestamp
    last_position: int


class Activity(BaseModel):
    """How often one activity happened, and how it ended."""

    module: Module
    activity: str
    events: int
    failures: int
    first_occurred_at: Timestamp
    last_occurred_at: Timestamp


class StatusCount(BaseModel):
    """How many events of one status occurred in one span of time."""

    bucket: Annotated[Timestamp, Field(description="When the hour or the day begins, in UTC.")]
    status: Status
    events: int


class RefusalReason(BaseModel):
    """Why something was refused, as its sender was told; of very long words only the beginning."""

    kind: Refusal
    title: str
    detail: str
    errors: Annotated[list[dict[str, str]], Field(description="Each field that does not fit: `pointer` and `detail`.")]


class QuarantinedBody(BaseModel):
    """What could not be understood, without its bytes."""

    id: str
    ledger: str
    source: Annotated[str, Field(description="The id of the credential that sent it.")]
    received_at: Annotated[Timestamp, Field(description="When it came first.")]
    last_received_at: Annotated[Timestamp, Field(description="When the same bytes came last.")]
    count: Annotated[int, Field(description="How often they came.")]
    reason: RefusalReason
    sha256: Annotated[Sha256, Field(description="Of the bytes that are kept.")]
    size: Annotated[int | None, Field(description="How many bytes were sent, if that is known.")]
    truncated: Annotated[bool, Field(description="Whether only the first 64 KiB are kept: it was too large.")]
    retried_at: Annotated[Timestamp | None, Field(description="When it became an event after all.")]
    position: Annotated[int | None, Field(description="Where that event is.")]


class QuarantinedWithBody(QuarantinedBody):
    """What could not be understood, as it was sent."""

    body: Annotated[str, Field(description="The bytes: as text if they are UTF-8, and otherwise in base64.")]
    body_encoding: Literal["utf-8", "base64"]


class Problem(BaseModel):
    """What went wrong, as RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: Annotated[
        list[dict[str, str]] | None,
        Field(description="Each field that does not fit: `pointer` (RFC 6901) or `parameter`, and `detail`."),
    ] = None
    quarantine_id: Annotated[
        str | None, Field(description="Under which id an operator finds the refused command in quarantine.")
    ] = None
