"""Replaying an entity: its records are checked, one and all, and those that count are folded."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from domain.entities.entity import Entity
from domain.entities.history import SEGMENT, Bodies, Segment
from domain.entities.life import Life
from domain.entities.moment import Moment
from domain.event import AuditEvent
from domain.mapper import RecordMapper
from domain.values import rfc3339
from domain.words import Ledger

Key: TypeAlias = tuple[Ledger, str, int]
"""A segment: its ledger, its entity and its first version."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the records of a segment, and of all before it, had made of an entity."""

    digest: bytes
    """Of all these records."""
    first: str
    """When the first event of the segment itself occurred."""
    last: str
    entity: Entity


class Snapshots:
    """What this process has replayed itself, for the segments of long lives; the latest used stay.

    They only spare the decoding of records that were read and checked again, and found to be the same. They are
    not kept in the database: who can change a record there could change them as well.
    """

    def __init__(self, most: int = 4000) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Snapshot] = OrderedDict()

    def of(self, key: Key, digest: bytes) -> Snapshot | None:
        """The snapshot of a segment, if it was made from these very records."""
        snapshot = self._kept.get(key)
        if snapshot is None or snapshot.digest != digest:
            return None
        self._kept.move_to_end(key)
        return snapshot

    def has(self, key: Key) -> bool:
        return key in self._kept

    def keep(self, key: Key, snapshot: Snapshot) -> None:
        self._kept[key] = snapshot
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


Watch: TypeAlias = Callable[[AuditEvent, Life, Life], None]
"""Told of each event that counts, with what was known before and after it."""


class Replay:
    """One replay: takes the segments of an entity in their order."""

    def __init__(self, originator_id: str, moment: Moment, mapper: RecordMapper, snapshots: Snapshots) -> None:
        self.entity = Entity.unborn(originator_id)
        self._until = None if moment.at is None else rfc3339(moment.at)
        self._mapper = mapper
        self._snapshots = snapshots
        self._digest = b""
        """Of all records so far, in whole segments."""
        self._whole = True
        """Whether every event so far was taken in."""

    def recall(self, ledger: Ledger, bodies: Bodies) -> bool:
        """Whether a segment needs no decoding: it is what was checked before, and all or none of its events count."""
        if not bodies.is_whole:
            return False
        digest = sha256(self._digest + bodies.digest()).digest()
        snapshot = self._snapshots.of((ledger, self.entity.id, bodies.first_version), digest)
        if snapshot is None or not self._skip(bodies.first_version + SEGMENT - 1, snapshot):
            return False
        self._digest = digest
        return True

    def take(self, segment: Segment, watch: Watch | None = None) -> None:
        """Check the records of a segment and fold those that count. Raises BrokenRecord."""
        segment.check()
        events = segment.events(self._mapper)
        for event in events:
            self._fold(event, watch)
        if not segment.is_whole:
            return
        self._digest = sha256(self._digest + Bodies.of(segment).digest()).digest()
        if self._whole:
            times = [str(event.facts["occurred_at"]) for event in events]
            key = (segment.ledger, segment.originator_id, segment.first_version)
            self._snapshots.keep(key, Snapshot(self._digest, min(times), max(times), self.entity.copied()))

    def _fold(self, event: AuditEvent, watch: Watch | None) -> None:
        if self._until is not None and str(event.facts["occurred_at"]) > self._until:
            self.entity.pass_over(event)
            self._whole = False
            return
        before = self.entity.life
        event.mutate(self.entity)
        if watch is not None:
            watch(event, before, self.entity.life)

    def _skip(self, last_version: int, snapshot: Snapshot) -> bool:
        """Use what is known of these records, if all or none of them count."""
        if self._until is not None and snapshot.first > self._until:
            self.entity.version = last_version
            self._whole = False
            return True
        if self._whole and (self._until is None or snapshot.last <= self._until):
            self.entity = snapshot.entity.copied()
            return True
        return False
