"""The binary form of COPY, in several statements: the database works on the first rows while the next are made.

By itself it inserts what it is sent in binary form once that is 1,000 rows or all, since the 64 kB after which it does
not wait for more are counted for texts only: so it would wait for us, and then we for it.
https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format": each field has its length before it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain, islice, repeat
from struct import Struct

from projections.database import Connection

NULL = b"\xff\xff\xff\xff"
"""A field without a value."""

_IN_A_STATEMENT = (32, 96, 125)
"""So many rows make the first statements, for which the database waits, and so many each of the others. By itself a
statement costs as much as ten rows; most often these fit into the socket.
"""

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_LENGTH = Struct("!i").pack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OID_OF_TEXT = 25


@asynccontextmanager
async def copying(
    connection: Connection, schema: str, table: str, columns: Sequence[str], rows: Iterable[bytes]
) -> AsyncIterator[None]:
    """Write rows, which may still be made while they are taken: the number of fields (int16), then these.

    What is done in this context is done while the database works on the last rows: it must leave the connection
    alone. That must be in a transaction, which is to be rolled back if this raises.
    """
    waiting, written = iter(rows), None
    sizes = chain(_IN_A_STATEMENT, repeat(_IN_A_STATEMENT[-1]))
    try:
        while made := list(islice(waiting, next(sizes))):
            if written is not None:
                await written
            source = memoryview(b"".join((_SIGNATURE, *made, _END)))
            written = asyncio.ensure_future(
                connection.copy_to_table(
                    table,
                    schema_name=schema,
                    columns=columns,
                    format="binary",
                    source=source,  # type: ignore[arg-type]  # The stubs do not know that any buffer will do.
                )
            )
            await asyncio.sleep(0)  # So that it is sent before the next are made.
        yield
        if written is not None:
            await written
    finally:
        if written is not None:
            written.cancel()
            await asyncio.gather(written, return_exceptions=True)


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
