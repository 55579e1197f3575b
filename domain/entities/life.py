"""The life of an entity: what is known of it after some of its events, and the one rule by which an event changes that.

Everything known is a register: a value, and the stamp of the event that told it. Of two stamps the one that
occurred later wins, and of what occurred at once the one that was recorded later. So the order in which events
are applied does not matter, and one that is reported late finds its place in time.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from domain.activity import Activity
from domain.catalogue import CATALOGUE
from domain.effect import ACTOR, How, Learned
from domain.event import AuditEvent
from domain.values import JsonObject, JsonValue
from domain.words import Status

Register: TypeAlias = tuple[JsonValue, str, int]
"""A value, when what told it occurred (RFC 3339 in UTC, of one width), and at which position."""

Life: TypeAlias = Mapping[str, Register]
"""Registers by key: `state`, `begun`, `ended`, `attributes/<name>`, `sets/<name>` (when it was last emptied),
`sets/<name>/<element>` (whether it is in), `counts/<name>` and `counts/<name>/<position>` alike."""

UNBORN: Life = MappingProxyType({})
"""Nothing is known yet."""

AFFECTED = "affected"
"""The set of what an entity's events also affected, as `domain:example.com`."""

MOST_REGISTERS = 10_000
"""Of one entity; beyond it the oldest are forgotten."""

SETS = frozenset(
    learned.attribute
    for activity in CATALOGUE
    for learned in activity.effect.learned
    if learned.how in {How.ADD, How.REMOVE, How.REPLACE, How.CLEAR}
) | {AFFECTED}
"""What holds several values at once."""

# In Python 3.11 to look up a member of an enumeration takes as long as all else that a rule here does.
_KEEP, _REMOVE, _REPLACE, _CLEAR, _COUNT = How.KEEP, How.REMOVE, How.REPLACE, How.CLEAR, How.COUNT
_SUCCESS = Status.SUCCESS

_EMPTIED = object()
_Tells: TypeAlias = Iterator[tuple[str, object]]


def evolve(life: Life, event: AuditEvent) -> Life:
    """What is known once this event is, too; the same object if it tells nothing of its entity."""
    return _told_of(life, event, [*tells(event)])


def evolve_course(life: Life, event: AuditEvent) -> Life:
    """The same of a life of which only `state`, `begun` and `ended` are known and wanted."""
    succeeded = event.facts["status"] == _SUCCESS
    return _told_of(life, event, list(_course(event.activity)) if succeeded else [])


def _told_of(life: Life, event: AuditEvent, told: list[tuple[str, object]]) -> Life:
    if not told:
        return life
    occurred_at, position = mine = stamp(event)
    registers = dict(life)
    for key, value in told:
        if value is _EMPTIED:
            _empty(registers, key, mine)
        elif _is_news(registers, key, mine):
            registers[key] = value, occurred_at, position  # type: ignore[assignment] # _EMPTIED is the only object
    return registers if len(registers) <= MOST_REGISTERS else _newest(registers)


def tells(event: AuditEvent) -> _Tells:
    """What an event says of its entity, by the keys of registers."""
    activity, facts = event.activity, event.facts
    if facts["status"] != _SUCCESS:
        for learned in activity.effect.learned:
            if learned.how is _COUNT:
                yield f"counts/{learned.attribute}/{facts['position']}", True
        return
    effect = activity.effect
    if effect.state is not None:
        yield from _course(activity)
    for learned in effect.learned:
        yield from _learned(learned, facts)
    if "changes" in facts:
        yield from _changed(facts["changes"])
    if "also_affected" in facts:
        yield from _also_affected(facts["also_affected"])


def _course(activity: Activity) -> _Tells:
    effect = activity.effect
    if effect.state is not None:
        yield "state", effect.state
    if effect.begins:
        yield "begun", activity.name
    if effect.ends:
        yield "ended", activity.name


def stamp(event: AuditEvent) -> tuple[str, int]:
    """By which events are ordered in time."""
    position = event.facts["position"]
    assert isinstance(position, int)
    return str(event.facts["occurred_at"]), position


def actor_key(facts: JsonObject) -> str:
    """The actor as `user:u-17`."""
    actor = facts["actor"]
    assert isinstance(actor, dict)
    return f"{actor['kind']}:{actor['id']}"


def _learned(learned: Learned, facts: JsonObject) -> _Tells:
    if learned.how is _CLEAR:
        yield f"sets/{learned.attribute}", _EMPTIED
        return
    if learned.how is _COUNT:
        yield f"counts/{learned.attribute}", _EMPTIED
        return
    details = facts["details"]
    assert isinstance(details, dict)
    value = actor_key(facts) if learned.detail == ACTOR else details.get(learned.detail)
    if value is None:
        return
    if learned.how is _KEEP:
        yield f"attributes/{learned.attribute}", value
    else:
        yield from _members(learned.attribute, value, learned.how)


def _members(name: str, value: JsonValue, how: How) -> _Tells:
    if how is _REPLACE:
        yield f"sets/{name}", _EMPTIED
    for member in value if isinstance(value, list) else [value]:
        yield f"sets/{name}/{member}", how is not _REMOVE


def _changed(changes: JsonValue) -> _Tells:
    """What `changes` say: an attribute is named by its path."""
    assert isinstance(changes, list)
    for change in changes:
        assert isinstance(change, dict)
        name = str(change["path"]).removeprefix("/")
        new = change.get("new")
        if name in SETS:
            yield from _members(name, [] if new is None else new, _REPLACE)
        elif "new" in change or "old" in change:
            yield f"attributes/{name}", new


def _also_affected(others: JsonValue) -> _Tells:
    assert isinstance(others, list)
    for other in others:
        assert isinstance(other, dict)
        yield f"sets/{AFFECTED}/{other['type']}:{other['id']}", True


def _is_news(registers: Mapping[str, Register], key: str, mine: tuple[str, int]) -> bool:
    known = registers.get(key)
    if known is not None and known[1:] > mine:
        return False
    if not key.startswith(("sets/", "counts/")):
        return True
    end = key.find("/", key.find("/") + 1)
    emptied = registers.get(key[:end]) if end > 0 else None
    return emptied is None or emptied[1:] <= mine


def _empty(registers: dict[str, Register], key: str, mine: tuple[str, int]) -> None:
    """Forget the members that were told of before."""
    if not _is_news(registers, key, mine):
        return
    begin = key + "/"
    for member in [name for name, known in registers.items() if name.startswith(begin) and known[1:] < mine]:
        del registers[member]
    registers[key] = None, *mine


def _newest(registers: Mapping[str, Register]) -> Life:
    newest = sorted(registers, key=lambda key: (*registers[key][1:], key))[-MOST_REGISTERS:]
    return {key: registers[key] for key in newest} | {
        key: registers[key] for key in ("state", "begun", "ended") if key in registers
    }
