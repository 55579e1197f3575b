"""Filters in memory, for events that pass by: the promise that `projections/activity_query.py` keeps in SQL."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

import orjson

from domain.filters import EventFilter
from domain.search import Sought, searchable
from domain.values import parse_rfc3339

Key: TypeAlias = tuple[str, str]
"""The name of a filter and a value: what an event has, or a filter wants."""


class ShownEvent:
    """An event as queries show it. What filters ask of it is made once, when the first of them asks."""

    def __init__(self, text: str) -> None:
        """`text` is its JSON."""
        self.text = text

    @cached_property
    def _facts(self) -> Any:
        return orjson.loads(self.text)

    @cached_property
    def keys(self) -> frozenset[Key]:
        """All values that filters for exact values may want."""
        return frozenset(_keys(self._facts))

    @cached_property
    def names(self) -> Sequence[str]:
        """The actor's id and full name, without regard to case."""
        actor = self._facts["actor"]
        return [name.casefold() for name in (actor["id"], actor.get("full_name")) if name]

    @cached_property
    def occurred_at(self) -> datetime:
        return parse_rfc3339(self._facts["occurred_at"])

    def tells(self, sought: Sought) -> bool:
        """Whether it has the words that are sought."""
        return all(map(self._has, sought.whole)) and self._has_one_begun(sought.begun)

    def _has(self, word: str) -> bool:
        place = bisect_left(self._words, word)
        return place < len(self._words) and self._words[place] == word

    def _has_one_begun(self, beginning: str) -> bool:
        place = bisect_left(self._words, beginning)
        return place < len(self._words) and self._words[place].startswith(beginning)

    @cached_property
    def _words(self) -> list[str]:
        return sorted(searchable(self._facts["description"], self._facts["details"]))


def _keys(facts: Any) -> Iterator[Key]:
    actor, entity = facts["actor"], facts["entity"]
    yield "actor", actor["id"]
    yield "entity", entity["type"]
    for other in (entity, *(facts.get("also_affected") or ())):
        yield "entity", f"{other['type']}:{other['id']}"
    if "ip" in actor:
        yield "ip", actor["ip"]
    for name in ("correlation_id", "activity", "source", "module", "status"):
        if name in facts:
            yield name, facts[name]


@dataclass(frozen=True)
class Matcher:
    """A filter, ready to be held against many events."""

    wanted: Sequence[frozenset[Key]]
    """The values of each filter for exact values: the event must have one of each; the most telling filter first."""
    beginnings: tuple[str, ...]
    texts: Sequence[Sought]
    from_: datetime | None
    to: datetime | None

    @classmethod
    def of(cls, wanted: EventFilter, only_actor: str | None = None) -> "Matcher":
        """`only_actor` is the one whose events may be seen; None if all may."""
        exact = (
            ("actor", () if only_actor is None else (only_actor,)),
            ("correlation_id", wanted.correlation_id),
            ("entity", wanted.entity),
            ("ip", wanted.ip),
            ("activity", wanted.activity),
            ("source", wanted.source),
            ("module", wanted.module),
            ("status", wanted.status),
        )
        return cls(
            [frozenset((name, str(value)) for value in values) for name, values in exact if values],
            tuple(beginning.casefold() for beginning in wanted.user),
            [Sought.by(text) for text in wanted.text],
            wanted.from_,
            wanted.to,
        )

    @property
    def telling(self) -> frozenset[Key] | None:
        """Each event that matches has one of these keys; None if nothing of that kind can be said."""
        return self.wanted[0] if self.wanted else None

    def matches(self, event: ShownEvent) -> bool:
        return (
            not any(event.keys.isdisjoint(values) for values in self.wanted)
            and (not self.beginnings or any(name.startswith(self.beginnings) for name in event.names))
            and (self.from_ is None or event.occurred_at >= self.from_)
            and (self.to is None or event.occurred_at < self.to)
            and (not self.texts or any(map(event.tells, self.texts)))
        )
