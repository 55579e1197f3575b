"""The state of an entity, as people and programs read it, and the difference between two."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from domain import canonical
from domain.catalogue import CATALOGUE
from domain.effect import How
from domain.entities.life import SETS, Life
from domain.errors import pointer
from domain.values import JsonObject, JsonValue


def state_of(life: Life) -> JsonObject:
    """What is known: `state` (null if it was never told), and `attributes` by name; sets are sorted lists."""
    attributes = {key.removeprefix("attributes/"): life[key][0] for key in life if key.startswith("attributes/")}
    attributes |= {name: [*sorted(members)] for name, members in _sets(life).items()}
    attributes |= _counts(life)
    return {
        "state": life["state"][0] if "state" in life else None,
        "attributes": {name: attributes[name] for name in sorted(attributes)},
    }


def told_at(life: Life) -> JsonObject:
    """The position of the event that told each thing last: `state`, `begun`, `ended` and the attributes by name."""
    found: dict[str, int] = {}
    for key, (_, _, position) in life.items():
        kind, _, name = key.partition("/")
        shown = name.partition("/")[0] if kind in {"sets", "counts"} else name or kind
        found[shown] = max(position, found.get(shown, 0))
    return {name: found[name] for name in sorted(found)}


def unknown(entity_type: str, life: Life) -> list[str]:
    """What the catalogue lets events tell of entities of this type, and none has told of this one."""
    told = told_at(life)
    return [name for name in may_be_told(entity_type) if name not in told]


@cache
def may_be_told(entity_type: str) -> tuple[str, ...]:
    """All that the catalogue lets events tell of entities of a type."""
    found: dict[str, None] = {}
    for activity in CATALOGUE:
        if activity.entity_type == entity_type:
            effect = activity.effect
            if effect.begins:
                found["begun"] = None
            if effect.state is not None:
                found["state"] = None
            found |= dict.fromkeys(learned.attribute for learned in effect.learned)
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that two states do not share; None where one does not have it, a tuple of the value where it does."""

    path: str
    """A JSON Pointer into the state."""
    old: tuple[JsonValue] | None
    new: tuple[JsonValue] | None

    def as_json(self) -> JsonObject:
        shown: JsonObject = {"path": self.path}
        if self.old is not None:
            shown["old"] = self.old[0]
        if self.new is not None:
            shown["new"] = self.new[0]
        return shown


def differences(before: JsonObject, after: JsonObject) -> list[Difference]:
    """What leads from one state to the other, by path."""
    old, new = dict(_values(before)), dict(_values(after))
    return [
        Difference(pointer(path), old.get(path), new.get(path))
        for path in sorted({*old, *new})
        if _encoded(old.get(path)) != _encoded(new.get(path))
    ]


def applied(before: JsonObject, changes: list[Difference]) -> JsonObject:
    """The state that a difference leads to."""
    values = {pointer(path): (path, value) for path, value in _values(before)}
    attributes: JsonObject = {}
    for change in changes:
        path = tuple(step.replace("~1", "/").replace("~0", "~") for step in change.path.split("/")[1:])
        if change.new is None:
            values.pop(change.path, None)
        else:
            values[change.path] = path, change.new
    after: JsonObject = {"state": None, "attributes": attributes}
    for path, (value,) in values.values():
        (after if len(path) == 1 else attributes)[path[-1]] = value
    after["attributes"] = {name: attributes[name] for name in sorted(attributes)}
    return after


def _encoded(value: tuple[JsonValue] | None) -> bytes | None:
    """For comparing: to Python, true is 1."""
    return None if value is None else canonical.encode(value[0])


def _values(state: JsonObject) -> Iterator[tuple[tuple[str, ...], tuple[JsonValue]]]:
    yield ("state",), (state["state"],)
    attributes = state["attributes"]
    assert isinstance(attributes, dict)
    for name, value in attributes.items():
        yield ("attributes", name), (value,)


def _sets(life: Life) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, (value, _, _) in life.items():
        if key.startswith("sets/"):
            _, name, *element = key.split("/", 2)
            members = found.setdefault(name, [])
            if element and value:
                members.append(element[0])
    return found


def _counts(life: Life) -> Mapping[str, int]:
    found: defaultdict[str, int] = defaultdict(int)
    for key in life:
        if key.startswith("counts/"):
            _, name, *one = key.split("/", 2)
            found[name] += len(one)
    return found


COUNTED = frozenset(
    learned.attribute for activity in CATALOGUE for learned in activity.effect.learned if learned.how is How.COUNT
)
assert not COUNTED & SETS
