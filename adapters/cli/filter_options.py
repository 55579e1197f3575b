"""The filters of events as options of commands: those of queries, under the same names."""

from collections.abc import Sequence
from dataclasses import field, make_dataclass
from typing import TYPE_CHECKING, Annotated, get_origin

from cyclopts import Parameter
from pydantic import ValidationError

from domain.errors import AuditError
from domain.filters import EventFilter


class InvalidFilter(AuditError):
    """Options that are no filter."""


def _options() -> type[object]:
    options: list[tuple[str, object, object]] = []
    for name, described in EventFilter.model_fields.items():
        shape = tuple[str, ...] if get_origin(described.annotation) is tuple else str | None
        told = (described.description or "").replace("`", "")
        option = _option(described.alias or name)
        parameter = Parameter(name=option, help=told, negative=(), show_default=False, consume_multiple=True)
        options.append((name, Annotated[shape, parameter], field(default=() if shape == tuple[str, ...] else None)))
    made = make_dataclass("FilterOptions", options, frozen=True)
    made.__module__ = __name__  # cyclopts takes what the standard library has made for a single value.
    return made


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


if TYPE_CHECKING:

    class FilterOptions:
        """An option for each filter, made from it."""
else:
    FilterOptions = _options()


def wanted_by(options: FilterOptions) -> EventFilter:
    """The filter that the options say. Raises InvalidFilter that names each of them which does not fit."""
    fields = EventFilter.model_fields
    given = {fields[name].alias or name: value for name, value in vars(options).items() if value}
    try:
        return EventFilter.model_validate(given)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        raise InvalidFilter("; ".join(_complaint(item["loc"], item["msg"]) for item in details)) from None


def _complaint(place: Sequence[int | str], message: str) -> str:
    """What is said of the whole is about the span of time."""
    return f"{_option(str(place[0]) if place else 'from')}: {message.removeprefix('Value error, ')}"
