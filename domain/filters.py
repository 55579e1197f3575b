"""The filters of events: one definition, from which the parameters of queries and the SQL follow.

Values of one filter are alternatives; different filters must all hold.
"""

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.catalogue import CATALOGUE
from domain.search import words
from domain.span import Span
from domain.values import Identifier, Timestamp
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


class EventFilter(Span):
    """Which events are wanted."""

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
        Field(
            description="Words of the description and the details (their first 2,000); of the last a beginning will do."
        ),
    ] = ()
