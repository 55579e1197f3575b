"""The binary form of COPY, handed on piece by piece: the database works on the first rows while the last are made.

The driver would gather 512 kB of rows before it sent any; then the database waits for us, and we for it.
https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format": each field has its length before it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct

from projections.database import Connection

NULL = b"\xff\xff\xff\xff"
"""A field without a value."""

_PIECE = 64 * 1024
_AT_A_TIME = 4
"""So many pieces are written before others get their turn on the event loop: what the socket holds."""

_FEW = 64
"""So many rows are sent at once: a piece by itself costs as much as five of them."""

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_LENGTH = Struct("!i").pack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OID_OF_TEXT = 25


async def copy_rows(
    connection: Connection, schema: str, table: str, columns: Sequence[str], rows: Iterable[bytes], count: int
) -> None:
    """Write `count` rows, which may still be made while they are taken: the number of fields (int16), then these."""
    pieces = _pieces(rows)
    source = memoryview(b"".join(pieces)) if count <= _FEW else _streamed(pieces)
    await connection.copy_to_table(
        table,
        schema_name=schema,
        columns=columns,
        format="binary",
        source=source,  # type: ignore[arg-type]  # The stubs do not know that any buffer will do.
    )


def field(data: bytes) -> bytes:
    return _LENGTH(len(data)) + data


def text(value: str) -> bytes:
    return field(value.encode())


def microseconds(moment: datetime) -> int:
    """As `timestamptz` counts them."""
    return (moment - _EPOCH) // _MICROSECOND


def texts(values: Sequence[str]) -> bytes:
    """An array of texts: dimensions, whether any is null, their type, how many, the first index."""
    if not values:
        return field(_ARRAY_OF_NONE)
    return field(_ARRAY(1, 0, _OID_OF_TEXT, len(values), 1) + b"".join(map(text, values)))


def tsvector(words: Sequence[str]) -> bytes:
    """The form that `tsvectorrecv` takes: a count, then each word, ended by NUL, with no places; words are distinct."""
    return field(_LENGTH(len(words)) + "\0\0\0".join((*words, "")).encode())


_ARRAY = Struct("!iiiii").pack
_ARRAY_OF_NONE = Struct("!iii").pack(0, 0, _OID_OF_TEXT)


async def _streamed(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for number, piece in enumerate(pieces, 1):
        yield piece
        if number % _AT_A_TIME == 0:
            await asyncio.sleep(0)


def _pieces(rows: Iterable[bytes]) -> Iterator[bytes]:
    parts, size = [_SIGNATURE], 0
    for row in rows:
        parts.append(row)
        size += len(row)
        if size >= _PIECE:
            yield b"".join(parts)
            parts, size = [], 0
    parts.append(_END)
    yield b"".join(parts)
