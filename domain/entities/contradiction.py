"""What does not add up: an event that contradicts what is known of its entity. It is a fact all the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from domain.catalogue import CATALOGUE
from domain.entities.life import SETS, Life, stamp
from domain.event import AuditEvent
from domain.values import JsonValue
from domain.words import Status


class Kind(StrEnum):
    AFTER_END = "after_end"
    BEGUN_TWICE = "begun_twice"
    NEVER_BEGUN = "never_begun"
    CANNOT_FOLLOW = "cannot_follow"
    UNEXPLAINED_CHANGE = "unexplained_change"


@dataclass(frozen=True, slots=True)
class Contradiction:
    kind: Kind
    words: str
    position: int | None = None
    """The event that it contradicts; None if it is one that is missing."""


BEGIN = frozenset(activity.entity_type for activity in CATALOGUE if activity.effect.begins)
"""The types of entities whose lives begin with an event."""


def contradictions(life: Life, event: AuditEvent) -> Iterator[Contradiction]:
    """How an event contradicts what had been told before it occurred; a failure contradicts nothing."""
    if event.facts["status"] == Status.SUCCESS:
        yield from _of_lives(life, event)
        yield from _of_values(life, event)


def _of_lives(life: Life, event: AuditEvent) -> Iterator[Contradiction]:
    effect, activity = event.activity.effect, event.activity
    begun, ended = life.get("begun"), life.get("ended")
    if ended is not None and (begun is None or begun[1:] < ended[1:]) and ended[1:] < stamp(event):
        yield Contradiction(Kind.AFTER_END, f"{activity.name} follows {ended[0]}, after which nothing may", ended[2])
        return
    if effect.begins and begun is not None and begun[0] == activity.name and begun[1:] < stamp(event):
        yield Contradiction(Kind.BEGUN_TWICE, f"{activity.name} begins what had begun in the same way", begun[2])
    changes = effect.state is not None and not effect.begins
    if changes and begun is None and activity.entity_type in BEGIN:
        words = f"{activity.name} changes the state of what was never begun"
        yield Contradiction(Kind.NEVER_BEGUN, words)
    state = life.get("state")
    if effect.after and state is not None and state[0] not in effect.after and state[1:] < stamp(event):
        allowed = " or ".join(effect.after)
        words = f"{activity.name} follows the state {state[0]}, and not {allowed} as it must"
        yield Contradiction(Kind.CANNOT_FOLLOW, words, state[2])


def _of_values(life: Life, event: AuditEvent) -> Iterator[Contradiction]:
    """A change says what was there before; if something else was, somebody changed it and did not tell."""
    for path, old in _old_values(event):
        known = life.get(f"attributes/{path}")
        if path not in SETS and known is not None and known[0] != old and known[1:] < stamp(event):
            words = f"{event.activity.name} says that {path} was {old!r}, and it was known to be {known[0]!r}"
            yield Contradiction(Kind.UNEXPLAINED_CHANGE, words[:500], known[2])


def _old_values(event: AuditEvent) -> Iterator[tuple[str, JsonValue]]:
    changes = event.facts.get("changes")
    for change in changes if isinstance(changes, list) else ():
        if isinstance(change, dict) and "old" in change:
            yield str(change["path"]).removeprefix("/"), change["old"]
