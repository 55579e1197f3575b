"""The words of the audit trail: every closed vocabulary has its one definition here."""

from enum import StrEnum
from typing import NewType

Ledger = NewType("Ledger", str)
"""The name of one tenant's log."""

Position = NewType("Position", int)
"""An event's number in its ledger, counted from 1; 0 stands before the first event."""

DEFAULT_LEDGER = Ledger("default")


def originator_id(entity_type: str, entity_id: str) -> str:
    """The name of an entity's stream; a type holds no colon, so it is unambiguous."""
    return f"{entity_type}:{entity_id}"


class Module(StrEnum):
    """The part of CertiNext that an activity belongs to."""

    USER_ACTIVITY = "user_activity"
    CERTIFICATE_OPERATIONS = "certificate_operations"
    CERTIFICATE_AUTHORITY = "certificate_authority"
    KEY_AUTOMATION = "key_automation"
    ADMINISTRATION = "administration"


class Status(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"


class ActorKind(StrEnum):
    USER = "user"
    BOT = "bot"
    SERVICE = "service"
    ANONYMOUS = "anonymous"


class Channel(StrEnum):
    """How an action came to CertiNext."""

    PORTAL = "portal"
    REST = "rest"
    ACME = "acme"
    EST = "est"
    SCEP = "scep"
    CMP = "cmp"
    BOT = "bot"
    SCHEDULER = "scheduler"
    CLI = "cli"


class Role(StrEnum):
    """What a credential may do; none may change or delete an event."""

    MODULE = "module"
    USER = "user"
    AUDITOR = "auditor"
    OPERATOR = "operator"


class Refusal(StrEnum):
    """Why a command could not become an event, whatever its sender tries; it is then kept in quarantine."""

    INVALID_JSON = "invalid-json"
    INVALID_COMMAND = "invalid-command"
    NOT_PERMITTED = "not-permitted"
    COMMAND_CONFLICT = "command-conflict"
    TOO_LARGE = "too-large"


class Order(StrEnum):
    """In which order events are read: newest first by `occurred_at`, or by position."""

    OCCURRED = "occurred"
    RECORDED = "recorded"


class ExportFormat(StrEnum):
    XLSX = "xlsx"
    JSONL = "jsonl"
    CSV = "csv"


class QuarantineState(StrEnum):
    WAITING = "waiting"
    RETRIED = "retried"


class FindingStatus(StrEnum):
    """What became of a finding."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    WITHDRAWN = "withdrawn"
