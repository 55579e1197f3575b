"""A row of the ledger as it is stored, and whether its columns say what its record says."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeAlias

import orjson

from domain.tampering import TamperingKind
from domain.times import rfc3339
from domain.words import Ledger, originator_id

StoredRow: TypeAlias = tuple[int, str, str, int, str, datetime, bytes, bytes | None, bytes, bytes]
"""position, command_id, originator_id, originator_version, topic, recorded_at, record, personal, leaf_hash,
chain_hash: the order of the columns of the ledger."""

Fault: TypeAlias = tuple[TamperingKind, str]
"""What is wrong with a row, and the words for it."""

_TIME_LENGTH = len("2026-11-24T10:00:00.000000Z")
_MOST_NAMED = 63


def agrees(ledger: Ledger, row: StoredRow) -> bool:
    """Whether the record is canonical JSON and every other column, but for the hashes, says what it says.

    For the many rows that are good: what is wrong with another is told by `fault`.
    """
    position, command_id, originator, version, topic, recorded_at, record, personal, _, _ = row
    try:
        facts = orjson.loads(record)
        entity, time, stated = facts["entity"], facts["recorded_at"], facts.get("personal")
        return (
            facts["position"] == position
            and facts["entity_version"] == version
            and facts["command_id"] == command_id
            and facts["type"] == topic
            and facts["ledger"] == ledger
            and f"{entity['type']}:{entity['id']}" == originator
            and len(time) == _TIME_LENGTH
            and datetime.fromisoformat(time) == recorded_at
            and (stated is None if personal is None else sha256(b"\x03" + personal).hexdigest() == stated)
            and orjson.dumps(facts, None, orjson.OPT_SORT_KEYS) == record
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def fault(ledger: Ledger, row: StoredRow) -> Fault | None:
    """What `agrees` has found wrong, the most telling first; None if nothing is."""
    try:
        facts = orjson.loads(row[6])
        said = _said(facts)
        canonical = orjson.dumps(facts, None, orjson.OPT_SORT_KEYS) == row[6]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return TamperingKind.UNREADABLE, "the record is not that of an event"
    if facts["ledger"] != ledger:
        return TamperingKind.FOREIGN, f"the event was recorded in the ledger {_printable(facts['ledger'])}"
    if not canonical:
        return TamperingKind.NOT_CANONICAL, "the record is not in the one form that its facts have"
    wrong = [name for name, stored, true in _compared(row, said) if stored != true]
    if "position" in wrong:
        return TamperingKind.MOVED, "the event was recorded at another position than that at which it stands"
    if wrong:
        columns = f"column{'s' if len(wrong) > 1 else ''} {' and '.join(wrong)}"
        return TamperingKind.COLUMN_ALTERED, f"the {columns} of the event is not what its record says"
    return _personal_fault(row[7], facts.get("personal"))


def _said(facts: Any) -> tuple[object, ...]:
    """The columns before the record, as it has them. Raises what reading JSON of another shape raises."""
    entity = facts["entity"]
    return (
        facts["position"],
        facts["command_id"],
        originator_id(entity["type"], entity["id"]),
        facts["entity_version"],
        facts["type"],
        facts["recorded_at"],
    )


def _compared(row: StoredRow, said: tuple[object, ...]) -> Iterator[tuple[str, object, object]]:
    stored = (*row[:5], rfc3339(row[5]))
    names = ("position", "command_id", "originator_id", "originator_version", "topic", "recorded_at")
    return zip(names, stored, said, strict=True)


def _personal_fault(personal: bytes | None, stated: object) -> Fault | None:
    if personal is None:
        if stated is None:
            return None
        return TamperingKind.PERSONAL_MISSING, "the personal data are gone, and no event says that they were erased"
    if stated is None:
        return TamperingKind.PERSONAL_ADDED, "there are personal data of which the record knows nothing"
    if sha256(b"\x03" + personal).hexdigest() != stated:
        return TamperingKind.PERSONAL_ALTERED, "the personal data are not those whose digest the record holds"
    return None


def _printable(name: object) -> str:
    return repr(str(name)[:_MOST_NAMED])
