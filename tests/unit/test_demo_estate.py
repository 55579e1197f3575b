"""The demonstration's estate is believable, valid, complete and the same every time."""

import hashlib
import shlex
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.demo import incident
from adapters.demo.discovery import trusted_roots
from adapters.demo.estate import DAYS, commands
from adapters.demo.lines import curl_lines
from adapters.demo.people import HAMBURG
from adapters.demo.player import in_steps, module_of
from adapters.demo.scenes_of_certificates import SELF_APPROVED_REQUEST_IDS
from adapters.demo.traffic import Traffic
from domain import canonical
from domain.catalogue import CATALOGUE
from domain.command import Command, read_command
from domain.filters import EventFilter
from domain.values import JsonObject, parse_rfc3339
from domain.words import Module, Status

END = date(2026, 11, 24)
MIDNIGHT = datetime.combine(END, time(), UTC)


@pytest.fixture(scope="module")
def estate() -> list[JsonObject]:
    return commands(END)


@pytest.fixture(scope="module")
def understood(estate: list[JsonObject]) -> list[Command]:
    return [read_command(command, CATALOGUE, MIDNIGHT) for command in estate]


def test_it_is_large_and_every_command_is_valid(understood: list[Command]) -> None:
    assert 20_000 <= len(understood) <= 30_000


def test_nobody_acts_before_it_is_known_that_they_were_let_in(estate: list[JsonObject]) -> None:
    """What is sent together is recorded in any order: nothing in it may depend on somebody's return."""
    steps = list(in_steps(estate))
    assert [command for step in steps for command in step] == estate
    returns = 0
    for step in steps:
        let_in = [command["command"] in {"EnableUser", "ActivateBot"} for command in step]
        assert not any(let_in[:-1])
        returns += sum(let_in)
    assert returns > 10


def test_every_activity_occurs(understood: list[Command]) -> None:
    assert {command.activity.name for command in understood} == {activity.name for activity in CATALOGUE}


def test_every_activity_is_told_of_the_type_of_entity_that_the_catalogue_names(understood: list[Command]) -> None:
    assert [
        (command.activity.name, command.envelope.entity.type)
        for command in understood
        if command.envelope.entity.type != command.activity.entity_type
    ] == []


@pytest.mark.parametrize("end", [END + timedelta(days=n) for n in range(1, 7)])
def test_every_activity_occurs_whatever_the_day_of_the_week(end: date) -> None:
    assert {command["command"] for command in commands(end)} == {activity.command for activity in CATALOGUE}


def test_times_run_forward_through_the_whole_period(understood: list[Command]) -> None:
    times = [command.envelope.occurred_at for command in understood]
    assert times == sorted(times)
    assert times[0] - (MIDNIGHT - timedelta(days=DAYS)) < timedelta(hours=1)
    assert timedelta(0) < MIDNIGHT - times[-1] < timedelta(hours=1)


def test_the_same_seed_tells_the_same_story(estate: list[JsonObject]) -> None:
    assert _digest(commands(END)) == _digest(estate)


def test_another_seed_or_day_tells_another_under_other_ids(estate: list[JsonObject]) -> None:
    ids = {command["command_id"] for command in estate}
    for others in (commands(END, seed=1), commands(END + timedelta(days=1))):
        assert ids.isdisjoint(command["command_id"] for command in others)


def test_every_command_has_an_id_of_its_own(estate: list[JsonObject]) -> None:
    assert len({command["command_id"] for command in estate}) == len(estate)


def test_a_cause_is_an_earlier_command(estate: list[JsonObject]) -> None:
    earlier: set[object] = set()
    for command in estate:
        assert command.get("causation_id") is None or command["causation_id"] in earlier
        earlier.add(command["command_id"])


def test_few_actions_fail_and_some_in_every_module(understood: list[Command]) -> None:
    failed = [command for command in understood if command.envelope.status is Status.FAILURE]
    assert 0.01 < len(failed) / len(understood) < 0.06
    assert {command.activity.module for command in failed} == set(Module)


def test_log_ins_and_machines_dominate(understood: list[Command]) -> None:
    counts = Counter(command.activity.name for command in understood)
    assert counts.most_common(1)[0][0] == "user.logged_in"
    assert counts["certificate.issued"] > 800
    assert counts["key.exported"] < 5


def test_lives_follow_the_catalogue_but_for_what_is_planted(understood: list[Command]) -> None:
    ended: set[tuple[str, str]] = set()
    after_the_end: list[str] = []
    for command in understood:
        entity, effect = command.envelope.entity, command.activity.effect
        if command.envelope.status is Status.SUCCESS:
            if (entity.type, entity.id) in ended:
                after_the_end.append(entity.id)
            if effect.ends:
                ended.add((entity.type, entity.id))
    assert after_the_end == [incident.TOKEN_ID] * 3


def test_the_requester_approves_only_where_it_is_planted(estate: list[JsonObject]) -> None:
    requester = {_about(c): _actor(c) for c in estate if c["command"] == "RequestCertificate"}
    own = {
        _about(c) for c in estate if c["command"] == "ApproveCertificateRequest" and requester[_about(c)] == _actor(c)
    }
    assert own == {incident.REQUEST_ID, *SELF_APPROVED_REQUEST_IDS}


def test_what_is_discovered_and_trusted_are_the_authorities_of_certifi(estate: list[JsonObject]) -> None:
    roots = {root.sha256_fingerprint for root in trusted_roots()}
    assert len(roots) > 50
    for activity in ("trust_anchor.added", "certificate.discovered"):
        command = CATALOGUE.named(activity)
        assert command is not None
        assert roots <= {_detail(c, "sha256_fingerprint") for c in estate if c["command"] == command.command}


def test_the_incident_can_be_found_by_its_ids(understood: list[Command]) -> None:
    from_abroad = [c for c in understood if c.envelope.actor.ip == incident.ATTACKER_IP]
    names = Counter((c.activity.name, c.envelope.status) for c in from_abroad)
    assert names["user.logged_in", Status.FAILURE] == incident.FAILED_LOG_INS
    assert names["token.used", Status.SUCCESS] == 3
    assert [c.activity.name for c in understood if c.envelope.actor.session_id == incident.SESSION_ID] == [
        "user.logged_in",
        "certificate.requested",
        "certificate_request.approved",
        "certificate.downloaded",
        "role.assumed",
        "key.exported",
        "authentication_setting.changed",
    ]
    assert {c.envelope.correlation_id for c in understood} >= {incident.ORDER_STORY, incident.CASE}


def test_the_key_is_exported_at_night_outside_a_ceremony(understood: list[Command]) -> None:
    [export] = [c for c in understood if c.activity.name == "key.exported" and c.envelope.entity.id == incident.KEY_ID]
    local = export.envelope.occurred_at.astimezone(HAMBURG.zone)
    assert (local.hour, local.minute) == (2, 47)
    assert export.envelope.correlation_id is None
    assert MIDNIGHT - export.envelope.occurred_at < timedelta(days=10)


def test_live_traffic_is_valid_and_of_now() -> None:
    traffic = Traffic(seed=7)
    told = [traffic.next_command(MIDNIGHT + timedelta(seconds=n)) for n in range(2_000)]
    for number, command in enumerate(told):
        read_command(command, CATALOGUE, MIDNIGHT + timedelta(seconds=number))
        assert parse_rfc3339(command["occurred_at"]) == MIDNIGHT + timedelta(seconds=number)
    assert len({command["command_id"] for command in told}) == len(told)
    assert {module_of(command) for command in told} == set(Module)


def test_the_lines_for_a_shell_ask_by_filters_that_exist() -> None:
    lines = curl_lines("http://127.0.0.1:8080")
    assert len(lines) == 5
    for _, line in lines:
        words = shlex.split(line)
        assert words[:4] == ["curl", "-s", "-H", "Authorization: Bearer $KEY"]
        url = urlsplit(words[4])
        query = parse_qs(url.query, strict_parsing=True)
        for name in ("limit", "bucket"):
            query.pop(name, None)
        EventFilter.model_validate_json(canonical.encode({k: v[0] if k == "from" else [*v] for k, v in query.items()}))


def _digest(estate: list[JsonObject]) -> str:
    return hashlib.sha256(canonical.encode([*estate])).hexdigest()


def _about(command: JsonObject) -> object:
    assert isinstance(command["entity"], dict)
    return command["entity"]["id"]


def _actor(command: JsonObject) -> object:
    assert isinstance(command["actor"], dict)
    return command["actor"]["id"]


def _detail(command: JsonObject, name: str) -> object:
    assert isinstance(command["details"], dict)
    return command["details"].get(name)
