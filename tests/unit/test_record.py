"""The record: canonical, complete, the same for ever, and comparable with a later attempt of the same command."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import canonical, personal
from domain.catalogue import CATALOGUE
from domain.command import read_command
from domain.ledger import Head, link
from domain.record import EventDraft
from domain.values import JsonValue, parse_rfc3339, rfc3339
from domain.words import Ledger, Position
from tests.builders import NOW, command, draft, identifiers, json_values, texts

GOLDEN = Path(__file__).parents[1] / "golden" / "ledger.json"
SALT = b"\x05" * 16


def stored(one: EventDraft) -> bytes:
    return one.record(3, Position(7), NOW)


class TestFormat:
    @given(
        sent=st.fixed_dictionaries(
            {
                "command_id": identifiers,
                "entity": st.fixed_dictionaries({"type": st.just("key"), "id": identifiers, "name": identifiers}),
                "failure": st.fixed_dictionaries({"code": st.just("denied"), "reason": texts}),
                "changes": st.lists(st.fixed_dictionaries({"path": identifiers, "new": json_values}), max_size=2),
                "correlation_id": identifiers | st.none(),
            }
        ),
        added=st.fixed_dictionaries({"ledger": identifiers, "source": identifiers, "event_id": identifiers}),
        version=st.integers(1, 2**53 - 1),
        position=st.integers(1, 2**53 - 1),
        now=st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # The zone is added.
    )
    def test_the_record_is_the_canonical_form_of_all_facts(
        self, sent: dict[str, Any], added: dict[str, str], version: int, position: int, now: datetime
    ) -> None:
        """Though it is put together from parts, whatever stands in them."""
        understood = command(status="failure", **sent)
        facts = understood.facts()
        apart = personal.set_apart(facts, understood.activity, SALT)
        assert apart is not None
        del facts["command"]
        facts |= {
            "activity": "certificate.revoked",
            "entity_version": version,
            **added,
            "module": "certificate_operations",
            "personal": personal.digest(apart).hex(),
            "position": position,
            "recorded_at": rfc3339(now),
            "schema_version": 1,
            "type": "CertificateRevoked",
        }
        one = EventDraft.of(understood, Ledger(added["ledger"]), added["source"], added["event_id"], SALT)
        record = one.record(version, Position(position), now)
        assert record == canonical.encode(facts)
        assert canonical.encode(canonical.decode(record)) == record
        assert (one.command_id, one.originator_id) == (sent["command_id"], f"key:{sent['entity']['id']}")
        assert (one.topic, one.personal, one.originator_version) == ("CertificateRevoked", apart, None)

    @pytest.mark.parametrize("activity", list(CATALOGUE), ids=lambda activity: activity.event_type)
    def test_the_parts_are_in_order_for_every_activity(self, activity: Any) -> None:
        """A failure of any kind is recorded under its own names."""
        one = draft(
            command=activity.command,
            entity={"type": activity.entity_type, "id": "x"},
            status="failure",
            failure={"code": "denied", "reason": ""},
            details={},
        )
        record = canonical.decode_object(stored(one))
        assert canonical.encode(record) == stored(one)
        assert (record["activity"], record["module"], record["type"], record["schema_version"]) == (
            activity.name,
            activity.module,
            activity.event_type,
            activity.details.schema_version,
        )

    @given(st.datetimes(timezones=st.just(UTC)))
    def test_times_have_one_width_and_are_read_back(self, moment: datetime) -> None:
        """So their order as texts is their order in time."""
        assert len(rfc3339(moment)) == len("2026-11-24T10:00:00.000000Z")
        assert parse_rfc3339(rfc3339(moment)) == moment

    def test_the_format_is_the_one_that_was_always_stored(self) -> None:
        """Byte for byte, hash for hash: what was recorded by the first version verifies with the last."""
        golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
        head = Head.empty(Ledger(golden["ledger"]))
        now = datetime.fromisoformat(golden["recorded_at"])
        drafts = [
            EventDraft.of(
                read_command(given["command"], CATALOGUE, now),
                Ledger(golden["ledger"]),
                given["source"],
                given["event_id"],
                bytes.fromhex(given["salt"]),
            )
            for given in golden["commands"]
        ]
        events = list(link(head, [(one, number) for number, one in enumerate(drafts, 4)], now))
        found = [
            {
                "record": event.record.decode(),
                "personal": event.personal and event.personal.decode(),
                "leaf_hash": event.leaf_hash.hex(),
                "chain_hash": event.chain_hash.hex(),
            }
            for event in events
        ]
        assert found == golden["events"]


class TestSameCommand:
    def test_what_the_service_adds_does_not_count(self) -> None:
        """Neither source, event id nor salt, nor where, when and under which schema version it was recorded."""
        first, again = draft(command_id="c-1"), draft(command_id="c-1", source="key-2")
        assert first.personal is not None
        salted = first.personal.replace(b"05" * 16, b"06" * 16)
        assert again.same_command(first.record(1, Position(1), NOW - timedelta(days=9)), salted)
        newer = stored(first).replace(b'"schema_version":1', b'"schema_version":2')
        assert newer != stored(first)
        assert again.same_command(newer, salted)

    @pytest.mark.parametrize(
        "change",
        [
            {"channel": "cli"},
            {"channel": None},
            {"command": "SuspendCertificate", "details": {}},
            {"details": {"crl_reason": "superseded", "revocation_time": "2026-11-24T10:00:00Z"}},
            {"also_affected": []},
            {"actor": {"id": "u-18", "full_name": "Asha Rao", "kind": "user", "ip": "10.1.2.3", "session_id": "s-9"}},
        ],
        ids=str,
    )
    def test_what_the_sender_decides_counts(self, change: dict[str, Any]) -> None:
        """A field more, a field less, another value."""
        first, other = draft(command_id="c-1"), draft(command_id="c-1", **change)
        assert not other.same_command(stored(first), first.personal)

    def test_personal_data_count(self) -> None:
        """Other ones, fewer, or any where there were none."""
        first = draft(command_id="c-1", actor={"id": "u-1", "kind": "user", "full_name": "Asha Rao"})
        other = draft(command_id="c-1", actor={"id": "u-1", "kind": "user", "full_name": "Asha Roy"})
        none = draft(command_id="c-1", actor={"id": "u-1", "kind": "user"})
        assert not other.same_command(stored(first), first.personal)
        assert not none.same_command(stored(first), first.personal)
        assert not first.same_command(stored(none), none.personal)
        assert none.same_command(stored(none), none.personal)

    def test_erased_data_cannot_be_compared(self) -> None:
        """The retry of a command whose personal data were erased is still its retry, unless it has none."""
        first = draft(command_id="c-1")
        actor = {"id": "u-17", "kind": "user", "session_id": "s-9"}
        assert draft(command_id="c-1", actor=actor | {"full_name": "X"}).same_command(stored(first), None)
        assert not draft(command_id="c-1", actor=actor).same_command(stored(first), None)

    @given(one=json_values, other=json_values)
    def test_values_are_the_same_if_their_json_is(self, one: JsonValue, other: JsonValue) -> None:
        """`1`, `1.0` and `true` are not, though Python takes them for equal."""
        first, second = (draft(command_id="c-1", changes=[{"path": "/a", "new": new}]) for new in (one, other))
        same = canonical.encode(one) == canonical.encode(other)
        assert second.same_command(stored(first), first.personal) == same
        assert first.same_command(stored(first), first.personal)
