"""The types of single values in commands and details, strict about JSON and about what they accept."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer

from domain.json_value import JsonObject, JsonValue
from domain.times import parse_rfc3339, rfc3339

__all__ = ["JsonObject", "JsonValue", "parse_rfc3339", "rfc3339"]  # Beside what is defined here.

LARGEST_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8259, section 6)."""

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class Personal:
    """Marks a field that names or locates a person: it is kept beside the record, not in it."""


PERSONAL = Personal()


def _only_rfc3339(value: object) -> object:
    if isinstance(value, str):
        if not _RFC_3339.fullmatch(value):
            raise ValueError("must be an RFC 3339 time with a zone, as 2026-11-24T10:00:00Z")
        return value
    if isinstance(value, datetime):
        return value
    raise ValueError("must be a text that holds an RFC 3339 time, as 2026-11-24T10:00:00Z")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time between the years 1 and 9999 in UTC") from None


_WIRE_TIME = Annotated[str, Field(json_schema_extra={"format": "date-time"})]

Timestamp = Annotated[
    AwareDatetime,
    Field(strict=False),
    BeforeValidator(_only_rfc3339, json_schema_input_type=_WIRE_TIME),
    AfterValidator(_in_utc),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
]
"""RFC 3339 with a zone; kept in UTC with microseconds, finer digits are cut."""

Identifier = Annotated[str, Field(min_length=1, max_length=256)]
"""An id that another system chose."""

Name = Annotated[str, Field(min_length=1, max_length=1024)]
"""A name for people: a subject, a host, a person, a product."""

Text = Annotated[str, Field(max_length=32_768)]
"""Free text, which may be empty."""

Code = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
"""A short word from somebody's vocabulary: a reason code, a method, a protocol."""

Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""The type of an entity, in lower case: `certificate`, `key_store`."""

Integer = Annotated[int, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
Count = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest in lower-case hexadecimal."""

Names = Annotated[tuple[Name, ...], Field(strict=False, max_length=10_000)]
PersonName = Annotated[Name, PERSONAL]
"""A person who took part, by name or id; write `Annotated[Name | None, PERSONAL]` where it may be missing."""

Identifiers = Annotated[tuple[Identifier, ...], Field(strict=False, max_length=10_000)]
