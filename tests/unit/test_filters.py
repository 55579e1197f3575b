"""A filter says exactly what is wanted, in one form, or which of its values cannot be meant."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from domain.filters import EventFilter
from domain.words import Module, Status


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"user": [""]}, "at least 1 character"),
        ({"user": ["u" * 257]}, "at most 256 characters"),
        ({"module": ["kitchen"]}, "'user_activity', 'certificate_operations'"),
        ({"activity": ["certificate.eaten"]}, "must be an activity of the catalogue"),
        ({"activity": ["RevokeCertificate"]}, "must be an activity of the catalogue"),
        ({"status": ["perhaps"]}, "'success' or 'failure'"),
        ({"from": "2026-11-24"}, "must be an RFC 3339 time with a zone"),
        ({"from": "2026-11-24T10:00:00"}, "must be an RFC 3339 time with a zone"),
        ({"to": "tomorrow"}, "must be an RFC 3339 time with a zone"),
        ({"from": "2026-11-24T10:00:00Z", "to": "2026-11-24T10:00:00Z"}, "`from` must be before `to`"),
        ({"from": "2026-11-24T10:00:00Z", "to": "2026-11-24T11:00:00+02:00"}, "`from` must be before `to`"),
        ({"entity": ["Certificate:c-1"]}, "should match pattern"),
        ({"entity": ["certificate:"]}, "should match pattern"),
        ({"entity": [":c-1"]}, "should match pattern"),
        ({"entity": ["certificate:" + "c" * 257]}, "should match pattern"),
        ({"ip": ["10.1.2"]}, "does not appear to be an IPv4 or IPv6 address"),
        ({"text": ["-- !"]}, "must hold a word"),
        ({"text": [""]}, "at least 1 character"),
        ({"colour": ["red"]}, "Extra inputs are not permitted"),
        ({"from_": "2026-11-24T10:00:00Z"}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], said: str) -> None:
    """The error names the filter and says what it should hold."""
    with pytest.raises(ValidationError, match=said.replace("|", r"\|")) as caught:
        EventFilter.model_validate(given)
    assert caught.value.error_count() == 1


def test_values_come_in_one_form() -> None:
    """Times in UTC, addresses as they are usually written, words from their closed lists."""
    wanted = EventFilter.model_validate(
        {
            "ip": ["2001:DB8:0:0::1"],
            "from": "2026-11-24T12:00:00+02:00",
            "module": ["key_automation"],
            "status": ["failure"],
            "entity": ["certificate", "domain:a:b\nc"],
        }
    )
    assert wanted.ip == ("2001:db8::1",)
    assert wanted.from_ == datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert wanted.module == (Module.KEY_AUTOMATION,)
    assert wanted.status == (Status.FAILURE,)
    assert wanted.entity == ("certificate", "domain:a:b\nc")


def test_what_was_asked_is_told_as_parameters() -> None:
    """Under the names of the parameters, without those that were not given, and understood again."""
    asked = {
        "user": ["asha", "u-1"],
        "activity": ["certificate.revoked"],
        "status": ["failure"],
        "from": "2026-11-24T10:00:00.000000Z",
        "to": "2026-11-25T10:00:00.000000Z",
        "text": ["web server"],
    }
    wanted = EventFilter.model_validate(asked)
    assert wanted.as_json() == asked
    assert EventFilter.model_validate(wanted.as_json()) == wanted
    assert EventFilter().as_json() == {}


def test_a_filter_does_not_change() -> None:
    """It may be kept and shared."""
    with pytest.raises(ValidationError, match="frozen"):
        EventFilter().user = ("asha",)  # type: ignore[misc]
