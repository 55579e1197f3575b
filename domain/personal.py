"""Personal data stands beside the record, which holds only its salted digest.

So it can be erased, or left out of an export, while every proof stays intact.
"""

from functools import lru_cache
from hashlib import sha256

from domain import canonical
from domain.activity import Activity
from domain.command import Actor
from domain.errors import pointer
from domain.values import PERSONAL, JsonObject, JsonValue

_OF_ACTOR = tuple(name for name, field in Actor.model_fields.items() if PERSONAL in field.metadata)
_PERSON = "user"


def digest(personal: bytes) -> bytes:
    """SHA-256(0x03 || personal): 32 bytes, what the record holds in place of the data."""
    return sha256(b"\x03" + personal).digest()


def set_apart(facts: JsonObject, activity: Activity, salt: bytes) -> bytes | None:
    """Move the personal fields out of `facts` into the bytes returned; None if there are none.

    The bytes are a JSON object: `fields` by JSON Pointer into the facts, and the `salt` of 16 bytes in hex.
    """
    fields: JsonObject = {}
    _move(facts["actor"], _OF_ACTOR, ("actor",), fields)
    _move(facts["details"], activity.personal_details, ("details",), fields)
    _move_names_of_people(facts, fields)
    if not fields:
        return None
    return canonical.encode({"fields": fields, "salt": salt.hex()})


def put_back(facts: JsonObject, personal: bytes) -> None:
    """The inverse of `set_apart`: restore the fields at their places.

    Raises InvalidJson, LookupError, TypeError or ValueError if the bytes do not belong to these facts.
    """
    fields = canonical.decode_object(personal)["fields"]
    if not isinstance(fields, dict):
        raise TypeError("the personal fields are not a JSON object")
    for path, value in fields.items():
        steps, last = _steps(path)
        place: JsonValue = facts
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]  # type: ignore[index]
        place[last] = value  # type: ignore[call-overload,index]


def _move_names_of_people(facts: JsonObject, fields: JsonObject) -> None:
    """The name of a user who is acted on, and what changed about one, are as personal as an actor's."""
    entity = facts["entity"]
    assert isinstance(entity, dict)
    if entity["type"] == _PERSON:
        _move(entity, ("name",), ("entity",), fields)
        _move_changes(facts, fields)
    affected = facts.get("also_affected")
    if isinstance(affected, list):
        for index, other in enumerate(affected):
            if isinstance(other, dict) and other["type"] == _PERSON:
                _move(other, ("name",), ("also_affected", index), fields)


def _move_changes(facts: JsonObject, fields: JsonObject) -> None:
    changes = facts.get("changes")
    if isinstance(changes, list):
        for index, change in enumerate(changes):
            _move(change, ("old", "new"), ("changes", index), fields)


def _move(place: JsonValue, names: tuple[str, ...], path: tuple[str | int, ...], fields: JsonObject) -> None:
    assert isinstance(place, dict)
    for name in names:
        if name in place:
            fields[_pointer(*path, name)] = place.pop(name)


@lru_cache(maxsize=10_000)
def _pointer(*path: str | int) -> str:
    """Remembered, since they are few, and each would take as long as all else about its field."""
    return pointer(path)


@lru_cache(maxsize=10_000)
def _steps(path: str) -> tuple[tuple[str, ...], str]:
    """Of such a pointer: the way to the place, and the name there."""
    _, *steps, last = path.split("/")
    return tuple(steps), last
