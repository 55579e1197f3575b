"""Cursors: where the next page goes on, opaque to callers.

A page that follows by cursor belongs to a search that was recorded when it began. So a cursor is signed, with the
query and the caller: none can be made up to search unseen.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from adapters.http.problems import InvalidQuery
from domain import canonical
from domain.errors import FieldError, InvalidJson
from domain.values import JsonObject, JsonValue

T = TypeVar("T")

_SIGNATURE_BYTES = 16


@dataclass(frozen=True)
class Cursors:
    """Makes cursors and reads them, with a key that all processes of the service share."""

    key: bytes = field(repr=False)

    def encode(self, query: JsonObject, keyset: list[JsonValue]) -> str:
        """The cursor that goes on behind `keyset` in this query."""
        place = canonical.encode(keyset)
        return urlsafe_b64encode(self._signature(query, place) + place).decode().rstrip("=")

    def decode(self, query: JsonObject, cursor: str, keyset: TypeAdapter[T]) -> T:
        """The keyset of a cursor, of this type. Raises InvalidQuery if it is not one of this query."""
        try:
            place = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[_SIGNATURE_BYTES:]
            found = canonical.decode(place)
            # Made anew and compared, since base64 has many spellings and its decoder skips what it does not know.
            if isinstance(found, list) and hmac.compare_digest(self.encode(query, found).encode(), cursor.encode()):
                return keyset.validate_python(tuple(found))
        except (ValueError, InvalidJson, ValidationError):
            pass
        raise InvalidQuery([FieldError("cursor", "belongs to another query, or is damaged: start again without it")])

    def _signature(self, query: JsonObject, place: bytes) -> bytes:
        return hmac.digest(self.key, canonical.encode(query) + b"\n" + place, "sha256")[:_SIGNATURE_BYTES]
