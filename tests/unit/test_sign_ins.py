"""Refused sign-ins are counted always, and told in the log within bounds."""

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from adapters.http import sign_ins
from adapters.http.sign_ins import RefusedSignIns
from application.credentials import NotAuthenticated, SignInRefusal


def counted(reason: SignInRefusal) -> float:
    return REGISTRY.get_sample_value("certinext_audit_sign_ins_refused_total", {"reason": reason}) or 0


def test_a_flood_does_not_flood_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some lines in each span of time; the first of the next span says how many went untold."""
    monkeypatch.setattr(sign_ins, "_LINES", 3)
    now = 100.0
    refused = RefusedSignIns(lambda: now)
    error = NotAuthenticated(SignInRefusal.UNKNOWN, "the API key is unknown")
    before = counted(SignInRefusal.UNKNOWN)
    with capture_logs() as lines:
        for _ in range(10):
            refused.note(error, "192.0.2.7")
        assert [line["untold_before"] for line in lines] == [0, 0, 0]
        now += sign_ins._SECONDS
        refused.note(error, "192.0.2.7")
        assert [line["untold_before"] for line in lines] == [0, 0, 0, 7]
    assert counted(SignInRefusal.UNKNOWN) == before + 11
