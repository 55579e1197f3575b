"""An entity is what its events make of it, by one rule, in whatever order they become known."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from eventsourcing.domain import OriginatorIDError, OriginatorVersionError
from hypothesis import given
from hypothesis import strategies as st

from domain.activity import Activity
from domain.catalogue import CATALOGUE
from domain.effect import ACTOR, How
from domain.entities.entity import Entity, project
from domain.entities.life import MOST_REGISTERS, UNBORN, Life, evolve, evolve_course
from domain.entities.links import FILTERABLE, LINKS, Link, filterable, links_of
from domain.entities.state import applied, differences, may_be_told, state_of, told_at, unknown
from domain.event import AuditEvent
from domain.mapper import RecordMapper
from domain.words import DEFAULT_LEDGER
from tests.lives import lives
from tests.told import ISSUED, REVOKED, actor, recorded, step, told


def life_of(*steps: dict[str, Any]) -> Life:
    life: Life = UNBORN
    for event in told(*steps):
        life = evolve(life, event)
    return life


def state(*steps: dict[str, Any]) -> Any:
    return state_of(life_of(*steps))


each_activity = pytest.mark.parametrize("activity", list(CATALOGUE), ids=lambda activity: activity.event_type)


@each_activity
def test_what_an_activity_tells_is_among_its_details(activity: Activity) -> None:
    """A detail that is not there would never be told; one way to tell an attribute is enough."""
    learned = activity.effect.learned
    details = {one.detail for one in learned if one.how not in {How.CLEAR, How.COUNT}}
    assert details - {ACTOR} <= set(activity.details.model_fields)
    assert len({(one.how, one.attribute) for one in learned}) == len(learned)


@each_activity
def test_no_attribute_is_a_set_here_and_a_single_value_there(activity: Activity) -> None:
    """Who reads an attribute of a type must know what it is."""
    kept = {one.attribute for one in activity.effect.learned if one.how is How.KEEP}
    several = {
        one.attribute
        for other in CATALOGUE
        if other.entity_type == activity.entity_type
        for one in other.effect.learned
        if one.how is not How.KEEP
    }
    assert not kept & several


def test_links_lead_to_types_that_there_are() -> None:
    assert set(LINKS.values()) <= {activity.entity_type for activity in CATALOGUE}
    assert set(LINKS) < FILTERABLE


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([step("IssueCertificate", "certificate:c", details=ISSUED)], "valid"),
        ([step("RevokeCertificate", "certificate:c", details=REVOKED)], "revoked"),
        ([step("EditCertificate", "certificate:c")], None),
        ([step("IssueCertificate", "certificate:c", details=ISSUED, failure=True)], None),
        (
            [
                step("IssueCertificate", "certificate:c", details=ISSUED),
                step("RevokeCertificate", "certificate:c", 5, details=REVOKED),
            ],
            "revoked",
        ),
        (
            [
                step("RevokeCertificate", "certificate:c", 5, details=REVOKED),
                step("IssueCertificate", "certificate:c", details=ISSUED),
            ],
            "revoked",
        ),
    ],
    ids=["begun", "contradictory", "touched", "failed", "two", "late"],
)
def test_the_state_is_that_of_the_last_success_in_time(steps: list[dict[str, Any]], expected: str | None) -> None:
    assert state(*steps)["state"] == expected


@pytest.mark.parametrize(
    ("steps", "attributes"),
    [
        ([step("IssueToken", "token:t", details={"api_type": "REST"}, actor=actor("u-1"))],
         {"api_type": "REST", "issued_by": "user:u-1"}),
        ([step("AssignRole", "user:u", details={"role": "a"}), step("AssignRole", "user:u", 1, details={"role": "b"})],
         {"roles": ["a", "b"]}),
        ([step("AssignRole", "user:u", details={"role": "a"}),
          step("UnassignRole", "user:u", 1, details={"role": "a"})], {"roles": []}),
        ([step("UnassignRole", "user:u", 1, details={"role": "a"}),
          step("AssignRole", "user:u", details={"role": "a"})], {"roles": []}),
        ([step("CreateUser", "user:u", 2, details={"roles": ["c"]}),
          step("AssignRole", "user:u", details={"role": "a"})], {"roles": ["c"]}),
        ([step("EnrollMfa", "user:u", details={"factor": "totp"}), step("ResetMfa", "user:u", 1),
          step("EnrollMfa", "user:u", 2, details={"factor": "push"})], {"factors": ["push"]}),
        ([step("LogInUser", "user:u", n, failure=True) for n in range(3)], {"failed_log_ins": 3}),
        ([*(step("LogInUser", "user:u", n, failure=True) for n in range(3)), step("LogInUser", "user:u", 3)],
         {"failed_log_ins": 0}),
        ([step("LogInUser", "user:u", 3), *(step("LogInUser", "user:u", n, failure=True) for n in range(2, 5))],
         {"failed_log_ins": 2}),
        ([step("UpdateUser", "user:u", changes=[{"path": "/team/name", "old": "a", "new": "b"}])], {"team/name": "b"}),
        ([step("UpdateUser", "user:u", changes=[{"path": "/team", "old": "a"}])], {"team": None}),
        ([step("UpdateUser", "user:u", changes=[{"path": "/roles", "old": [], "new": ["x", "y"]}])],
         {"roles": ["x", "y"]}),
        ([step("ExportKey", "key:k", details={"destination": "a/b"},
               also_affected=[{"type": "certificate_authority", "id": "ca"}])],
         {"exported_to": ["a/b"], "affected": ["certificate_authority:ca"]}),
        ([step("UpdateUser", "user:u", failure=True, changes=[{"path": "/team", "old": "a", "new": "b"}])], {}),
    ],
)  # fmt: skip
def test_attributes_are_what_was_told_last_in_time(steps: list[dict[str, Any]], attributes: dict[str, Any]) -> None:
    assert state(*steps)["attributes"] == attributes


def test_each_thing_is_known_by_the_event_that_told_it() -> None:
    life = life_of(
        step("IssueToken", "token:t", details={"api_type": "REST"}),
        step("RotateToken", "token:t", 1, details={"prefix": "p"}),
        step("UseToken", "token:t", 2),
        step("RevokeToken", "token:t", 3),
    )
    assert told_at(life) == {
        "api_type": 1, "begun": 1, "ended": 4, "issued_by": 1, "prefix": 2, "revoked_by": 4, "state": 4,
    }  # fmt: skip
    assert unknown("token", life) == ["expires_at", "scopes"]


def test_what_was_never_told_is_unknown() -> None:
    assert unknown("token", UNBORN) == list(may_be_told("token"))
    assert state_of(UNBORN) == {"state": None, "attributes": {}}
    assert may_be_told("unheard_of") == ()


def test_links_name_the_entities_of_a_state() -> None:
    details = ISSUED | {"ca_id": "ca:1", "request_id": "r-1"}
    issued = step("IssueCertificate", "certificate:c", details=details, also_affected=[{"type": "domain", "id": "d:1"}])
    found = state(issued)
    assert set(links_of(found)) == {
        Link("issuer", "certificate_authority", "ca:1"),
        Link("request", "certificate_request", "r-1"),
        Link("affected", "domain", "d:1"),
    }
    assert filterable(found) == {("issuer", "ca:1"), ("request", "r-1"), ("affected", "domain:d:1")}


def test_of_very_much_the_oldest_is_forgotten() -> None:
    members = [f"m{number}" for number in range(MOST_REGISTERS)]
    life = life_of(
        step("AssignRole", "group:g", details={"role": "old"}),
        step("CreateGroup", "group:g", 1, details={"members": members}),
    )
    assert len(life) <= MOST_REGISTERS + 3
    assert state_of(life)["state"] == "active"
    attributes: Any = state_of(life)["attributes"]
    assert "roles" not in attributes
    assert len(attributes["members"]) > MOST_REGISTERS - 5


def _events(seed: int, count: int) -> list[AuditEvent]:
    mapper = RecordMapper(CATALOGUE)
    return [mapper.to_domain_event(one) for one in recorded(lives(Random(seed), count, DEFAULT_LEDGER))]


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_in_which_events_become_known_does_not_matter(seed: int, random: Random) -> None:
    """So one that is reported late finds its place in time."""
    events = [event for event in _events(seed, 40) if event.originator_id == "certificate:certificate-0"]
    shuffled = random.sample(events, len(events))
    found = []
    for order in (events, shuffled):
        life: Life = UNBORN
        for event in order:
            life = evolve(life, event)
        found.append(state_of(life))
    assert found[0] == found[1]


@given(st.integers(0, 10_000))
def test_a_difference_leads_from_one_state_to_the_other(seed: int) -> None:
    """Of any two states of any two lives, and of one life at two moments."""
    states = []
    lives_: dict[str, Life] = {}
    for event in _events(seed, 30):
        lives_[event.originator_id] = evolve(lives_.get(event.originator_id, UNBORN), event)
        states.append(state_of(lives_[event.originator_id]))
    for before in states:
        for after in states[::3]:
            changes = differences(before, after)
            assert applied(before, changes) == after
            assert bool(changes) == (before != after)


@given(st.integers(0, 10_000))
def test_the_course_of_a_life_is_the_same_without_the_rest(seed: int) -> None:
    whole: Life = UNBORN
    course: Life = UNBORN
    for event in _events(seed, 30):
        whole, course = evolve(whole, event), evolve_course(course, event)
        assert course == {key: whole[key] for key in ("state", "begun", "ended") if key in whole}


def test_what_python_takes_for_the_same_may_differ_all_the_same() -> None:
    changes = differences({"state": None, "attributes": {"x": 1}}, {"state": None, "attributes": {"x": True}})
    assert [change.as_json() for change in changes] == [{"path": "/attributes/x", "old": 1, "new": True}]


class TestEntity:
    """It is an aggregate of the toolkit."""

    def test_events_mutate_it_in_the_order_of_versions(self) -> None:
        events = told(
            step("CreateUser", "user:u") | {"entity": {"type": "user", "id": "u", "name": "Asha"}},
            step("DisableUser", "user:u", 9),
            step("LogInUser", "user:u", 5, failure=True),
        )
        entity = project(None, events)
        assert entity is not None
        assert (entity.id, entity.version, entity.events, entity.successes) == ("user:u", 3, 3, 2)
        assert entity.name == "Asha"
        assert entity.first is not None
        assert entity.last is not None
        assert (entity.first.position, entity.last.position) == (1, 2)
        assert entity.modified_on == events[-1].timestamp

    def test_a_missing_version_is_an_error(self) -> None:
        events = told(step("CreateUser", "user:u"), step("DisableUser", "user:u"), step("EnableUser", "user:u"))
        with pytest.raises(OriginatorVersionError):
            project(None, [events[0], events[2]])

    def test_another_entitys_event_is_an_error(self) -> None:
        events = told(step("CreateUser", "user:u"), step("CreateUser", "user:v"))
        with pytest.raises(OriginatorIDError):
            project(None, events)

    def test_a_copy_goes_its_own_way(self) -> None:
        events = told(step("CreateUser", "user:u"), step("DisableUser", "user:u", 1))
        entity = Entity.unborn("user:u")
        events[0].mutate(entity)
        copy = entity.copied()
        events[1].mutate(copy)
        assert (state_of(entity.life)["state"], state_of(copy.life)["state"]) == ("active", "disabled")
        assert copy.modified_on - entity.modified_on == timedelta(microseconds=1)
