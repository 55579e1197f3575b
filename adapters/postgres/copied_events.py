"""Events in the binary form of COPY, handed on piece by piece: the database works on the first while the last are made.

The driver would gather 512 kB of rows before it sent any; then the database waits for us, and we for it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from struct import Struct

from domain.ledger import LedgerEvent
from projections.database import Connection

COLUMNS = (
    "position",
    "command_id",
    "originator_id",
    "originator_version",
    "topic",
    "recorded_at",
    "record",
    "personal",
    "leaf_hash",
    "chain_hash",
)
"""In the order of the rows. Their ledger is the one that the transaction is bound to: the writer may name no other."""

_PIECE = 64 * 1024
_FEW = 64
"""So many events are sent at once: a piece by itself costs as much as five of them."""

# https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format": each field has its length before it.
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_LENGTH = Struct("!i").pack
_POSITION_AND_LENGTH = Struct("!hiqi").pack
_NUMBER_AND_LENGTH = Struct("!iqi").pack
_HASHES = Struct("!i32si32s").pack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


async def copy_events(connection: Connection, events: Iterable[LedgerEvent], count: int) -> None:
    """Write `count` events, which may still be made while they are taken."""
    pieces = _pieces(events)
    source = memoryview(b"".join(pieces)) if count <= _FEW else _streamed(pieces)
    await connection.copy_to_table(
        "events",
        schema_name="audit",
        columns=COLUMNS,
        format="binary",
        source=source,  # type: ignore[arg-type]  # The stubs do not know that any buffer will do.
    )


async def _streamed(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        # What is written leaves with the loop's next turn.
        await asyncio.sleep(0)


def _pieces(events: Iterable[LedgerEvent]) -> Iterator[bytes]:
    parts, size = [_SIGNATURE], 0
    for event in events:
        row = _row(event)
        parts.append(row)
        size += len(row)
        if size >= _PIECE:
            yield b"".join(parts)
            parts, size = [], 0
    parts.append(_END)
    yield b"".join(parts)


def _row(event: LedgerEvent) -> bytes:
    command_id, originator_id, topic = (
        event.command_id.encode(),
        str(event.originator_id).encode(),
        event.topic.encode(),
    )
    record, personal = event.state, event.personal
    return b"".join(
        (
            _POSITION_AND_LENGTH(len(COLUMNS), 8, event.id, len(command_id)),
            command_id,
            _LENGTH(len(originator_id)),
            originator_id,
            _NUMBER_AND_LENGTH(8, event.originator_version, len(topic)),
            topic,
            _NUMBER_AND_LENGTH(8, (event.recorded_at - _EPOCH) // _MICROSECOND, len(record)),
            record,
            _NULL if personal is None else _LENGTH(len(personal)) + personal,
            _HASHES(32, event.leaf_hash, 32, event.chain_hash),
        )
    )
