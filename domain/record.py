"""The record: the canonical bytes of an event, which are hashed and kept as they are.

What only the ledger knows (the entity's version, the position, the time) is put into the bytes at the last
moment, under the lock of the ledger's head: so the costly part of the encoding is done before.
"""

from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from domain import canonical, personal
from domain.command import Command
from domain.values import JsonObject, rfc3339
from domain.words import Ledger, Position, originator_id


class Draft(Protocol):
    """An event that its ledger has not numbered yet."""

    @property
    def command_id(self) -> str:
        """The idempotency key, unique in the ledger."""

    @property
    def event_id(self) -> str:
        """The event's id, new with each draft."""

    @property
    def originator_id(self) -> str:
        """The entity: its type and id."""

    @property
    def originator_version(self) -> int | None:
        """The entity's version that this event must make; None takes the next."""

    @property
    def topic(self) -> str:
        """The event's stable type."""

    @property
    def personal(self) -> bytes | None:
        """The personal data that stands beside the record."""

    @property
    def size(self) -> int:
        """How many bytes it takes, as good as: what is put in at the end is not counted."""

    def record(self, version: int, position: Position, recorded_at: datetime) -> bytes:
        """The final bytes."""

    def same_command(self, record: bytes, personal: bytes | None) -> bool:
        """Whether a stored event came from a command of the same content."""


class EventDraft(NamedTuple):
    """The draft of an event that a command became; a tuple, since one is made for every event."""

    command_id: str
    originator_id: str
    topic: str
    personal: bytes | None
    event_id: str
    before_version: bytes
    before_position: bytes
    after_time: bytes

    @property
    def originator_version(self) -> None:
        return None

    @property
    def size(self) -> int:
        return len(self.before_version) + len(self.before_position) + len(self.after_time) + len(self.personal or b"")

    @classmethod
    def of(cls, command: Command, ledger: Ledger, source: str, event_id: str, salt: bytes) -> "EventDraft":
        """Encode what is known before the ledger is asked; `salt` is 16 random bytes used nowhere else."""
        activity, envelope = command.activity, command.envelope
        facts = command.facts()
        del facts["command"]
        personal_bytes = personal.set_apart(facts, activity, salt)
        facts |= {
            "activity": activity.name,
            "entity_version": 0,
            "event_id": event_id,
            "ledger": ledger,
            "module": activity.module,
            "position": 0,
            "recorded_at": 0,
            "schema_version": activity.details.schema_version,
            "source": source,
            "type": activity.event_type,
        }
        if personal_bytes is not None:
            facts["personal"] = personal.digest(personal_bytes).hex()
        return cls(
            envelope.command_id,
            originator_id(envelope.entity.type, envelope.entity.id),
            activity.event_type,
            personal_bytes,
            event_id,
            *_fragments(facts),
        )

    def record(self, version: int, position: Position, recorded_at: datetime) -> bytes:
        return b'%b"entity_version":%d%b"position":%d,"recorded_at":"%b"%b' % (
            self.before_version,
            version,
            self.before_position,
            position,
            rfc3339(recorded_at).encode(),
            self.after_time,
        )

    def same_command(self, record: bytes, personal_bytes: bytes | None) -> bool:
        """Compare all that the sender decides, personal data included, whatever the service added.

        Personal data that was erased meanwhile cannot be compared any more, and is not.
        """
        ours = self.record(0, Position(0), datetime.min.replace(tzinfo=UTC))
        mine, stored = canonical.decode_object(ours), canonical.decode_object(record)
        for facts in (mine, stored):
            for name in _OF_THE_SERVICE:
                facts.pop(name, None)
            # The digest is salted; whether there is one says whether personal data were sent, even if erased.
            facts["personal"] = "personal" in facts
        if canonical.encode(mine) != canonical.encode(stored):
            return False
        if personal_bytes is None or self.personal is None:
            return True
        return _fields(self.personal) == _fields(personal_bytes)


_VERSION, _PLACE = b',"entity_version":0,', b',"position":0,"recorded_at":0,'
_OF_THE_SERVICE = ("entity_version", "event_id", "position", "recorded_at", "schema_version", "source")


def _fragments(facts: JsonObject) -> tuple[bytes, bytes, bytes]:
    """The encoded members before `entity_version`, from there to `position`, and after `recorded_at`.

    In `facts` these three are 0. Each is found from the end: what stands behind them has no members of a sender's
    choice, and in a text the quotes are escaped.
    """
    encoded = canonical.encode(facts)
    version, place = encoded.rindex(_VERSION), encoded.rindex(_PLACE)
    return encoded[: version + 1], encoded[version + len(_VERSION) - 1 : place + 1], encoded[place + len(_PLACE) - 1 :]


def _fields(personal_bytes: bytes) -> bytes:
    return canonical.encode(canonical.decode_object(personal_bytes)["fields"])
