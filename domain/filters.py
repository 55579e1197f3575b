"""The filters of events: one definition, from which the parameters of queries and the SQL follow.

Values of one filter are alternatives; different filters must all hold.
"""

from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from domain.catalogue import CATALOGUE
from domain.search import words
from domain.values import Identifier, JsonObject, Timestamp
from domain.words import Module, Status


def _known_activity(name: str) -> str:
    if CATALOGUE.named(name) is None:
        raise ValueError("must be an activity of the catalogue, as certificate.revoked")
    return name


def _has_words(text: str) -> str:
    if not words(text):
        raise ValueError("must hold a word: at least one letter or digit")
    return text


def _address(text: str) -> str:
    return str(ip_address(text))


ActivityName = Annotated[str, AfterValidator(_known_activity)]
EntityKey = Annotated[str, Field(pattern=r"(?s)^[a-z][a-z0-9_]{0,63}(:.{1,256})?$")]


class EventFilter(BaseModel):
    """Which events are wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: Annotated[
        tuple[Identifier, ...], Field(description="The beginning of an actor's id or full name, in any case.")
    ] = ()
    module: Annotated[tuple[Module, ...], Field(description="The module that the activity belongs to.")] = ()
    activity: Annotated[
        tuple[ActivityName, ...],
        Field(description="The activity, as `certificate.revoked`."),
    ] = ()
    status: Annotated[tuple[Status, ...], Field(description="How it ended.")] = ()
    from_: Annotated[
        Timestamp | None, Field(alias="from", description="Events that occurred at this time or later.")
    ] = None
    to: Annotated[Timestamp | None, Field(description="Events that occurred before this time.")] = None
    entity: Annotated[
        tuple[EntityKey, ...],
        Field(
            description="What was acted on or also affected, as `certificate:c-42`; "
            "or a type of what was acted on, as `certificate`."
        ),
    ] = ()
    source: Annotated[tuple[Identifier, ...], Field(description="The id of the credential that sent the command.")] = ()
    ip: Annotated[
        tuple[Annotated[str, AfterValidator(_address)], ...], Field(description="The actor's IP address.")
    ] = ()
    correlation_id: Annotated[tuple[Identifier, ...], Field(description="The story that the event belongs to.")] = ()
    text: Annotated[
        tuple[Annotated[Identifier, AfterValidator(_has_words)], ...],
        Field(description="Words of the description and the details (their first 2,000), each at least begun."),
    ] = ()

    @model_validator(mode="after")
    def _time_runs_forward(self) -> Self:
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise ValueError("`from` must be before `to`")
        return self

    def as_json(self) -> JsonObject:
        """What was asked for, as parameters."""
        filters: JsonObject = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return filters
