"""The records of one entity, as they come from the ledger, and the check that each of them holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from domain import personal
from domain.chain import chain_hash
from domain.errors import AuditError, UnreadableEvent
from domain.event import AuditEvent
from domain.mapper import RecordMapper
from domain.merkle import leaf_hash
from domain.values import JsonObject
from domain.words import Ledger, Position

SEGMENT = 500
"""How many versions are read, checked and remembered together."""


class BrokenRecord(AuditError):
    """A record whose hash does not hold, or that is missing: what follows from it would be no evidence."""

    def __init__(self, position: int, words: str) -> None:
        super().__init__(f"the record at position {position} does not hold: {words}")
        self.position = Position(position)
        self.words = words


@dataclass(frozen=True, slots=True)
class Bodies:
    """The records of a segment with their leaf hashes, one behind the other."""

    first_version: int
    records: Sequence[bytes]
    leaf_hashes: bytes

    def hold(self) -> bool:
        """Whether it is a whole segment, and each record has its leaf hash."""
        return len(self.records) == SEGMENT and b"".join(map(leaf_hash, self.records)) == self.leaf_hashes

    def digest(self) -> bytes:
        return sha256(self.leaf_hashes).digest()


@dataclass(frozen=True, slots=True)
class Segment:
    """Versions of one entity that follow one another, a list for each column of the ledger.

    It begins with version 1, 501, 1001 and so on.
    """

    ledger: Ledger
    originator_id: str
    first_version: int
    versions: Sequence[int]
    positions: Sequence[int]
    topics: Sequence[str]
    records: Sequence[bytes]
    personals: Sequence[bytes | None]
    leaf_hashes: Sequence[bytes]
    chain_hashes: Sequence[bytes]
    previous: Sequence[bytes | None]
    """The chain hash of the position before each; None if there is no such row."""

    @property
    def is_whole(self) -> bool:
        return len(self.versions) == SEGMENT

    def digest(self) -> bytes:
        """Of its leaf hashes: the same digest is the same records, once these hold."""
        return sha256(b"".join(self.leaf_hashes)).digest()

    def check(self) -> None:
        """Recompute every hash. Raises BrokenRecord at the first that does not hold."""
        expected = self.first_version
        rows = zip(self.versions, self.records, self.leaf_hashes, self.chain_hashes, self.previous, strict=True)
        for number, (version, record, leaf, chain, before) in enumerate(rows):
            if version != expected:
                raise self._broken(number, f"version {expected} of {self.originator_id} is missing before it")
            if leaf_hash(record) != leaf:
                raise self._broken(number, "its leaf hash is that of other bytes")
            if before is None or chain_hash(before, leaf) != chain:
                raise self._broken(number, "its chain hash does not follow from the one before")
            expected += 1

    def events(self, mapper: RecordMapper) -> list[AuditEvent]:
        """The events, in the order of versions. Raises BrokenRecord if one is not what its row says."""
        return [self._event(number, mapper) for number in range(len(self.versions))]

    def _event(self, number: int, mapper: RecordMapper) -> AuditEvent:
        position, version, topic = self.positions[number], self.versions[number], self.topics[number]
        try:
            event = mapper.event(self.originator_id, version, topic, self.records[number], self.personals[number])
        except UnreadableEvent as error:
            raise self._broken(number, str(error)) from error
        facts, entity = event.facts, event.facts["entity"]
        assert isinstance(entity, dict)
        named = f"{entity['type']}:{entity['id']}"
        if (
            facts["position"] != position
            or facts["entity_version"] != version
            or named != self.originator_id
            or facts["ledger"] != self.ledger
        ):
            said = f"{named}, version {facts['entity_version']}, at position {facts['position']}"
            raise self._broken(number, f"it says that it is {said}")
        if facts["type"] != topic:
            raise self._broken(number, f"it says that it is a {facts['type']}")
        self._check_personal(number, facts)
        return event

    def _check_personal(self, number: int, facts: JsonObject) -> None:
        """What was erased is missing; what is there must be what the record was made with."""
        data = self.personals[number]
        if data is not None and personal.digest(data).hex() != facts.get("personal"):
            raise self._broken(number, "its personal data are not those of its digest")

    def _broken(self, number: int, words: str) -> BrokenRecord:
        return BrokenRecord(self.positions[number], words)
