"""Personal data are set apart whole and put back where they were, and their digest vouches for each byte."""

import copy
import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import personal
from domain.catalogue import CATALOGUE
from domain.errors import InvalidJson
from domain.values import JsonObject, JsonValue
from tests.builders import command, identifiers, json_values, texts

SALT = bytes(range(16))


def facts_of(**changes: Any) -> JsonObject:
    return command(**changes).facts()


def set_apart(facts: JsonObject) -> bytes | None:
    activity = CATALOGUE.of_command(str(facts["command"]))
    assert activity is not None
    return personal.set_apart(facts, activity, SALT)


def fields_of(facts: JsonObject) -> dict[str, JsonValue]:
    apart = set_apart(facts)
    fields: dict[str, JsonValue] = {} if apart is None else json.loads(apart)["fields"]
    return fields


actors = st.fixed_dictionaries(
    {"id": identifiers, "kind": st.sampled_from(["user", "bot", "service", "anonymous"])},
    optional={
        "full_name": identifiers | st.none(),
        "email": identifiers,
        "ip": st.ip_addresses().map(str),
        "user_agent": texts,
        "roles": st.lists(identifiers, max_size=2),
    },
)
entities = st.fixed_dictionaries(
    {"type": st.sampled_from(["user", "certificate", "group"]), "id": identifiers},
    optional={"name": identifiers | st.none()},
)
changes_of_entities = st.lists(
    st.fixed_dictionaries({"path": identifiers}, optional={"old": json_values, "new": json_values}), max_size=3
)
details = st.fixed_dictionaries({}, optional={"email": identifiers, "roles": st.lists(identifiers, max_size=2)})


@given(
    actor=actors,
    entity=entities,
    changes=changes_of_entities | st.none(),
    affected=st.lists(entities, max_size=3) | st.none(),
    details=details,
)
def test_setting_apart_and_putting_back_is_the_identity(
    actor: JsonValue, entity: JsonValue, changes: JsonValue, affected: JsonValue, details: JsonValue
) -> None:
    """Whatever is known about the actor, the entities and the changes; nothing personal stays behind."""
    facts = facts_of(
        command="CreateUser", actor=actor, entity=entity, changes=changes, also_affected=affected, details=details
    )
    original = copy.deepcopy(facts)
    apart = set_apart(facts)
    assert (apart is None) == (facts == original)
    assert set_apart(copy.deepcopy(facts)) is None
    if apart is not None:
        personal.put_back(facts, apart)
    assert repr(sort(facts)) == repr(sort(original))


def test_the_bytes_are_canonical_and_salted() -> None:
    """The fields by JSON Pointer, and the salt in hexadecimal, in one form."""
    assert set_apart(facts_of()) == (
        b'{"fields":{"/actor/full_name":"Asha Rao","/actor/ip":"10.1.2.3"},"salt":"000102030405060708090a0b0c0d0e0f"}'
    )


def test_what_names_or_locates_the_actor_is_personal() -> None:
    """Full name, e-mail address, IP address and user agent; not the id, which the record is found by."""
    actor = {
        "id": "u-17",
        "kind": "user",
        "full_name": "Asha Rao",
        "email": "asha@example.com",
        "ip": "10.1.2.3",
        "user_agent": "Firefox",
        "roles": ["admin"],
        "session_id": "s-9",
        "auth_method": "password",
        "on_behalf_of": "u-1",
    }
    facts = facts_of(actor=actor)
    assert fields_of(facts) == {
        "/actor/full_name": "Asha Rao",
        "/actor/email": "asha@example.com",
        "/actor/ip": "10.1.2.3",
        "/actor/user_agent": "Firefox",
    }
    assert facts["actor"] == {
        "id": "u-17",
        "kind": "user",
        "roles": ["admin"],
        "session_id": "s-9",
        "auth_method": "password",
        "on_behalf_of": "u-1",
    }


def test_details_that_name_a_person_are_personal() -> None:
    """As the activity's model marks them, in a failure as in a success."""
    request = {"command": "ApproveCertificateRequest", "actor": {"id": "u-2", "kind": "user"}}
    details = {"approver": "Ben Ode"}
    failure = {"status": "failure", "failure": {"code": "denied", "reason": "own request"}}
    assert fields_of(facts_of(**request, **failure, details=details)) == {"/details/approver": "Ben Ode"}


def test_names_of_users_are_personal_and_those_of_things_are_not() -> None:
    """Wherever a user is acted on or affected; the id stays."""
    users: list[JsonValue] = [
        {"type": "key", "id": "k-1", "name": "signing key"},
        {"type": "user", "id": "u-3", "name": "Cem Oz"},
        {"type": "user", "id": "u-4"},
    ]
    facts = facts_of(
        command="UpdateUser",
        actor={"id": "bot-1", "kind": "bot"},
        entity={"type": "user", "id": "u-2", "name": "Ben Ode"},
        also_affected=users,
        details={},
    )
    assert fields_of(facts) == {"/entity/name": "Ben Ode", "/also_affected/1/name": "Cem Oz"}
    assert facts["also_affected"] == [users[0], {"type": "user", "id": "u-3"}, users[2]]


@pytest.mark.parametrize(
    ("entity_type", "expected"),
    [
        ("user", {"/changes/0/old": "Ben Ode", "/changes/0/new": "Ben Oduya", "/changes/1/new": None}),
        ("certificate", {}),
    ],
)
def test_what_changed_about_a_user_is_personal(entity_type: str, expected: dict[str, JsonValue]) -> None:
    """The values, not which of them changed."""
    facts = facts_of(
        command="UpdateUser",
        actor={"id": "bot-1", "kind": "bot"},
        entity={"type": entity_type, "id": "x-1"},
        changes=[{"path": "/name", "old": "Ben Ode", "new": "Ben Oduya"}, {"path": "/phone", "new": None}],
        details={},
    )
    assert fields_of(facts) == expected
    assert isinstance(facts["changes"], list)
    assert [change["path"] for change in facts["changes"]] == ["/name", "/phone"]  # type: ignore[index, call-overload]


def test_facts_without_personal_data_stay_as_they_are() -> None:
    """There is nothing to keep beside them."""
    facts = facts_of(actor={"id": "bot-1", "kind": "bot"})
    before = copy.deepcopy(facts)
    assert set_apart(facts) is None
    assert facts == before


@given(data=st.binary(min_size=1, max_size=100), place=st.integers(0, 99), bit=st.integers(0, 7))
def test_the_digest_changes_with_any_bit(data: bytes, place: int, bit: int) -> None:
    """And is that of the design: SHA-256(0x03 || bytes)."""
    changed = bytearray(data)
    changed[place % len(data)] ^= 1 << bit
    assert personal.digest(data) == sha256(b"\x03" + data).digest() != personal.digest(bytes(changed))


def test_equal_data_have_unlike_digests_under_unlike_salts() -> None:
    """So nobody can find a name by trying names."""
    activity = CATALOGUE.of_type("CertificateRevoked")
    one, other = (personal.set_apart(facts_of(), activity, salt) for salt in (SALT, SALT[::-1]))
    assert one is not None
    assert other is not None
    assert json.loads(one)["fields"] == json.loads(other)["fields"]
    assert personal.digest(one) != personal.digest(other)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"fields":[]}',
        b'{"fields":{"":1}}',
        b'{"fields":{"/nobody/name":1}}',
        b'{"fields":{"/also_affected/7/name":1}}',
        b'{"fields":{"/also_affected/x/name":1}}',
        b'{"fields":{"/status/name":1}}',
    ],
)
def test_bytes_of_other_facts_are_refused(data: bytes) -> None:
    """With one of the errors that are announced."""
    facts = facts_of(also_affected=[{"type": "user", "id": "u-1"}])
    with pytest.raises((InvalidJson, LookupError, TypeError, ValueError)):
        personal.put_back(facts, data)


def sort(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: sort(value[key]) for key in sorted(value)}
    return [sort(item) for item in value] if isinstance(value, list) else value
