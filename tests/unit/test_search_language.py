"""`q=`: one text for all filters, and where it is wrong."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.catalogue import CATALOGUE
from domain.filters import EventFilter
from domain.values import rfc3339
from domain.words import Module, Status

_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
_FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "user": st.lists(_TEXTS, min_size=1, max_size=3),
        "module": st.lists(st.sampled_from([module.value for module in Module]), min_size=1, max_size=3),
        "activity": st.lists(st.sampled_from([one.name for one in CATALOGUE]), min_size=1, max_size=3),
        "status": st.lists(st.sampled_from([status.value for status in Status]), min_size=1, max_size=2),
        "entity": st.lists(_TEXTS.map("certificate:{}".format), min_size=1, max_size=3),
        "source": st.lists(_TEXTS, min_size=1, max_size=3),
        "ip": st.lists(st.ip_addresses().map(str), min_size=1, max_size=3),
        "correlation_id": st.lists(_TEXTS, min_size=1, max_size=3),
        "text": st.lists(_TEXTS.map("w{}".format), min_size=1, max_size=3),
        "from": st.integers(0, 4_000_000_000).map(lambda seconds: rfc3339(datetime.fromtimestamp(seconds, UTC))),
    },
)


def written(filters: dict[str, Any]) -> str:
    """The filters in the language, each value in quotation marks."""
    names = {"from": "after", "to": "before"}
    values = [
        (names.get(name, name), value)
        for name, some in filters.items()
        for value in (some if isinstance(some, list) else [some])
    ]
    return " ".join('{}:"{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"')) for name, value in values)


@given(_FILTERS)
def test_it_says_what_parameters_say(filters: dict[str, Any]) -> None:
    """Whatever can be asked for by parameters can be asked for in one text, and is the same filter."""
    assert EventFilter.model_validate({"q": written(filters)}) == EventFilter.model_validate(filters)


@given(_FILTERS, _FILTERS)
def test_it_adds_to_the_other_parameters(ones: dict[str, Any], others: dict[str, Any]) -> None:
    """As if its terms had been given as parameters, too."""
    others.pop("from", None)
    together = ones | {name: [*ones.get(name, ()), *values] for name, values in others.items()}
    assert EventFilter.model_validate(ones | {"q": written(others)}) == EventFilter.model_validate(together)


@given(st.text(max_size=60))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    """It is a filter, or refused by a reason that says where."""
    details = []
    try:
        EventFilter.model_validate({"q": text})
    except ValidationError as error:
        details = error.errors()
    assert all(detail["loc"] == ("q",) and detail["msg"].startswith("column ") for detail in details)


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("", {}),
        (" \n ", {}),
        (
            'user:asha module:certificate_operations status:failure after:2026-01-01 "web server"',
            {
                "user": ["asha"],
                "module": ["certificate_operations"],
                "status": ["failure"],
                "from": "2026-01-01T00:00:00Z",
                "text": ["web server"],
            },
        ),
        ("before:2026-01-01T10:00:00+02:00", {"to": "2026-01-01T08:00:00Z"}),
        ("entity:certificate:c-42", {"entity": ["certificate:c-42"]}),
        ('web "server two" x', {"text": ["web server two x"]}),
        ("status:failure status:success", {"status": ["failure", "success"]}),
        ("USER:Asha", {"user": ["Asha"]}),
        (r'"say \"hi\" \\ now"', {"text": [r'say "hi" \ now']}),
        ("12:30", {"text": ["12:30"]}),
    ],
)
def test_terms_are_filters(text: str, filters: dict[str, Any]) -> None:
    """Each by the name of the parameter, times by `after` and `before`, words as a text."""
    assert EventFilter.model_validate({"q": text}) == EventFilter.model_validate(filters)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("asha usr:x", "column 6: `usr` is no filter; there are after, before, user, "),
        ("https://x", "column 1: `https` is no filter; "),
        ("q:x", "column 1: `q` is no filter; "),
        ("x user:", "column 3: `user:` has no value"),
        ("user: status:failure", "column 1: `user:` has no value"),
        ('user:""', "column 1: user: String should have at least 1 character"),
        ('a "b', "column 3: the quotation mark has no end"),
        ('user:a"b', "column 7: the quotation mark has no end"),
        ("status:failure status:odd", "column 16: status: Input should be 'success' or 'failure'"),
        ("after:2026-13-01", "column 1: after: Input should be a valid datetime"),
        ("after:2026-01-01T10:00:00", "column 1: after: "),
        ("after:2026-01-01 after:2026-01-02", "column 18: `after` may be given once only"),
        ("module:x", "column 1: module: Input should be "),
        ("activity:x", "column 1: activity: must be an activity of the catalogue"),
        ("ip:x", "column 1: ip: "),
        ("!!", "column 1: words: must hold a word"),
        ("x" * 4001, "column 4001: a search may have 4,000 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, reason: str) -> None:
    """The column is that of the term."""
    with pytest.raises(ValidationError) as raised:
        EventFilter.model_validate({"q": text})
    (detail,) = raised.value.errors()
    assert detail["loc"] == ("q",)
    assert detail["msg"].startswith(reason)


def test_a_time_is_said_once() -> None:
    """By a parameter, or by the text."""
    with pytest.raises(ValidationError, match="`after` may be given once only"):
        EventFilter.model_validate({"from": "2026-01-01T00:00:00Z", "q": "after:2026-01-01"})


@pytest.mark.parametrize("given", [{"user": "asha", "q": "user:bob"}, {"user": 5, "q": "user:bob"}])
def test_a_bad_value_beside_it_stays_bad(given: dict[str, Any]) -> None:
    """A filter of a wrong type is not repaired by a text."""
    with pytest.raises(ValidationError) as raised:
        EventFilter.model_validate(given)
    assert raised.value.errors()[0]["loc"] == ("user",)
