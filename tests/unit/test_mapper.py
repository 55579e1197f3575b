"""Stored events become domain events and back, by a closed list of types, whatever version wrote them."""

import json
from typing import Annotated

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain import canonical
from domain.activity import Catalogue, Declarations, Details
from domain.catalogue import CATALOGUE
from domain.catalogue.certificates import CertificateRevoked
from domain.command import read_command
from domain.effect import becomes
from domain.errors import UnreadableEvent
from domain.ledger import Head, LedgerEvent, link
from domain.mapper import RecordMapper, RecordTranscoder
from domain.record import EventDraft
from domain.values import PERSONAL, JsonObject, JsonValue, Name
from domain.words import DEFAULT_LEDGER, Module
from tests.builders import NOW, command_data, draft, identifiers, json_values

mapper = RecordMapper(CATALOGUE)


def stored(data: JsonObject | None = None, catalogue: Catalogue = CATALOGUE) -> LedgerEvent:
    """The first event of a ledger."""
    one = read_command(data or command_data(), catalogue, NOW)
    [event] = link(
        Head.empty(DEFAULT_LEDGER), [(EventDraft.of(one, DEFAULT_LEDGER, "key-1", "e-1", b"\x05" * 16), 3)], NOW
    )
    return event


def changed(event: LedgerEvent, **facts: JsonValue) -> LedgerEvent:
    """The event with other facts in its record; None takes one out."""
    members = canonical.decode_object(event.record) | facts
    return event._replace(
        state=canonical.encode({name: members[name] for name in members if members[name] is not None})
    )


class TestDomainEvents:
    def test_a_stored_event_becomes_a_domain_event(self) -> None:
        """With its activity, its typed details and its personal data at their places."""
        event = mapper.to_domain_event(stored())
        assert (event.originator_id, event.originator_version, event.timestamp) == ("certificate:c-42", 3, NOW)
        assert event.activity is CATALOGUE.named("certificate.revoked")
        assert isinstance(event.details, CertificateRevoked)
        assert event.details.crl_reason == "keyCompromise"
        assert event.facts["actor"] == {
            "id": "u-17",
            "full_name": "Asha Rao",
            "kind": "user",
            "ip": "10.1.2.3",
            "session_id": "s-9",
        }
        assert event.description == "Asha Rao revoked www.example.com"

    def test_an_erased_event_is_read_without_its_personal_data(self) -> None:
        """Ids take the places of names."""
        event = mapper.to_domain_event(stored()._replace(personal=None))
        assert event.facts["actor"] == {"id": "u-17", "kind": "user", "session_id": "s-9"}
        assert event.description == "u-17 revoked www.example.com"

    def test_a_failure_has_the_details_that_it_got_to(self) -> None:
        """Of the same types, with nothing where nothing was sent."""
        failure: JsonObject = {"code": "denied", "reason": "not yours"}
        event = mapper.to_domain_event(stored(command_data(status="failure", failure=failure, details={})))
        assert event.details.model_dump(exclude_none=True) == {}
        assert event.description == "Asha Rao failed to revoke certificate www.example.com: not yours (denied)"

    @given(
        actor=st.fixed_dictionaries(
            {"id": identifiers, "kind": st.just("user")}, optional={"full_name": identifiers, "email": identifiers}
        ),
        entity=st.fixed_dictionaries(
            {"type": st.sampled_from(["user", "key"]), "id": identifiers}, optional={"name": identifiers}
        ),
        new=json_values,
    )
    def test_what_is_read_is_stored_again_byte_for_byte(
        self, actor: JsonObject, entity: JsonObject, new: JsonValue
    ) -> None:
        """And reading changes nothing about the domain event that was stored."""
        event = stored(command_data(actor=actor, entity=entity, changes=[{"path": "/x", "new": new}]))
        domain_event = mapper.to_domain_event(event)
        for _ in range(2):
            again = mapper.to_stored_event(domain_event)
            assert again == StoredEvent(event.originator_id, event.originator_version, event.topic, event.state)
        assert mapper.to_domain_event(event._replace(state=again.state)) == domain_event

    def test_the_transcoder_speaks_canonical_json(self) -> None:
        """Both ways."""
        assert RecordTranscoder().encode({"b": 1, "a": ["é"]}) == '{"a":["é"],"b":1}'.encode()
        assert RecordTranscoder().decode(b'{"a":1}') == {"a": 1}


class TestUnreadable:
    def test_an_unknown_type_is_unreadable(self) -> None:
        """Even one that Python could import."""
        for topic in ("CertificateForgotten", "builtins:eval", "domain.catalogue.certificates:CertificateRevoked", ""):
            with pytest.raises(UnreadableEvent, match="unknown"):
                mapper.to_domain_event(stored()._replace(topic=topic))

    @pytest.mark.parametrize("version", [2, 0, -1, "x", None, 1.5])
    def test_an_unknown_schema_version_is_unreadable(self, version: JsonValue) -> None:
        """As that of a later version of this service, which has been rolled back since."""
        with pytest.raises(UnreadableEvent, match="CertificateRevoked"):
            mapper.to_domain_event(changed(stored(), schema_version=version))

    @pytest.mark.parametrize("state", [b"", b"[]", b"{}", b"\xff", b'{"schema_version":1}'])
    def test_a_record_of_another_shape_is_unreadable(self, state: bytes) -> None:
        """The error names the type, so that the event can be set aside."""
        with pytest.raises(UnreadableEvent, match="the record is not that of CertificateRevoked"):
            mapper.to_domain_event(stored()._replace(state=state))

    @pytest.mark.parametrize("recorded_at", [None, 7, "yesterday", "2026-11-24T10:00:00"])
    def test_a_record_without_its_time_is_unreadable(self, recorded_at: JsonValue) -> None:
        """The time is the event's."""
        with pytest.raises(UnreadableEvent):
            mapper.to_domain_event(changed(stored(), recorded_at=recorded_at))

    @pytest.mark.parametrize("personal", [b"", b"{}", b'{"fields":[]}', b'{"fields":{"/x/y":1}}', b'{"fields":{"":1}}'])
    def test_personal_data_of_another_event_are_unreadable(self, personal: bytes) -> None:
        """They have no place to go back to."""
        with pytest.raises(UnreadableEvent):
            mapper.to_domain_event(stored()._replace(personal=personal))

    def test_details_of_another_shape_are_told_when_they_are_asked_for(self) -> None:
        """All else about the event can be read."""
        event = mapper.to_domain_event(changed(stored(), details={"crl_reason": 7}))
        assert event.description == "Asha Rao revoked www.example.com"
        with pytest.raises(ValidationError, match="crl_reason"):
            _ = event.details


def first_catalogue() -> Catalogue:
    moved = Declarations(Module.ADMINISTRATION)

    @moved("MoveCrate", "crate.moved", "crate", "moved {entity}", becomes("moved"))
    class CrateMoved(Details):
        """A crate was moved."""

        place: Name
        carrier: Annotated[Name | None, PERSONAL] = None

    return Catalogue(moved.activities)


def third_catalogue() -> Catalogue:
    """Two changes later: `place` has become `to`, and then a list of stops."""
    moved = Declarations(Module.ADMINISTRATION)

    @moved("MoveCrate", "crate.moved", "crate", "moved {entity}", becomes("moved"))
    class CrateMoved(Details):
        """A crate was moved."""

        schema_version = 3

        stops: list[Name]
        carrier: Annotated[Name | None, PERSONAL] = None

        @staticmethod
        def upcast_v1_v2(state: JsonObject) -> None:
            details = state["details"]
            assert isinstance(details, dict)
            details["to"] = details.pop("place")

        @staticmethod
        def upcast_v2_v3(state: JsonObject) -> None:
            details = state["details"]
            assert isinstance(details, dict)
            details["stops"] = [details.pop("to")]

    return Catalogue(moved.activities)


class TestUpcasting:
    old = stored(
        command_data(
            command="MoveCrate", entity={"type": "crate", "id": "1"}, details={"place": "hall 2", "carrier": "Ben Ode"}
        ),
        first_catalogue(),
    )

    def test_an_old_event_is_brought_to_the_present_shape(self) -> None:
        """Step by step, and its personal data still find their places."""
        event = RecordMapper(third_catalogue()).to_domain_event(self.old)
        assert event.facts["schema_version"] == 3
        assert event.details.model_dump() == {"stops": ["hall 2"], "carrier": "Ben Ode"}

    def test_what_is_stored_stays_as_it_was_hashed(self) -> None:
        """Only the reader sees the new shape."""
        record = self.old.record
        RecordMapper(third_catalogue()).to_domain_event(self.old)
        assert self.old.record == record
        assert json.loads(record)["schema_version"] == 1
        assert json.loads(record)["details"] == {"place": "hall 2"}

    def test_an_old_event_is_read_as_it_is_by_its_own_version(self) -> None:
        """The first catalogue has nothing to bring up to date."""
        event = RecordMapper(first_catalogue()).to_domain_event(self.old)
        assert event.details.model_dump() == {"place": "hall 2", "carrier": "Ben Ode"}

    def test_a_new_event_is_unreadable_to_an_old_version(self) -> None:
        """It is set aside rather than misunderstood."""
        data = command_data(command="MoveCrate", entity={"type": "crate", "id": "1"}, details={"stops": ["a", "b"]})
        new = stored(data, third_catalogue())
        with pytest.raises(UnreadableEvent, match="schema version 3"):
            RecordMapper(first_catalogue()).to_domain_event(new)

    def test_a_retry_after_the_change_is_the_same_command_if_it_looks_the_same(self) -> None:
        """The schema version is the service's, not the sender's."""
        assert draft(command_id="c-1").same_command(
            changed(stored(command_data(command_id="c-1")), schema_version=9).record, None
        )
