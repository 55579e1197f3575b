"""Events as rows of COPY."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from struct import Struct

from adapters.postgres.event_columns import COLUMNS
from domain.ledger import LedgerEvent
from projections.binary_copy import NULL, copying, field, microseconds
from projections.database import Connection

# A length stands before each field.
_LENGTH = Struct("!i").pack
_POSITION_AND_LENGTH = Struct("!hiqi").pack
_NUMBER_AND_LENGTH = Struct("!iqi").pack
_HASHES = Struct("!i32si32s").pack


def copying_events(connection: Connection, events: Iterable[LedgerEvent]) -> AbstractAsyncContextManager[None]:
    """Write events, which may still be made while they are taken; see `copying`."""
    return copying(connection, "audit", "events", COLUMNS, map(_row, events))


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
            _NUMBER_AND_LENGTH(8, microseconds(event.recorded_at), len(record)),
            record,
            NULL if personal is None else field(personal),
            _HASHES(32, event.leaf_hash, 32, event.chain_hash),
        )
    )
