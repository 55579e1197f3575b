"""JSON as it is hashed: one form for one meaning, and nothing that JSON readers disagree on."""

import math
from collections.abc import Iterable, Iterator, Sequence

import orjson

from domain.errors import FieldError, InvalidJson, pointer
from domain.values import LARGEST_INTEGER, JsonObject, JsonValue

MAX_DEPTH = 32

_NUL = b"\\u0000"
"""NUL as JSON has it; so does a text with a backslash before `u0000`, which is then looked at closely."""


def encode(value: JsonValue) -> bytes:
    """UTF-8, keys sorted by code point, no white space."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def decode(data: bytes) -> JsonValue:
    """Raises InvalidJson for what is not JSON in UTF-8: NaN, lone surrogates and broken bytes among it."""
    try:
        value: JsonValue = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidJson(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    return value


def decode_object(data: bytes) -> JsonObject:
    """Raises InvalidJson if it is not JSON or not an object."""
    value = decode(data)
    if not isinstance(value, dict):
        raise InvalidJson("a JSON object was expected")
    return value


def disputed(value: JsonValue) -> Sequence[FieldError]:
    """What in a decoded value is not kept alike by all JSON readers, or not at all by databases."""
    # Hardly any command is disputed: whether one is takes a fifth of the time that the places take.
    if _within_bounds([value], -1) and _NUL not in orjson.dumps(value):
        return ()
    return tuple(_disputed(value, ()))


def _within_bounds(items: Iterable[JsonValue], depth: int) -> bool:
    """Whether no number is too large, and nothing lies too deep, among the members of what lies at `depth`."""
    for item in items:
        if isinstance(item, str):
            continue
        if isinstance(item, dict | list):
            if depth + 1 >= MAX_DEPTH or not _within_bounds(
                item.values() if isinstance(item, dict) else item, depth + 1
            ):
                return False
        elif item is not None and not -LARGEST_INTEGER <= item <= LARGEST_INTEGER:
            return False
    return True


def _disputed(value: JsonValue, path: tuple[str | int, ...]) -> Iterator[FieldError]:
    if isinstance(value, str):
        if "\0" in value:
            yield FieldError(pointer(path), "must not contain the character NUL (U+0000)")
    elif isinstance(value, int | float):
        # A float beyond 2^53 is an integer, too.
        if abs(value) > LARGEST_INTEGER or math.isnan(value):
            yield FieldError(pointer(path), "must be a number that JSON keeps exactly (integers within ±(2^53-1))")
    elif len(path) >= MAX_DEPTH and value is not None:
        yield FieldError(pointer(path), f"must not be nested deeper than {MAX_DEPTH} levels")
    elif isinstance(value, dict | list):
        if isinstance(value, dict) and any("\0" in key for key in value):
            yield FieldError(pointer(path), "must not have a key with the character NUL (U+0000)")
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _disputed(item, (*path, step))
