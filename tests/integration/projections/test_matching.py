"""A filter in memory and the same filter in SQL find the same events."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.filters import EventFilter
from domain.matching import Matcher, ShownEvent
from domain.values import rfc3339
from domain.words import DEFAULT_LEDGER, Module, Position, Status
from projections.activity import ActivityProjection
from projections.activity_query import Query, Row
from projections.reads import AT_ONCE
from tests.builders import NOW, draft
from tests.integration.projections.stage import Stage, opened
from tests.integration.projections.varied import drafts

_ODD: list[dict[str, Any]] = [
    {"actor": {"id": "100%_sure", "kind": "bot", "full_name": "50% off\\sale"}},
    {"actor": {"id": "ÀÉ\n", "kind": "user", "full_name": "ΐŉ ẞtraße İx"}},
    {"actor": {"id": "v6", "kind": "service", "ip": "2001:DB8:0::1"}},
    {"entity": {"type": "certificate", "id": "a:b:c"}, "also_affected": [{"type": "domain", "id": "x:y"}]},
    {"entity": {"type": "key", "id": "%"}, "correlation_id": "order\\_%"},
    {"entity": {"type": "certificate", "id": "c-1", "name": "w" * 150 + " ﬁne 4711 naïve_x"}},
    {"status": "failure", "failure": {"code": "denied", "reason": " ".join(f"n{n}" for n in range(2500))}},
    {"occurred_at": "2026-11-24T10:00:00.000001Z", "correlation_id": None},
]


class Known:
    """Events as the table shows them, and the loop in which it is asked."""

    def __init__(self, stage: Stage, loop: asyncio.AbstractEventLoop, rows: list[Row]) -> None:
        self._stage = stage
        self._loop = loop
        self._rows = rows
        self._shown = [ShownEvent(row.event) for row in rows]

    def in_memory(self, query: Query) -> list[Position]:
        matcher = Matcher.of(query.filter, query.only_actor)
        found = [row.position for row, event in zip(self._rows, self._shown, strict=True) if matcher.matches(event)]
        for position, event in zip((row.position for row in self._rows), self._shown, strict=True):
            assert position not in found or matcher.telling is None or not matcher.telling.isdisjoint(event.keys)
        return found

    def in_sql(self, query: Query) -> list[Position]:
        reading = self._stage.reads.by_position(DEFAULT_LEDGER, query, Position(0), 1000, AT_ONCE)
        return [row.position for row in self._loop.run_until_complete(reading)[0]]


@pytest.fixture
def known(database_url: str) -> Iterator[Known]:
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        opening = opened(database_url)
        stage = runner.run(opening.__aenter__())
        runner.run(stage.append([*drafts(Random(6), 250), *(draft(**changes) for changes in _ODD)]))
        runner.run(stage.project([ActivityProjection()]))
        everything = stage.reads.by_position(DEFAULT_LEDGER, Query(EventFilter()), Position(0), 1000, AT_ONCE)
        yield Known(stage, loop, runner.run(everything)[0])
        runner.run(opening.__aexit__(None, None, None))


def _some(*values: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=3)


_ANYTHING = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=3)
_SPANS = st.tuples(st.integers(0, 90 * 86_400), st.integers(1, 90 * 86_400)).map(
    lambda span: {
        "from": rfc3339(NOW - timedelta(seconds=span[0] + span[1])),
        "to": rfc3339(NOW - timedelta(seconds=span[0])),
    }
)
_NAMES = ("u-1", "ASHA", "björn rao", "STRASSE", "ὀδυσσεύς r", "i̇pek", "100%", "50% OFF\\", "_")
_TEXTS = ("quota", "ZÜRICH 1", "revok", "4711", "name-1 asha", "n1999", "n2400", "w" * 100, "NAÏVE", "ﬁ", "fi")
_ENTITIES = ("certificate", "key", "certificate:c-42", "domain:d-7", "certificate:a:b:c", "domain:x:y", "key:%")
_MOMENT = "2026-11-24T10:00:00.000001Z"
_FILTERS = st.tuples(
    st.fixed_dictionaries(
        {},
        optional={
            "user": st.lists(
                st.sampled_from(_NAMES) | _ANYTHING,
                max_size=3,
            ),
            "module": st.lists(st.sampled_from(Module), max_size=3),
            "activity": _some("key.rotated", "user.logged_in", "certificate.revoked", "bot.registered"),
            "status": st.lists(st.sampled_from(Status), max_size=3),
            "entity": _some(*_ENTITIES),
            "source": _some(*(f"key-{n}" for n in range(1, 8))),
            "ip": _some("10.1.2.1", "10.0.0.0", "2001:db8::1", "10.2.1.2"),
            "correlation_id": _some("order-1", "order\\_%", "order", *(f"order-{n}" for n in range(2, 40))),
            "text": st.lists(
                st.sampled_from(_TEXTS),
                max_size=3,
            ),
        },
    ),
    st.sampled_from([{}, {}, {"from": _MOMENT}, {"to": _MOMENT}]) | _SPANS,
).map(lambda parts: EventFilter.model_validate(parts[0] | parts[1]))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(wanted=_FILTERS, only_actor=st.sampled_from([None, None, "U-1", "v6"]))
def test_what_matches_in_memory_is_what_sql_finds(known: Known, wanted: EventFilter, only_actor: str | None) -> None:
    """Whatever is wanted, alone and together; and each event that matches has a key that tells so."""
    query = Query(wanted, only_actor)
    assert known.in_memory(query) == known.in_sql(query)


@pytest.mark.parametrize(
    "asked",
    [
        {"user": ["STRASSE"]},
        {"user": ["50% off\\"]},
        {"text": ["n1990"]},
        {"text": ["w" * 50]},
        {"entity": ["domain:x:y"]},
        {"ip": ["2001:db8::1"]},
        {"from": "2026-11-24T10:00:00.000001Z"},
        {"correlation_id": ["order\\_%"]},
    ],
)
def test_each_oddity_is_found_at_all(known: Known, asked: dict[str, Any]) -> None:
    """So that the two do not agree on nothing."""
    query = Query(EventFilter.model_validate(asked))
    assert known.in_memory(query) == known.in_sql(query) != []
