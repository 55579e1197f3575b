"""Each rule finds what it is for, in what proves it, and nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.documents.findings import render
from domain.catalogue import CATALOGUE
from domain.findings.approvals import IssuedWithoutApproval, RequestApprovedByRequester
from domain.findings.clocks import ClockSkew
from domain.findings.closed import UseOfClosedAccess
from domain.findings.finding import MOST_EVIDENCE, Rule, Severity
from domain.findings.hours import OffHoursAdministration
from domain.findings.keys import KeyOutsideCeremony
from domain.findings.lifecycle import StepCannotFollow
from domain.findings.log_ins import ManyFailedLogIns
from domain.findings.rules import RULES, fingerprint, rules
from domain.findings.thresholds import Thresholds
from domain.values import rfc3339
from tests.told import ISSUED, REVOKED, actor, step, told
from tests.unit.judging import Judged, judged

ASHA, BEN = actor("u-1", full_name="Asha"), actor("u-2", full_name="Ben")
Steps = list[dict[str, Any]]


def asked(minute: int = 0, by: Any = ASHA, **more: Any) -> dict[str, Any]:
    return step("RequestCertificate", "certificate_request:r", minute, actor=by, **more)


def approved(minute: int = 1, by: Any = BEN, **more: Any) -> dict[str, Any]:
    return step("ApproveCertificateRequest", "certificate_request:r", minute, actor=by, **more)


def issued(minute: int = 2, request: str | None = "r", **more: Any) -> dict[str, Any]:
    details = ISSUED | ({"request_id": request} if request else {})
    return step("IssueCertificate", "certificate:c", minute, details=details, **more)


@pytest.mark.parametrize(
    ("steps", "positions"),
    [
        ([asked(), approved()], []),
        ([asked(), approved(by=ASHA)], [[1, 2]]),
        ([approved(by=ASHA), asked()], [[1, 2]]),
        ([asked(), approved(by=ASHA, failure=True)], []),
        ([asked(failure=True), approved(by=ASHA)], []),
        ([asked(), approved(), approved(2, by=ASHA)], [[1, 3]]),
        ([asked(by=ASHA | {"on_behalf_of": "u-2"}), approved()], [[1, 2]]),
        ([asked(by=actor("b-1", "bot")), approved(by=actor("b-1", "bot"))], [[1, 2]]),
        ([approved(by=ASHA)], []),
    ],
)
def test_a_request_approved_by_its_requester(steps: Steps, positions: list[list[int]]) -> None:
    found = judged(RequestApprovedByRequester(), *steps)
    assert found.positions == positions


@pytest.mark.parametrize(
    ("steps", "positions", "withdrawn"),
    [
        ([approved(), issued()], [], []),
        ([issued()], [[1]], []),
        ([issued(request=None)], [[1]], []),
        ([issued(failure=True)], [], []),
        ([approved(failure=True), issued()], [[2]], []),
        ([approved(9), issued(2)], [[2]], []),
        ([issued(2), approved(1)], [], [1]),
        ([issued(2), approved(3)], [[1]], []),
        ([issued(2), approved(3), approved(1)], [], [1]),
        ([approved(1), issued(2), issued(3)], [], []),
    ],
)
def test_a_certificate_that_nobody_approved(steps: Steps, positions: list[list[int]], withdrawn: list[int]) -> None:
    """One that was approved, but the approval was reported late, is explained by it."""
    found = judged(IssuedWithoutApproval(), *steps)
    assert (found.positions, found.withdrawn) == (positions, withdrawn)


_TOKEN = step("IssueToken", "token:t", 0, details={"api_type": "REST"})
_RESET = step("RevokeToken", "token:t", 10)


@pytest.mark.parametrize(
    ("steps", "positions", "withdrawn", "severity"),
    [
        ([issued(), step("RevokeCertificate", "certificate:c", 9, details=REVOKED)], [], [], None),
        ([step("RevokeCertificate", "certificate:c", 9, details=REVOKED)], [[1]], [], Severity.MEDIUM),
        ([step("RevokeCertificate", "certificate:c", 9, details=REVOKED), issued()], [], [1], None),
        ([step("RevokeCertificate", "certificate:c", 1, details=REVOKED), issued()], [[1]], [], Severity.MEDIUM),
        ([_TOKEN, _RESET, step("RotateToken", "token:t", 11)], [[3]], [], Severity.HIGH),
        ([_TOKEN, _RESET, step("RotateToken", "token:t", 9)], [], [], None),
        ([_TOKEN, _RESET, step("UseToken", "token:t", 11)], [], [], None),
        ([_TOKEN, _TOKEN | {"occurred_at": "2026-11-24T10:01:00Z"}], [[2]], [], Severity.MEDIUM),
        ([issued(), step("ReinstateCertificate", "certificate:c", 5)], [[2]], [], Severity.MEDIUM),
        ([step("RevokeSession", "session:s")], [], [], None),
        ([step("ChangeSetting", "setting:s")], [], [], None),
    ],
)
def test_a_step_that_cannot_follow(
    steps: Steps, positions: list[list[int]], withdrawn: list[int], severity: Severity | None
) -> None:
    found = judged(StepCannotFollow(), *steps)
    assert (found.positions, found.withdrawn) == (positions, withdrawn)
    assert {one.severity for one in found.found.values()} == ({severity} if severity else set())


def _tries(count: int, first: int = 0, every: int = 1, user: str = "u", **more: Any) -> Steps:
    return [
        step("LogInUser", f"user:{user}", first + every * n, failure=True, actor=actor(user, ip="10.0.0.1"), **more)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("steps", "counts"),
    [
        (_tries(4), []),
        (_tries(5), [5]),
        (_tries(9), [9]),
        (_tries(5, every=4), []),
        (_tries(5) + _tries(5, first=100), [5, 5]),
        (_tries(3) + _tries(3, user="v"), []),
        ([*_tries(3), step("LogInUser", "user:u", 3), *_tries(2, 4)], [5]),
        ([step("LogInUser", "user:u", n) for n in range(9)], []),
        (_tries(200, every=0), [MOST_EVIDENCE]),
    ],
)
def test_many_failed_log_ins_are_one_finding(steps: Steps, counts: list[int]) -> None:
    """That grows while they go on."""
    rule = ManyFailedLogIns(Thresholds(failed_log_ins=5, failed_log_ins_within=timedelta(minutes=10)))
    found = judged(rule, *steps)
    assert [len(one) for one in found.positions] == counts
    assert all("10.0.0.1" in words for words in found.words)


def test_the_words_say_how_many_log_ins_failed() -> None:
    (words,) = judged(ManyFailedLogIns(Thresholds()), *_tries(150, every=0)).words
    assert words == "150 log-ins of u failed in short order, from 10.0.0.1"


def _act(command: str = "ExportKey", minute: int = 5, story: str | None = "s", **more: Any) -> dict[str, Any]:
    return step(command, "key:k", minute, correlation_id=story, **more)


def _frame(command: str, minute: int, kind: str = "key_ceremony", story: str | None = "s") -> dict[str, Any]:
    return step(command, f"{kind}:f", minute, correlation_id=story)


_OPENED, _CLOSED = _frame("StartKeyCeremony", 0), _frame("CompleteKeyCeremony", 9)
_IN_FRAME: dict[str, Any] = {"also_affected": [{"type": "key_ceremony", "id": "f"}]}


@pytest.mark.parametrize(
    ("steps", "positions", "withdrawn"),
    [
        ([_act(story=None)], [[1]], []),
        ([_act("DestroyKey")], [[1]], []),
        ([_act(failure=True)], [], []),
        ([_OPENED, _act()], [], []),
        ([_OPENED, _act(), _CLOSED], [], []),
        ([_OPENED, _CLOSED, _act(minute=10)], [[3]], []),
        ([_OPENED, _CLOSED, _act(minute=5)], [], []),
        ([_act(), _OPENED], [], [1]),
        ([_act(minute=10), _OPENED, _CLOSED], [], [1]),
        ([_OPENED, _act(story="other")], [[2]], []),
        ([_OPENED, _act(story=None, **_IN_FRAME)], [], []),
        ([_act(story=None, **_IN_FRAME), _OPENED], [], [1]),
        ([_frame("StartWorkflowRun", 0, "workflow_run"), _act()], [], []),
        ([step("AccessKey", "key:k")], [], []),
    ],
)
def test_a_key_outside_a_ceremony(steps: Steps, positions: list[list[int]], withdrawn: list[int]) -> None:
    found = judged(KeyOutsideCeremony(), *steps)
    assert (found.positions, found.withdrawn) == (positions, withdrawn)


def test_the_words_say_that_a_key_left_in_the_clear() -> None:
    (words,) = judged(KeyOutsideCeremony(), _act(details={"wrapped": False}, actor=ASHA)).words
    assert words == "Asha exported the key k in the clear, in no ceremony and no workflow"


def _use(minute: int, **more: Any) -> dict[str, Any]:
    return step("UseToken", "token:t", minute, actor=actor("svc", "service"), **more)


def _user(command: str, minute: int) -> dict[str, Any]:
    return step(command, "user:u-1", minute, actor=BEN)


def _does(minute: int, **more: Any) -> dict[str, Any]:
    return step("AccessResource", "resource:x", minute, actor=ASHA, **more)


@pytest.mark.parametrize(
    ("steps", "positions"),
    [
        ([_TOKEN, _use(5), _RESET], []),
        ([_TOKEN, _RESET, _use(11)], [[2, 3]]),
        ([_TOKEN, _RESET, _use(11), _use(12)], [[2, 3, 4]]),
        ([_TOKEN, _RESET, _use(9)], []),
        ([_TOKEN, _RESET, _use(11, failure=True)], []),
        ([_TOKEN, step("ExpireToken", "token:t", 10), _use(11)], [[2, 3]]),
        ([_user("DisableUser", 10), _does(11)], [[1, 2]]),
        ([_user("DeleteUser", 10), _does(11)], [[1, 2]]),
        ([_user("DisableUser", 10), _does(9)], []),
        ([_user("DisableUser", 10), _does(11, failure=True)], []),
        ([_user("DisableUser", 10), _user("EnableUser", 20), _does(21)], []),
        ([_user("EnableUser", 20), _user("DisableUser", 10), _does(21)], []),
        ([_user("DisableUser", 10), _does(11), _user("EnableUser", 20), _user("DisableUser", 30), _does(31)],
         [[1, 2], [4, 5]]),
        ([step("DeactivateBot", "bot:b", 1), step("CheckInBot", "bot:b", 2, actor=actor("b", "bot"))], [[1, 2]]),
        ([step("DisableUser", "user:u-1", 10, actor=ASHA)], []),
    ],
)  # fmt: skip
def test_the_use_of_what_was_closed(steps: Steps, positions: list[list[int]]) -> None:
    assert judged(UseOfClosedAccess(), *steps).positions == positions


def _seen(days: int, hour: int = 9, by: Any = ASHA) -> Steps:
    """Log-ins at one hour of many days."""
    first = datetime(2026, 10, 1, hour, 30, tzinfo=UTC)
    return [
        step("LogInUser", "user:u-1", actor=by) | {"occurred_at": rfc3339(first + timedelta(days=day))}
        for day in range(days)
    ]


def _administers(at: str, by: Any = ASHA, command: str = "ChangeSetting", about: str = "setting:s") -> dict[str, Any]:
    return step(command, about, actor=by) | {"occurred_at": f"2026-11-20T{at}:00Z"}


@pytest.mark.parametrize(
    ("steps", "nights"),
    [
        ([*_seen(30), _administers("02:00")], [1]),
        ([*_seen(30), _administers("02:00"), _administers("02:40")], [2]),
        ([*_seen(30), _administers("10:00")], []),
        ([*_seen(30, 23), _administers("00:10")], []),
        ([*_seen(30, 9), *_seen(30, 14), _administers("12:00")], []),
        ([*_seen(30, 9), *_seen(30, 19), _administers("13:00")], [1]),
        ([*_seen(10), _administers("02:00")], []),
        ([*_seen(30), _administers("02:00", by=BEN)], []),
        ([*_seen(30), _administers("02:00", by=actor("u-1", "service"))], []),
        ([*_seen(30), _administers("02:00", command="QueryAuditTrail", about="ledger:l")
          | {"details": {"filters": {}, "rows": 1}}], []),
        ([*_seen(30), _administers("02:00", command="LogInUser", about="user:u-1")], []),
        ([*_seen(30), _administers("02:00", command="SuspendCertificateAuthority", about="certificate_authority:c")],
         [1]),
    ],
)  # fmt: skip
def test_administration_at_an_hour_that_is_not_theirs(steps: Steps, nights: list[int]) -> None:
    found = judged(OffHoursAdministration(Thresholds()), *steps)
    assert [len(one) for one in found.positions] == nights


def _reported(lags: list[float], at: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)) -> Judged:
    """Events of one source, each recorded so many seconds after it occurred."""
    steps = [step("UseToken", "token:t") | {"occurred_at": rfc3339(at - timedelta(seconds=lag))} for lag in lags]
    return Judged(ClockSkew(Thresholds()), told(*steps, now=at))


@pytest.mark.parametrize(
    ("lags", "counts"),
    [
        ([0.1] * 30, []),
        ([-60], []),
        ([-180], [1]),
        ([-180, -200], [2]),
        ([1] * 30 + [3 * 3600], [1]),
        ([1] * 30 + [3 * 3600] * 3, [3]),
        ([1] * 30 + [600], []),
        ([1] * 5 + [3 * 3600], []),
        ([90 * 86400 - n * 86400 / 10 for n in range(900)], []),
        ([7200] * 30 + [9000], []),
    ],
    ids=["prompt", "a little ahead", "ahead", "twice", "late", "late thrice", "a little late", "not known yet",
         "an import", "always late"],
)  # fmt: skip
def test_clocks_that_disagree(lags: list[float], counts: list[int]) -> None:
    assert [len(one) for one in _reported(lags).positions] == counts


def test_a_source_s_skew_of_one_day_is_one_finding() -> None:
    (words,) = _reported([-180, -300]).words
    assert words == "2 events of the source key-1 occurred after they were recorded, by up to 0:05:00"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_what_it_is_for(rule: Rule) -> None:
    assert rule.title
    assert rule.__doc__
    assert any(control.startswith("NIST SP 800-53 A") for control in rule.controls)
    assert any(control.startswith("PCI DSS 10.") for control in rule.controls)
    assert any(control.startswith("CA/B BR 5.4.1") for control in rule.controls)
    assert (rule.activities or set()) <= {activity.name for activity in CATALOGUE}


def test_other_rules_or_thresholds_have_another_fingerprint() -> None:
    """So that all of history is judged again."""
    usual, strict = Thresholds(), Thresholds(failed_log_ins=3)
    prints = {
        fingerprint(rules(usual), usual),
        fingerprint(rules(strict), strict),
        fingerprint(rules(usual)[1:], usual),
    }
    assert len(prints) == 3
    assert fingerprint(rules(usual), usual) == fingerprint(RULES, Thresholds())


def test_the_document_is_up_to_date() -> None:
    """docs/findings.md is what `python -m adapters.documents.findings` writes."""
    document = Path(__file__).parents[2] / "docs" / "findings.md"
    assert document.read_text(encoding="utf-8") == render()
