"""The filters of events: one definition, from which the parameters of queries and the SQL follow.

Values of one filter are alternatives; different filters must all hold.
"""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Annotated, Any, get_origin

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from domain.catalogue import CATALOGUE
from domain.search import words
from domain.search_language import NotUnderstood, Term, terms
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
_DAY = 10  # characters: `2026-01-01`
_MOST_SAID = 4000
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
    q: Annotated[
        str | None,
        Field(
            description='All of these in one text: `user:asha status:failure after:2026-01-01 "web server"`. '
            "`after` is `from`, `before` is `to`, either may be a day; words on their own are a `text`. "
            "It adds to the other parameters, and is them from then on."
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, given: Any) -> Any:
        """Turn `q` into the filters that it stands for."""
        if not isinstance(given, Mapping) or not isinstance(given.get("q"), str):
            return given
        try:
            return _with_terms({name: value for name, value in given.items() if name != "q"}, given["q"])
        except NotUnderstood as error:
            reason = PydanticCustomError("search", "{reason}", {"reason": str(error)})
            detail = InitErrorDetails(type=reason, loc=("q",), input=given["q"])
            raise ValidationError.from_exception_data(cls.__name__, [detail]) from None


_FIELDS = {field.alias or name: name for name, field in EventFilter.model_fields.items() if name != "q"}
"""The fields by the names of their parameters."""
_WRITTEN = {"from": "after", "to": "before"}
_NAMES = {_WRITTEN.get(name, name): name for name in _FIELDS}
"""The parameters by the names that they have in the language."""


def _with_terms(filters: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    """The filters, and what the text says. Raises NotUnderstood."""
    together = dict(filters)
    for name, said in _by_filter(text).items():
        _check(name, said)
        values = [term.value for term in said]
        if _is_repeatable(name):
            beside = filters.get(name, ())  # If it is no list, that is for its own field to refuse.
            together[name] = [*beside, *values] if isinstance(beside, list | tuple) else beside
        elif len(values) > 1 or name in filters:
            raise NotUnderstood(said[-1].column, f"`{said[-1].name}` may be given once only")
        else:
            together[name] = values[0]
    return together


def _by_filter(text: str) -> Mapping[str, Sequence[Term]]:
    """The terms for each parameter. Raises NotUnderstood."""
    if len(text) > _MOST_SAID:
        raise NotUnderstood(_MOST_SAID + 1, f"a search may have {_MOST_SAID:,} characters")
    found: dict[str, list[Term]] = {}
    free: list[Term] = []
    for term in terms(text):
        if term.name is None:
            free.append(term)
        elif term.name not in _NAMES:
            known = ", ".join(_NAMES)
            raise NotUnderstood(
                term.column,
                f"`{term.name}` is no filter; there are {known}. Put a text with a colon in quotation marks",
            )
        else:
            found.setdefault(_NAMES[term.name], []).append(_dated(term))
    if free:
        together = Term(None, " ".join(term.value for term in free), free[0].column)
        found.setdefault("text", []).append(together)
    return found


def _dated(term: Term) -> Term:
    """A day stands for its beginning."""
    if term.name in _WRITTEN.values() and len(term.value) == _DAY:
        return Term(term.name, f"{term.value}T00:00:00Z", term.column)
    return term


def _is_repeatable(name: str) -> bool:
    return get_origin(EventFilter.model_fields[_FIELDS[name]].annotation) is tuple


def _check(name: str, said: Sequence[Term]) -> None:
    """Raise NotUnderstood that says where the first value is that does not fit."""
    for term in said:
        try:
            EventFilter.model_validate({name: (term.value,) if _is_repeatable(name) else term.value})
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise NotUnderstood(term.column, f"{term.name or 'words'}: {reason}") from None
