"""Makes docs/catalogue.md: `python -m adapters.documents.catalogue > docs/catalogue.md`."""

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

from domain.activity import Activity, Details
from domain.catalogue import CATALOGUE
from domain.catalogue.audit import AnyModule, AnyRole, Modules
from domain.catalogue.vocabulary import DecimalDigits
from domain.effect import ACTOR, Effect, How, Learned
from domain.values import (
    PERSONAL,
    Code,
    Count,
    Identifier,
    Identifiers,
    Integer,
    JsonObject,
    Name,
    Names,
    Sha256,
    Text,
    Timestamp,
)

_INTRODUCTION = """\
# The catalogue of activities

Everything that can happen in CertiNext, by module. Under the type of its event stand what it means, the
command by which a module reports it, its name for people and filters, what it is about, and its details.
A failure is the same activity with the status `failure`: none of its details is then required, and the state
of its entity stays as it was; only failed log-ins are counted.

- *clause*: of the CA/Browser Forum Baseline Requirements, section 5.4.1, which lists what a CA must log.
- *tells of it*: what a success makes known of the entity, by the details' own names where no other is given.
- *personal*: names or locates a person; it is kept beside the record, so that it can be erased.
- *code*: a short word; *count*: a whole number from 0; *name*: up to 1,024 characters; *text*: up to 32,768;
  *time*: RFC 3339 with a zone; *sha256*: 64 hexadecimal digits in lower case.

This file is written by `python -m adapters.documents.catalogue`; a test keeps the two alike.
"""

_TYPE_WORDS: tuple[tuple[object, str], ...] = (
    (Code, "code"),
    (Count, "count"),
    (DecimalDigits, "decimal digits"),
    (Identifier, "identifier"),
    (Identifiers, "list of identifiers"),
    (Integer, "integer"),
    (JsonObject, "JSON object"),
    (AnyModule, "module"),
    (AnyRole, "role"),
    (Modules, "list of modules"),
    (Name, "name"),
    (Names, "list of names"),
    (Sha256, "sha256"),
    (Text, "text"),
    (Timestamp, "time"),
    (bool, "true or false"),
)


def render(activities: Iterable[Activity]) -> str:
    """The whole document, in Markdown."""
    return "\n".join(_lines(activities))


def _lines(activities: Iterable[Activity]) -> Iterator[str]:
    yield _INTRODUCTION
    for module, members in groupby(activities, lambda activity: activity.module):
        yield f"## {module}\n"
        for activity in members:
            yield from _activity(activity)


def _activity(activity: Activity) -> Iterator[str]:
    clause = "" if activity.clause is None else f" · clause {activity.clause}"
    yield f"### {activity.event_type}\n"
    yield f"{activity.description}\n"
    yield f"- `{activity.command}` · `{activity.name}`{clause}"
    yield f"- About a `{activity.entity_type}`{_effect(activity.effect)}: *{activity.phrase}*"
    yield from _told(activity)
    yield from _details(activity)
    yield ""


def _effect(effect: Effect) -> str:
    if effect.state is None:
        return ""
    verb = "begins as" if effect.begins else "ends as" if effect.ends else "becomes"
    follows = f" after **{'** or **'.join(effect.after)}**" if effect.after else ""
    return f", which {verb} **{effect.state}**{follows}"


def _told(activity: Activity) -> Iterator[str]:
    if activity.effect.learned:
        yield f"- Tells of it: {', '.join(map(_learned, activity.effect.learned))}"


def _learned(learned: Learned) -> str:
    name = f"`{learned.attribute}`"
    if learned.how is How.KEEP:
        return name if learned.detail == learned.attribute else f"{name} from {_source(learned)}"
    return f"{learned.how.value} {name}" + (f" {_source(learned)}" if learned.detail else "")


def _source(learned: Learned) -> str:
    return "the actor" if learned.detail == ACTOR else f"`{learned.detail}`"


def _details(activity: Activity) -> Iterator[str]:
    for name, hint in _hints(activity.details).items():
        marks = [type_words(hint)]
        if activity.details.model_fields[name].is_required():
            marks.append("required")
        if name in activity.personal_details:
            marks.append("personal")
        yield f"- `{name}`: {', '.join(marks)}"


def _hints(details: type[Details]) -> dict[str, object]:
    hints = get_type_hints(details, include_extras=True)
    return {name: hints[name] for name in details.model_fields}


def type_words(hint: object) -> str:
    """What a detail holds, for people. Raises ValueError if its type has no words yet."""
    hint = _without_personal(hint)
    for known, words in _TYPE_WORDS:
        if hint == known:
            return words
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(f"`{value}`" for value in get_args(hint))
    if get_origin(hint) in {Union, UnionType}:
        return " or ".join(type_words(member) for member in get_args(hint) if member is not NoneType)
    raise ValueError(f"the type {hint} has no words in the documents")


def _without_personal(hint: object) -> object:
    if get_origin(hint) is not Annotated:
        return hint
    inner, *metadata = get_args(hint)
    kept = tuple(mark for mark in metadata if mark is not PERSONAL)
    return Annotated[(inner, *kept)] if kept else inner


if __name__ == "__main__":
    sys.stdout.write(render(CATALOGUE))
