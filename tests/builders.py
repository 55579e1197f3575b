"""Builders of what tests send: every field has a sensible value that a test may replace."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from domain.catalogue import CATALOGUE
from domain.command import Command, read_command
from domain.record import EventDraft
from domain.values import JsonObject, JsonValue
from domain.words import DEFAULT_LEDGER, Ledger

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

_numbers: Iterator[int] = itertools.count(1)


def command_data(**changes: Any) -> JsonObject:
    """A valid command as JSON, with a fresh `command_id`; a change to None takes the field out."""
    data: JsonObject = {
        "command": "RevokeCertificate",
        "command_id": f"command-{next(_numbers)}",
        "occurred_at": "2026-11-24T10:00:00Z",
        "actor": {
            "id": "u-17",
            "full_name": "Asha Rao",
            "kind": "user",
            "ip": "10.1.2.3",
            "session_id": "s-9",
        },
        "entity": {"type": "certificate", "id": "c-42", "name": "www.example.com"},
        "status": "success",
        "correlation_id": "order-7",
        "channel": "portal",
        "details": {"crl_reason": "keyCompromise", "revocation_time": "2026-11-24T10:00:00Z"},
    }
    data |= changes
    return {name: value for name, value in data.items() if value is not None}


def login_data(**changes: Any) -> JsonObject:
    """A valid log-in."""
    return command_data(
        **{
            "command": "LogInUser",
            "entity": {"type": "user", "id": "u-17", "name": "Asha Rao"},
            "details": {"auth_method": "password"},
            **changes,
        }
    )


def command(**changes: Any) -> Command:
    return read_command(command_data(**changes), CATALOGUE, NOW)


def draft(ledger: Ledger = DEFAULT_LEDGER, source: str = "key-1", **changes: Any) -> EventDraft:
    """A draft of a valid command, with a fresh event id."""
    event_id = f"0198c0de-0000-7000-8000-{next(_numbers):012x}"
    return EventDraft.of(command(**changes), ledger, source, event_id, b"\x05" * 16)


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
"""What may stand in a command: any Unicode but NUL and lone surrogates."""

identifiers = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)

json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15, allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
"""JSON that all readers agree on."""
