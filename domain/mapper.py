"""Between domain events and stored ones: the library's mapper, with our records and our list of types."""

import copy
from typing import Any

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder

from domain import canonical, personal
from domain.activity import Activity, Catalogue
from domain.errors import InvalidJson, UnreadableEvent
from domain.event import AuditEvent
from domain.ledger import LedgerEvent
from domain.values import JsonObject, parse_rfc3339


class RecordTranscoder(Transcoder):
    """Canonical JSON."""

    def encode(self, obj: Any) -> bytes:
        return canonical.encode(obj)

    def decode(self, data: bytes) -> JsonObject:
        return canonical.decode_object(data)


class RecordMapper(Mapper[str]):
    """Turns stored events into domain events and back; old schema versions are brought up to date."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(RecordTranscoder())
        self._catalogue = catalogue

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The record as it was hashed, for an event whose schema version is still the present one."""
        assert isinstance(domain_event, AuditEvent)
        facts = copy.deepcopy(domain_event.facts)
        if domain_event.personal is not None:
            salt = canonical.decode_object(domain_event.personal)["salt"]
            personal.set_apart(facts, domain_event.activity, bytes.fromhex(str(salt)))
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=domain_event.activity.event_type,
            state=self.transcoder.encode(facts),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> AuditEvent:
        """Raises UnreadableEvent if the type is unknown or the record is not of its shape."""
        personal_data = stored_event.personal if isinstance(stored_event, LedgerEvent) else None
        return self.event(
            str(stored_event.originator_id),
            stored_event.originator_version,
            stored_event.topic,
            stored_event.state,
            personal_data,
        )

    def event(
        self, originator_id: str, version: int, topic: str, record: bytes, personal_data: bytes | None
    ) -> AuditEvent:
        """The same from what is stored of it."""
        activity = self._catalogue.of_type(topic)
        try:
            facts = canonical.decode_object(record)
            _upcast(facts, activity)
            if personal_data is not None:
                personal.put_back(facts, personal_data)
            return AuditEvent.made(
                originator_id=originator_id,
                originator_version=version,
                timestamp=parse_rfc3339(facts["recorded_at"]),
                activity=activity,
                facts=facts,
                personal=personal_data,
            )
        except (InvalidJson, KeyError, IndexError, TypeError, ValueError) as error:
            raise UnreadableEvent(f"the record is not that of {topic}: {error!r}") from error


def _upcast(facts: JsonObject, activity: Activity) -> None:
    """Raises ValueError if the schema version is unknown, as that of a later version of this service."""
    version, present = facts["schema_version"], activity.details.schema_version
    if version == present and version.__class__ is int:
        return
    if not isinstance(version, int) or not 1 <= version <= present:
        raise ValueError(f"schema version {version} is not one of those known, 1 to {present}")
    for older in range(version, present):
        getattr(activity.details, f"upcast_v{older}_v{older + 1}")(facts)
        facts["schema_version"] = older + 1
