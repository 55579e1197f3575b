"""Cursors: where the next page goes on, opaque to callers.

A cursor gives access to nothing, so it is not signed. Its digest binds it to the query that it belongs to and
shows damage.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from adapters.http.problems import InvalidQuery
from domain import canonical
from domain.errors import FieldError, InvalidJson
from domain.values import JsonObject, JsonValue

_DIGEST_BYTES = 12


def encode(query: JsonObject, keyset: list[JsonValue]) -> str:
    """The cursor that goes on behind `keyset` in this query."""
    place = canonical.encode(keyset)
    return urlsafe_b64encode(_digest(query, place) + place).decode().rstrip("=")


def decode(query: JsonObject, cursor: str) -> list[JsonValue]:
    """The keyset of a cursor. Raises InvalidQuery if it is not one of this query."""
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        digest, place = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        keyset = canonical.decode(place)
    except (ValueError, InvalidJson):
        keyset = None
    if not isinstance(keyset, list) or digest != _digest(query, place):
        raise InvalidQuery([FieldError("cursor", "belongs to another query, or is damaged: start again without it")])
    return keyset


def _digest(query: JsonObject, place: bytes) -> bytes:
    return sha256(canonical.encode(query) + b"\n" + place).digest()[:_DIGEST_BYTES]
