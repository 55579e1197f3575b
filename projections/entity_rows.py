"""The rows of one entity in the read table `entities`: which state it had, in which span of positions and of time.

A row's positions say when its state was the last that had been recorded; its times, when it was so by all that is
known now. For events that come in the order in which they occurred both are spans between the same events. One that
is reported late makes rows that have times only, and takes the times from rows that keep their positions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from domain import canonical
from domain.entities.life import UNBORN, Life, evolve
from domain.event import AuditEvent
from domain.values import parse_rfc3339

LAST_POSITION = 2**63 - 1
LAST_TIME = datetime(9999, 1, 1, tzinfo=UTC)
"""Until when the rows are so that nothing has ended."""


@dataclass(slots=True)
class EntityRow:
    life: Life
    name: str | None
    from_position: int
    from_time: datetime
    until_position: int = LAST_POSITION
    until_time: datetime = LAST_TIME
    is_stored: bool = False
    is_changed: bool = False
    """Whether it is stored and its ends must be moved."""

    def end(self, *, position: int | None = None, time: datetime | None = None) -> None:
        """Let its state be so until this position, or this time."""
        if position is not None:
            self.until_position = position
        if time is not None:
            self.until_time = time
        self.is_changed = self.is_stored


@dataclass(slots=True)
class EntityRows:
    """The rows that may change, by time, the one that was recorded last among them; and those that are new."""

    latest: EntityRow | None = None
    in_time: list[EntityRow] = field(default_factory=list)
    """Those that have times, as far back as the events to be applied reach."""
    touched: list[EntityRow] = field(default_factory=list)
    held: set[str] | None = field(default_factory=set)
    """What stored rows are found by; None once a late event makes it uncertain since when."""

    def load(self, row: EntityRow, holds: Sequence[str]) -> None:
        """Take in a stored row and what it is found by; in the order of time."""
        row.is_stored = True
        self.in_time.append(row)
        self.touched.append(row)
        if self.held is not None:
            self.held.update(holds)
        if row.until_position == LAST_POSITION:
            self.latest = row

    def apply(self, event: AuditEvent) -> None:
        """Bring the rows from the state before an event that tells something to the state after it."""
        time = parse_rfc3339(event.facts["occurred_at"])
        latest = self.latest
        if latest is None or time >= latest.from_time:
            self._append(event, time)
        else:
            self._insert(event, time)

    def _append(self, event: AuditEvent, time: datetime) -> None:
        """It is the last both in position and in time."""
        latest, position = self.latest, _position(event)
        life = evolve(UNBORN if latest is None else latest.life, event)
        if latest is not None:
            latest.end(position=position, time=time)
        name = _name(event) or (None if latest is None else latest.name)
        self._add(EntityRow(life, name, position, time), is_latest=True)

    def _insert(self, event: AuditEvent, time: datetime) -> None:
        """It was reported late: what was so from its time on must be known anew."""
        position, self.held = _position(event), None
        later = [row for row in self.in_time if row.until_time > time]
        if later[0].from_time > time:
            life = evolve(UNBORN, event)
            self._add(EntityRow(life, _name(event), position, time, position, later[0].from_time))
        for row in later:
            life = evolve(row.life, event)
            if life == row.life:
                continue
            is_latest = row is self.latest
            since, until = max(row.from_time, time), row.until_time
            row.end(time=since, position=position if is_latest else None)
            new = EntityRow(life, row.name, position, since, position, until)
            if is_latest:
                new.until_position = LAST_POSITION
            self._add(new, is_latest=is_latest)
        self.in_time = sorted(
            (row for row in self.in_time if row.from_time < row.until_time), key=lambda row: row.from_time
        )

    def _add(self, row: EntityRow, *, is_latest: bool = False) -> None:
        self.in_time.append(row)
        self.touched.append(row)
        if is_latest:
            self.latest = row


def encode(life: Life) -> str:
    """A life as text."""
    return canonical.encode({key: [*register] for key, register in life.items()}).decode()


def decode(text: str) -> Life:
    """The inverse."""
    registers: Any = canonical.decode_object(text.encode())
    return {key: tuple(register) for key, register in registers.items()}


def _position(event: AuditEvent) -> int:
    position = event.facts["position"]
    assert isinstance(position, int)
    return position


def _name(event: AuditEvent) -> str | None:
    entity = event.facts["entity"]
    assert isinstance(entity, dict)
    return str(entity["name"]) if "name" in entity else None
