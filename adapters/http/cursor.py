"""Cursors: where the next page goes on, opaque to callers.

A cursor gives access to nothing, so it is not signed. Its digest binds it to the query that it belongs to and
shows damage.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from adapters.http.problems import InvalidQuery
from domain import canonical
from domain.errors import FieldError, InvalidJson
from domain.values import JsonObject, JsonValue

T = TypeVar("T")

_DIGEST_BYTES = 12


def encode(query: JsonObject, keyset: list[JsonValue]) -> str:
    """The cursor that goes on behind `keyset` in this query."""
    place = canonical.encode(keyset)
    return urlsafe_b64encode(_digest(query, place) + place).decode().rstrip("=")


def decode(query: JsonObject, cursor: str, keyset: TypeAdapter[T]) -> T:
    """The keyset of a cursor, of this type. Raises InvalidQuery if it is not one of this query."""
    try:
        place = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[_DIGEST_BYTES:]
        found = canonical.decode(place)
        # Made anew and compared, since base64 has many spellings and its decoder skips what it does not know.
        if isinstance(found, list) and encode(query, found) == cursor:
            return keyset.validate_python(tuple(found))
    except (ValueError, InvalidJson, ValidationError):
        pass
    raise InvalidQuery([FieldError("cursor", "belongs to another query, or is damaged: start again without it")])


def _digest(query: JsonObject, place: bytes) -> bytes:
    return sha256(canonical.encode(query) + b"\n" + place).digest()[:_DIGEST_BYTES]
