"""An event in an exported file: what is evidence, and the columns that people read, which follow from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from domain import canonical
from domain import personal as personal_data
from domain.activity import Wording
from domain.values import JsonObject, JsonValue, parse_rfc3339

Cell: TypeAlias = str | int | float | None
"""What a cell holds; None where there is nothing, which is not the same as an empty text."""

Words: TypeAlias = Mapping[str, Wording]
"""The words in which descriptions are told, by type of event."""

FIRST_DAY = datetime(1899, 12, 30, tzinfo=UTC)
"""From where spreadsheets count days."""

_DAY = timedelta(days=1)


class Evidence(NamedTuple):
    """What proves an event: its row of the ledger."""

    position: int
    record: bytes
    personal: bytes | None
    leaf_hash: bytes
    chain_hash: bytes


class Kind(StrEnum):
    TEXT = "text"
    JSON = "json"
    TIME = "time"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Column:
    """One column that people read."""

    title: str
    place: str
    """Which object of the facts it is from: `event`, `actor`, `entity` or `failure`."""
    name: str
    width: int
    """In characters, as wide as what it usually holds."""
    kind: Kind = Kind.TEXT


_PLACES = ("event", "actor", "entity", "failure")
_NOTHING: JsonObject = {}


class Columns(Sequence[Column]):
    """Columns in their order, and the way from an event's facts to what stands in them."""

    def __init__(self, columns: Iterable[Column]) -> None:
        self._columns = tuple(columns)
        keys = [(column.place, column.name) for column in self._columns]
        by_place = sorted(keys, key=lambda key: _PLACES.index(key[0]))
        self._names = [[name for place, name in by_place if place == wanted] for wanted in _PLACES]
        self._in_order = itemgetter(*(by_place.index(key) for key in keys))
        self._json = [index for index, column in enumerate(self._columns) if column.kind is Kind.JSON]
        self.of_time = [index for index, column in enumerate(self._columns) if column.kind is Kind.TIME]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Columns) and other._columns == self._columns

    def __hash__(self) -> int:
        return hash(self._columns)

    def __reduce__(self) -> tuple[type["Columns"], tuple[tuple[Column, ...]]]:
        return Columns, (self._columns,)

    def __getitem__(self, index: Any) -> Any:
        return self._columns[index]

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def titles(self) -> list[str]:
        return [column.title for column in self._columns]

    def index(self, title: Any, *_: Any) -> int:
        return self.titles.index(title)

    def texts(self, facts: JsonObject, missing: Cell = None) -> list[Cell]:
        """What stands in each column, times as RFC 3339. Raises LookupError, TypeError for facts that are none."""
        event, actor, entity, failure = self._names
        values: list[Any] = list(
            self._in_order(
                (
                    *map(facts.get, event, repeat(missing)),
                    *map(facts["actor"].get, actor, repeat(missing)),  # type: ignore[union-attr]
                    *map(facts["entity"].get, entity, repeat(missing)),  # type: ignore[union-attr]
                    *map((facts.get("failure") or _NOTHING).get, failure, repeat(missing)),  # type: ignore[union-attr]
                )
            )
        )
        if None in values:
            values = [missing if value is None else value for value in values]
        for index in self._json:
            if values[index] is not missing:
                values[index] = canonical.encode(values[index]).decode()
        return values

    def cells(self, facts: JsonObject) -> list[Cell]:
        """The same, with times as spreadsheets have them: in days."""
        values = self.texts(facts)
        for index in self.of_time:
            values[index] = in_days(values[index])
        return values


EVENT_COLUMNS = Columns(
    (
        Column("User", "actor", "full_name", 22),
        Column("User id", "actor", "id", 16),
        Column("User kind", "actor", "kind", 10),
        Column("Module", "event", "module", 22),
        Column("Activity", "event", "activity", 30),
        Column("Description", "event", "description", 60),
        Column("Occurred (UTC)", "event", "occurred_at", 23, Kind.TIME),
        Column("Recorded (UTC)", "event", "recorded_at", 23, Kind.TIME),
        Column("Status", "event", "status", 10),
        Column("Failure code", "failure", "code", 16),
        Column("Failure reason", "failure", "reason", 30),
        Column("Entity type", "entity", "type", 18),
        Column("Entity id", "entity", "id", 22),
        Column("Entity name", "entity", "name", 30),
        Column("Also affected", "event", "also_affected", 20, Kind.JSON),
        Column("Source", "event", "source", 20),
        Column("Channel", "event", "channel", 10),
        Column("IP address", "actor", "ip", 16),
        Column("E-mail", "actor", "email", 24),
        Column("Roles", "actor", "roles", 18, Kind.JSON),
        Column("User agent", "actor", "user_agent", 20),
        Column("Session", "actor", "session_id", 14),
        Column("Authenticated by", "actor", "auth_method", 16),
        Column("On behalf of", "actor", "on_behalf_of", 14),
        Column("Correlation", "event", "correlation_id", 20),
        Column("Caused by", "event", "causation_id", 20),
        Column("Changes", "event", "changes", 24, Kind.JSON),
        Column("Details", "event", "details", 40, Kind.JSON),
        Column("Command id", "event", "command_id", 24),
        Column("Event id", "event", "event_id", 38),
        Column("Event type", "event", "type", 24),
        Column("Schema version", "event", "schema_version", 10, Kind.NUMBER),
        Column("Entity version", "event", "entity_version", 10, Kind.NUMBER),
        Column("Position", "event", "position", 12, Kind.NUMBER),
    )
)
"""Every fact of an event, for people."""


def facts_of(record: bytes, personal: bytes | None, words: Words) -> tuple[JsonObject, JsonValue]:
    """The facts of a record with the personal ones in their places and the description; and the personal digest.

    Raises InvalidJson, LookupError, TypeError, ValueError or AttributeError for what is no record.
    """
    facts = canonical.decode_object(record)
    if personal is not None:
        personal_data.put_back(facts, personal)
    digest = facts.pop("personal", None)
    facts["description"] = words[facts["type"]].describe_facts(facts)  # type: ignore[index]
    return facts, digest


def row_hash(leaf_hash: bytes, chain_hash: bytes, *, shows_personal: bool) -> bytes:
    """SHA-256(0x05 || leaf hash || chain hash || 0x01 if the personal data are in the row, or 0x00): 32 bytes."""
    return sha256(b"\x05" + leaf_hash + chain_hash + (b"\x01" if shows_personal else b"\x00")).digest()


def in_days(moment: object) -> float:
    """An RFC 3339 time in days since FIRST_DAY, as spreadsheets have it: exact to some microseconds."""
    return (parse_rfc3339(moment) - FIRST_DAY) / _DAY
