"""An event that contradicts what was told is a fact all the same, and it is said what it contradicts."""

from typing import Any

import pytest

from domain.entities.contradiction import Kind, contradictions
from domain.entities.life import UNBORN, Life, evolve
from tests.told import ISSUED, REVOKED, step, told

_BEGUN = step("IssueCertificate", "certificate:c", 10, details=ISSUED)
_TOKEN = step("IssueToken", "token:t", 10, details={"api_type": "REST"})
_DEAD = step("RevokeToken", "token:t", 20)


def _set(minute: int, old: Any, new: Any) -> dict[str, Any]:
    return step("ChangeSetting", "setting:s", minute, changes=[{"path": "/value", "old": old, "new": new}])


@pytest.mark.parametrize(
    ("before", "event", "kinds", "contradicted"),
    [
        ([], _BEGUN, [], None),
        ([_BEGUN], step("RevokeCertificate", "certificate:c", 20, details=REVOKED), [], None),
        ([], step("RevokeCertificate", "certificate:c", 20, details=REVOKED), [Kind.NEVER_BEGUN], None),
        ([], step("RevokeCertificate", "certificate:c", 20, failure=True), [], None),
        ([], step("TagCertificate", "certificate:c", 20), [], None),
        ([], step("RevokeSession", "session:s", 20), [], None),
        ([_BEGUN], _BEGUN | {"occurred_at": "2026-11-24T10:30:00Z"}, [Kind.BEGUN_TWICE], 1),
        ([_BEGUN], _BEGUN | {"occurred_at": "2026-11-24T10:05:00Z"}, [], None),
        ([step("DiscoverCertificate", "certificate:c", 5)], _BEGUN, [], None),
        ([_TOKEN, _DEAD], step("UseToken", "token:t", 30), [Kind.AFTER_END], 2),
        ([_TOKEN, _DEAD], step("UseToken", "token:t", 15), [], None),
        ([_TOKEN, _DEAD], step("UseToken", "token:t", 30, failure=True), [], None),
        ([_TOKEN, _DEAD], _TOKEN | {"occurred_at": "2026-11-24T10:30:00Z"}, [Kind.AFTER_END], 2),
        ([_BEGUN], step("ReinstateCertificate", "certificate:c", 20), [Kind.CANNOT_FOLLOW], 1),
        ([_BEGUN, step("SuspendCertificate", "certificate:c", 15)],
         step("ReinstateCertificate", "certificate:c", 20), [], None),
        ([_set(1, 60, 30)], _set(2, 30, 20), [], None),
        ([_set(1, 60, 30)], _set(2, 60, 20), [Kind.UNEXPLAINED_CHANGE], 1),
        ([_set(5, 60, 30)], _set(2, 90, 60), [], None),
    ],
)  # fmt: skip
def test_what_is_contradicted(
    before: list[dict[str, Any]], event: dict[str, Any], kinds: list[Kind], contradicted: int | None
) -> None:
    *earlier, last = told(*before, event)
    life: Life = UNBORN
    for one in earlier:
        life = evolve(life, one)
    found = list(contradictions(life, last))
    assert [one.kind for one in found] == kinds
    if found:
        assert found[0].position == contradicted
        assert last.activity.name in found[0].words
