"""The records of one entity, as they come from the ledger, and the check that each of them holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import pack

from domain import personal
from domain.chain import chain_hash
from domain.errors import AuditError, UnreadableEvent
from domain.event import AuditEvent
from domain.mapper import RecordMapper
from domain.merkle import leaf_hash
from domain.values import JsonObject
from domain.words import Ledger, Position

SEGMENT = 125
"""How many versions are read, checked and remembered together."""


class BrokenRecord(AuditError):
    """A record whose hash does not hold, or that is missing: what follows from it would be no evidence."""

    def __init__(self, position: int, words: str) -> None:
        super().__init__(f"the record at position {position} does not hold: {words}")
        self.position = Position(position)
        self.words = words


_NOTHING = -1
"""The length of personal data that are not there."""


@dataclass(frozen=True, slots=True)
class Bodies:
    """What a segment holds, one behind the other: enough to see whether it is what was checked before."""

    first_version: int
    lengths: bytes
    """Of each record, and then of each personal part: 4 bytes, big-endian; -1 of what is not there."""
    records: bytes
    personals: bytes
    leaf_hashes: bytes

    @classmethod
    def of(cls, segment: "Segment") -> "Bodies":
        personals = [_NOTHING if one is None else len(one) for one in segment.personals]
        return cls(
            segment.first_version,
            pack(f"!{2 * len(personals)}i", *map(len, segment.records), *personals),
            b"".join(segment.records),
            b"".join([one or b"" for one in segment.personals]),
            b"".join(segment.leaf_hashes),
        )

    @property
    def is_whole(self) -> bool:
        return len(self.lengths) == 2 * 4 * SEGMENT

    def digest(self) -> bytes:
        """The same digest is the same records with the same hashes and personal data."""
        digest = sha256(self.lengths)
        for text in (self.records, self.personals, self.leaf_hashes):
            digest.update(text)
        return digest.digest()


@dataclass(frozen=True, slots=True)
class Segment:
    """Versions of one entity that follow one another, a list for each column of the ledger.

    It begins with version 1, 126, 251 and so on.
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
