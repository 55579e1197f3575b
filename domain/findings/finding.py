"""What a rule is, what it finds, and what it remembers from one event to another."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

from domain.event import AuditEvent
from domain.values import JsonObject, parse_rfc3339
from domain.words import Status

MOST_EVIDENCE = 100
"""How many events prove one finding at most; its words say how many there were."""


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


Evidence: TypeAlias = tuple[int, str, str]
"""An event's position, id and time of occurrence."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found. One that is found again, under the same id, has grown."""

    rule: str
    key: int
    """The position by which findings of a rule differ: of the event that made it one, or of the first of several."""
    severity: Severity
    subject: tuple[str, str]
    """The type and the id of the entity that it is about."""
    actor_id: str | None
    words: str
    evidence: tuple[Evidence, ...]
    """The events that prove it, in the order of recording."""

    @property
    def id(self) -> str:
        return finding_id(self.rule, self.key)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A finding that an event explains which was reported late."""

    rule: str
    key: int
    because: Evidence

    @property
    def id(self) -> str:
        return finding_id(self.rule, self.key)


def finding_id(rule: str, key: int) -> str:
    return f"{rule}-{key}"


class Memory:
    """What the rules remember, each by subjects of its own. What is written is kept; what is read is not changed."""

    def __init__(self, known: Mapping[tuple[str, str], JsonObject]) -> None:
        self._known = dict(known)
        self.written: set[tuple[str, str]] = set()

    def get(self, rule: str, subject: str) -> dict[str, Any]:
        """A copy of what is remembered; empty if nothing is."""
        return dict(self._known.get((rule, subject), {}))

    def put(self, rule: str, subject: str, remembered: JsonObject) -> None:
        self._known[rule, subject] = remembered
        self.written.add((rule, subject))

    def __getitem__(self, key: tuple[str, str]) -> JsonObject:
        return self._known[key]


Found: TypeAlias = Iterator[Finding | Withdrawal]


class Rule(ABC):
    """One rule: it is shown events in the order of recording, and remembers what it must.

    Events may be reported late, so a rule goes by the times at which they occurred.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Raise it with any change, so that all of history is judged again."""
    severity: ClassVar[Severity]
    title: ClassVar[str]
    controls: ClassVar[tuple[str, ...]]
    """What it serves, of NIST SP 800-53 Rev. 5, PCI DSS 4.0.1, and the Baseline Requirements of the CA/B Forum."""
    activities: frozenset[str] | None = None
    """The names of the activities that it must see; None for all."""

    @abstractmethod
    def subjects(self, event: AuditEvent) -> Iterable[str]:
        """What must be remembered to judge an event."""

    @abstractmethod
    def judge(self, event: AuditEvent, memory: Memory) -> Found:
        """What an event makes of what is remembered."""

    def found(
        self,
        key: int,
        event: AuditEvent,
        subject: tuple[str, str],
        words: str,
        evidence: Iterable[Iterable[Any]],
        severity: Severity | None = None,
    ) -> Finding:
        proof = sorted({(int(position), str(id_), str(at)) for position, id_, at in evidence})[:MOST_EVIDENCE]
        return Finding(self.name, key, severity or self.severity, subject, actor_of(event)["id"], words, tuple(proof))


def evidence(event: AuditEvent) -> list[Any]:
    """An event as evidence, in the form that memory keeps."""
    return [position(event), str(event.facts["event_id"]), occurred(event)]


def succeeded(event: AuditEvent) -> bool:
    return event.facts["status"] == Status.SUCCESS


def position(event: AuditEvent) -> int:
    found = event.facts["position"]
    assert isinstance(found, int)
    return found


def occurred(event: AuditEvent) -> str:
    """RFC 3339 in UTC, of one width: texts compare as times do."""
    return str(event.facts["occurred_at"])


def moment(text: str) -> datetime:
    return parse_rfc3339(text)


def actor_of(event: AuditEvent) -> dict[str, Any]:
    actor = event.facts["actor"]
    assert isinstance(actor, dict)
    return actor


def entity_of(event: AuditEvent) -> tuple[str, str]:
    entity = event.facts["entity"]
    assert isinstance(entity, dict)
    return str(entity["type"]), str(entity["id"])


def detail(event: AuditEvent, name: str) -> Any:
    details = event.facts["details"]
    assert isinstance(details, dict)
    return details.get(name)


def called(event: AuditEvent) -> str:
    """The actor, for people."""
    actor = actor_of(event)
    return str(actor.get("full_name") or actor["id"])
