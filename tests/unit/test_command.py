"""How a command is understood, and how each thing that is wrong with it is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import canonical
from domain.catalogue import CATALOGUE
from domain.catalogue.certificates import CertificateRevoked
from domain.command import read_command
from domain.errors import FieldError, InvalidCommand
from domain.record import EventDraft
from domain.values import JsonValue
from domain.words import DEFAULT_LEDGER, ActorKind, Channel, Status
from tests.builders import NOW, command, command_data, json_values, login_data

ACTOR = {"id": "u-17", "kind": "user"}
ENTITY = {"type": "certificate", "id": "c-42"}
FAILURE = {"code": "denied", "reason": "not yours"}
DETAILS = {"crl_reason": "keyCompromise", "revocation_time": "2026-11-24T10:00:00Z"}


def errors_of(**changes: Any) -> tuple[FieldError, ...]:
    with pytest.raises(InvalidCommand) as refusal:
        read_command(command_data(**changes), CATALOGUE, NOW)
    return refusal.value.errors


def fields_of(**changes: Any) -> list[str]:
    return [error.pointer for error in errors_of(**changes)]


class TestUnderstanding:
    def test_a_command_is_understood(self) -> None:
        """Its activity is found, its words are of their types, its details are the activity's."""
        understood = command()
        assert understood.activity is CATALOGUE.of_command("RevokeCertificate")
        assert understood.envelope.actor.kind is ActorKind.USER
        assert understood.envelope.status is Status.SUCCESS
        assert understood.envelope.channel is Channel.PORTAL
        assert understood.envelope.occurred_at == datetime(2026, 11, 24, 10, tzinfo=UTC)
        assert isinstance(understood.details, CertificateRevoked)

    def test_the_facts_are_what_was_sent(self) -> None:
        """Nothing is added for what was left out, and nothing that was sent as null is left out."""
        data = command_data(also_affected=[ENTITY | {"name": None}], changes=[{"path": "/a", "new": 1}])
        expected = data | {
            "occurred_at": "2026-11-24T10:00:00.000000Z",
            "details": DETAILS | {"revocation_time": "2026-11-24T10:00:00.000000Z"},
        }
        assert read_command(data, CATALOGUE, NOW).facts() == expected

    def test_the_facts_are_those_that_were_validated(self) -> None:
        """They are taken from what was sent, so no field of the envelope may mean anything else than it says."""
        understood = command(
            actor=ACTOR | {"ip": "2001:DB8::1", "roles": ["ra"], "email": None},
            also_affected=[ENTITY, ENTITY | {"name": None}],
            changes=[{"path": "/a", "old": 1.0, "new": {"b": [True, None]}}],
            status="failure",
            failure=FAILURE,
            occurred_at="2026-11-24T11:00:00+01:00",
        )
        dumped = understood.envelope.model_dump(mode="json", exclude_unset=True)
        dumped["details"] = understood.details.model_dump(mode="json", exclude_unset=True)
        assert canonical.encode(understood.facts()) == canonical.encode(dumped)

    def test_the_facts_are_a_copy(self) -> None:
        """What is set apart of them is not taken from the sender's data, which may be used again."""
        data = login_data(
            also_affected=[{"type": "user", "id": "u-2", "name": "Noor Haddad"}], changes=[{"path": "/a"}]
        )
        before = canonical.encode(data)
        EventDraft.of(read_command(data, CATALOGUE, NOW), DEFAULT_LEDGER, "key-1", "e-1", b"\x05" * 16)
        assert canonical.encode(data) == before

    @given(old=json_values, new=json_values)
    def test_any_json_is_kept_in_changes(self, old: JsonValue, new: JsonValue) -> None:
        """`1`, `1.0` and `true` stay what they are."""
        changes: JsonValue = [{"path": "/x", "old": old, "new": new}]
        kept = command(changes=changes).facts()["changes"]
        assert repr(kept) == repr([{"path": "/x", "old": old, "new": new}])

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00.000000Z"),
            ("2026-11-24t10:00:00z", "2026-11-24T10:00:00.000000Z"),
            ("2026-11-24T15:30:00.5+05:30", "2026-11-24T10:00:00.500000Z"),
            ("2026-11-24T10:00:00.123456789Z", "2026-11-24T10:00:00.123456Z"),
            ("2026-11-24T10:00:00.9999999-00:00", "2026-11-24T10:00:00.999999Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"),
        ],
    )
    def test_times_are_kept_in_utc_to_the_microsecond(self, sent: str, kept: str) -> None:
        """Finer digits are cut, never rounded into the future."""
        assert command(occurred_at=sent).facts()["occurred_at"] == kept

    @given(
        st.datetimes(
            datetime(1970, 1, 3),  # noqa: DTZ001  # The strategy adds the zone.
            datetime(2026, 11, 25),  # noqa: DTZ001
            timezones=st.timezones() | st.just(UTC),
        )
    )
    def test_one_moment_has_one_form(self, moment: datetime) -> None:
        """Whatever zone a module writes its times in."""
        if moment.utcoffset() != timedelta(minutes=int((moment.utcoffset() or timedelta()).total_seconds() // 60)):
            moment = moment.astimezone(UTC)  # RFC 3339 cannot write offsets with seconds.
        facts = command(occurred_at=moment.isoformat()).facts()
        assert facts["occurred_at"] == moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"

    @pytest.mark.parametrize(
        ("sent", "kept"), [("10.1.2.3", "10.1.2.3"), ("2001:DB8:0::1", "2001:db8::1"), ("::", "::")]
    )
    def test_addresses_have_their_usual_form(self, sent: str, kept: str) -> None:
        """So that a filter finds them however they were written."""
        assert command(actor=ACTOR | {"ip": sent}).facts()["actor"] == ACTOR | {"ip": kept}

    def test_a_failure_needs_only_the_details_that_it_got_to(self) -> None:
        """Of those that are given the types are the same."""
        failed = command(status="failure", failure=FAILURE, details={"crl_reason": "superseded"})
        assert failed.facts()["details"] == {"crl_reason": "superseded"}
        assert fields_of(status="failure", failure=FAILURE, details={"crl_reason": "boredom"}) == [
            "/details/crl_reason"
        ]


class TestRefusal:
    @pytest.mark.parametrize("name", ["command_id", "occurred_at", "actor", "entity", "status", "command"])
    def test_a_missing_field_is_named(self, name: str) -> None:
        """By its JSON Pointer."""
        assert fields_of(**{name: None}) == [f"/{name}"]

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"colour": "red"}, "/colour"),
            ({"source": "key-1"}, "/source"),
            ({"recorded_at": "2026-11-24T10:00:00Z"}, "/recorded_at"),
            ({"actor": ACTOR | {"shoe_size": 44}}, "/actor/shoe_size"),
            ({"entity": ENTITY | {"a/b~c": 1}}, "/entity/a~1b~0c"),
            ({"details": DETAILS | {"mood": "good"}}, "/details/mood"),
            ({"also_affected": [ENTITY, ENTITY | {"x": 1}]}, "/also_affected/1/x"),
        ],
    )
    def test_an_extra_field_is_named(self, changes: dict[str, Any], pointer: str) -> None:
        """It is refused rather than dropped: nothing that a module reports is lost in silence."""
        assert fields_of(**changes) == [pointer]

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"command_id": 7}, "/command_id"),
            ({"command_id": ""}, "/command_id"),
            ({"command_id": "x" * 257}, "/command_id"),
            ({"actor": "Asha"}, "/actor"),
            ({"actor": ["u-17"]}, "/actor"),
            ({"actor": {"kind": "user"}}, "/actor/id"),
            ({"actor": ACTOR | {"id": True}}, "/actor/id"),
            ({"actor": ACTOR | {"kind": "cat"}}, "/actor/kind"),
            ({"actor": ACTOR | {"roles": "admin"}}, "/actor/roles"),
            ({"actor": ACTOR | {"roles": ["admin", 1]}}, "/actor/roles/1"),
            ({"actor": ACTOR | {"ip": "10.1.2"}}, "/actor/ip"),
            ({"actor": ACTOR | {"ip": "10.1.2.0/24"}}, "/actor/ip"),
            ({"actor": ACTOR | {"auth_method": "pass word"}}, "/actor/auth_method"),
            ({"entity": ENTITY | {"type": "Certificate"}}, "/entity/type"),
            ({"entity": ENTITY | {"type": "a:b"}}, "/entity/type"),
            ({"entity": ENTITY | {"id": ""}}, "/entity/id"),
            ({"entity": ENTITY | {"name": 1}}, "/entity/name"),
            ({"status": "maybe"}, "/status"),
            ({"status": False}, "/status"),
            ({"status": ["failure"]}, "/status"),
            ({"channel": "pigeon"}, "/channel"),
            ({"also_affected": ENTITY}, "/also_affected"),
            ({"also_affected": [ENTITY, {"type": "key"}]}, "/also_affected/1/id"),
            ({"also_affected": [ENTITY] * 1001}, "/also_affected"),
            ({"changes": [{"old": 1}]}, "/changes/0/path"),
            ({"details": []}, "/details"),
            ({"details": "none"}, "/details"),
            ({"details": None}, "/details/crl_reason"),
            ({"details": DETAILS | {"crl_reason": 1}}, "/details/crl_reason"),
            ({"details": DETAILS | {"revocation_time": 1764000000}}, "/details/revocation_time"),
        ],
        ids=str,
    )
    def test_a_wrong_type_is_named(self, changes: dict[str, Any], pointer: str) -> None:
        """Nothing is taken for what it is not: no number for a text, no `false` for a status."""
        assert pointer in fields_of(**changes)

    @pytest.mark.parametrize(
        "name", ["Revoke", "revokecertificate", "CertificateRevoked", "", 7, ["RevokeCertificate"]]
    )
    def test_an_unknown_command_is_quoted(self, name: JsonValue) -> None:
        """Nothing else is said, since what else fits depends on it."""
        [error] = errors_of(command=name, actor=7)
        assert error.pointer == "/command"
        assert repr(str(name)) in error.message

    def test_an_endless_name_is_cut(self) -> None:
        """The answer is not longer than it must be."""
        [error] = errors_of(command="x" * 100_000)
        assert len(error.message) < 300

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("2026-11-24T10:00:00", "with a zone"),
            ("2026-11-24 10:00:00Z", "RFC 3339"),
            ("2026-11-24", "RFC 3339"),
            ("1764000000", "RFC 3339"),
            ("yesterday", "RFC 3339"),
            ("2026-11-24T10:00:00Z ", "RFC 3339"),
            ("\uff12026-11-24T10:00:00Z", "RFC 3339"),
            (1764000000, "RFC 3339"),
            ("2026-02-30T10:00:00Z", "day"),
            ("2026-11-24T25:00:00Z", "valid datetime"),
            ("0000-01-01T00:00:00Z", "year"),
            ("0001-01-01T00:00:00+14:00", "between the years 1 and 9999"),
            ("2026-11-25T12:00:00.000001Z", "more than a day ahead"),
        ],
    )
    def test_a_time_that_cannot_be_meant_is_refused(self, text: JsonValue, reason: str) -> None:
        """Naive, of another form, on no calendar, or in the far future."""
        [error] = errors_of(occurred_at=text)
        assert error.pointer == "/occurred_at"
        assert reason in error.message

    def test_a_time_a_day_ahead_is_taken(self) -> None:
        """A module's clock may be wrong; what it reports is kept all the same."""
        assert command(occurred_at="2026-11-25T12:00:00Z").envelope.occurred_at == NOW + timedelta(days=1)

    def test_a_failure_without_a_reason_is_refused(self) -> None:
        """And a success with one."""
        assert fields_of(status="failure", details={}) == ["/failure"]
        assert fields_of(status="success", failure=FAILURE) == ["/failure"]
        assert fields_of(status="failure", failure={"code": "denied"}) == ["/failure/reason"]
        assert fields_of(status="failure", failure=FAILURE | {"code": "no way"}) == ["/failure/code"]

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"changes": [{"path": "/serial", "new": 2**53}]}, "/changes/0/new"),
            ({"changes": [{"path": "/share", "new": float("nan")}]}, "/changes/0/new"),
            ({"command_id": "a\0b"}, "/command_id"),
            ({"actor": ACTOR | {"full_name": "\0"}}, "/actor/full_name"),
            ({"n\0": 1}, ""),
        ],
    )
    def test_what_json_readers_disagree_on_is_refused(self, changes: dict[str, Any], pointer: str) -> None:
        """Before anything else is looked at."""
        assert fields_of(**changes) == [pointer]

    def test_a_huge_text_is_refused(self) -> None:
        """By its field."""
        assert fields_of(command="EditCertificate", details={}, entity=ENTITY | {"name": "x" * 1025}) == [
            "/entity/name"
        ]
        assert fields_of(status="failure", failure=FAILURE | {"reason": "x" * 32_769}) == ["/failure/reason"]

    def test_all_that_is_wrong_is_told_at_once(self) -> None:
        """Envelope and details together; the message has it all, too."""
        changes = {"command_id": 1, "actor": ACTOR | {"kind": "cat"}, "details": {"crl_reason": "x"}, "extra": 1}
        assert sorted(fields_of(**changes)) == [
            "/actor/kind",
            "/command_id",
            "/details/crl_reason",
            "/details/revocation_time",
            "/extra",
        ]
        with pytest.raises(InvalidCommand, match=r"/command_id: .*; .*/extra: "):
            command(**changes)

    @given(json_values)
    @settings(max_examples=200)
    def test_no_value_of_any_field_is_more_than_refused(self, value: JsonValue) -> None:
        """Whatever stands in a field, the command is understood or refused, and nothing else is raised."""
        for data in (command_data(), login_data()):
            for name in data:
                try:
                    read_command(data | {name: value}, CATALOGUE, NOW)
                except InvalidCommand as refusal:
                    assert refusal.errors  # noqa: PT017
                    assert all(error.pointer.startswith("/") and error.message for error in refusal.errors)  # noqa: PT017
