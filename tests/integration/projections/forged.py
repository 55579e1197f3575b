"""Events as only somebody above the service's rights, or another version of it, can have written them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import canonical
from domain.record import EventDraft
from domain.values import JsonObject
from domain.words import DEFAULT_LEDGER, Ledger, Position
from tests.builders import draft


@dataclass(frozen=True)
class Forged:
    """A draft whose record is changed at the last moment; its hashes are right."""

    good: EventDraft
    change: Callable[[JsonObject], bytes]
    topic: str

    @property
    def command_id(self) -> str:
        return self.good.command_id

    @property
    def event_id(self) -> str:
        return self.good.event_id

    @property
    def originator_id(self) -> str:
        return self.good.originator_id

    @property
    def originator_version(self) -> None:
        return None

    @property
    def personal(self) -> bytes | None:
        return self.good.personal

    @property
    def size(self) -> int:
        return self.good.size

    def record(self, version: int, position: Position, recorded_at: datetime) -> bytes:
        return self.change(canonical.decode_object(self.good.record(version, position, recorded_at)))

    def same_command(self, record: bytes, personal: bytes | None) -> bool:
        return self.good.same_command(record, personal)


def of_topic(topic: str) -> Forged:
    """A good record under a type that this version does not know."""
    return Forged(draft(), canonical.encode, topic)


def with_record(record: bytes) -> Forged:
    return Forged(draft(), lambda _: record, "CertificateRevoked")


def with_deep_details(levels: int) -> Forged:
    """Deeper than JSON of ours may be; what reads it must not run out of stack."""
    deep = b"[" * levels + b"]" * levels
    return Forged(
        draft(), lambda facts: canonical.encode(facts | {"details": "@"}).replace(b'"@"', deep), "CertificateRevoked"
    )


def without(member: str) -> Forged:
    return _changed(lambda facts: {name: value for name, value in facts.items() if name != member})


def holding(ledger: Ledger = DEFAULT_LEDGER, **members: Any) -> Forged:
    """A record in which members were replaced."""
    return _changed(lambda facts: facts | members, ledger)


def _changed(change: Callable[[JsonObject], JsonObject], ledger: Ledger = DEFAULT_LEDGER) -> Forged:
    return Forged(draft(ledger), lambda facts: canonical.encode(change(facts)), "CertificateRevoked")
