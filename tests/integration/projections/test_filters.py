"""Every filter finds what a loop over the events finds, alone and together with others, in both orders."""

import json
from random import Random
from typing import Any

import pytest

from domain.filters import EventFilter
from domain.search import words
from domain.values import parse_rfc3339
from domain.words import DEFAULT_LEDGER, Position
from projections import activity_query
from projections.activity_query import Query
from projections.reads import Wait
from tests.builders import draft
from tests.integration.projections.stage import Stage, opened
from tests.integration.projections.test_reads import every, query, recorded
from tests.integration.projections.varied import drafts

FILTERS: list[dict[str, Any]] = [
    {"user": ["u-1"]},
    {"user": ["ASHA", "björn rao"]},
    {"user": ["STRASSE"]},
    {"user": ["ὀδυσσεύσ"]},
    {"user": ["u%", "_"]},
    {"module": ["user_activity", "administration"]},
    {"activity": ["key.rotated", "key.rotated"]},
    {"status": ["failure"]},
    {"status": ["failure", "success"]},
    {"from": "2026-10-01T00:00:00Z", "to": "2026-10-20T00:00:00Z"},
    {"entity": ["certificate:c-42"]},
    {"entity": ["certificate:c-42", "domain:d-7", "certificate:c-43"]},
    {"entity": ["bot", "domain:d-7"]},
    {"source": ["key-1", "key-2"]},
    {"ip": ["10.1.2.1", "10.0.0.0"]},
    {"correlation_id": ["order-1", "order-2", "order-3"]},
    {"text": ["quota"]},
    {"text": ["ZÜRICH 1", "used"]},
    {"text": ["revok"]},
    {"text": ["revok name 1"]},
    {"text": ["revoked name 1"]},
    {"text": ["name 17 example c", "quota"]},
    {"text": ["Rao revoked nam", "name 1.example.co"], "status": ["success"]},
    {"entity": ["bot", "setting"]},
    {"entity": ["no_such_type"]},
    {"user": ["u-1", "U-1", "u-2"]},
    {"user": ["u-1"], "status": ["failure"]},
    {"module": ["key_automation"], "text": ["name"], "from": "2026-10-01T00:00:00Z"},
    {"entity": ["certificate:c-42"], "user": ["u"], "module": ["certificate_operations"]},
    {"correlation_id": ["order-1"], "ip": ["10.1.2.1"], "source": ["key-1"], "activity": ["bot.registered"]},
]


def matches(event: dict[str, Any], wanted: EventFilter) -> bool:
    """What the filters promise, one after the other."""
    actor, entity = event["actor"], event["entity"]
    names = [actor["id"].casefold(), (actor.get("full_name") or actor["id"]).casefold()]
    affected = [f"{other['type']}:{other['id']}" for other in event.get("also_affected", [])]
    keys = [entity["type"], f"{entity['type']}:{entity['id']}", *affected]
    said = words(event["description"]) + words(json.dumps(event["details"], ensure_ascii=False))
    moment = parse_rfc3339(event["occurred_at"])
    return all(
        (
            not wanted.user or any(name.startswith(user.casefold()) for user in wanted.user for name in names),
            not wanted.module or event["module"] in wanted.module,
            not wanted.activity or event["activity"] in wanted.activity,
            not wanted.status or event["status"] in wanted.status,
            wanted.from_ is None or moment >= wanted.from_,
            wanted.to is None or moment < wanted.to,
            not wanted.entity or any(key in wanted.entity for key in keys),
            not wanted.source or event["source"] in wanted.source,
            not wanted.ip or actor.get("ip") in wanted.ip,
            not wanted.correlation_id or event.get("correlation_id") in wanted.correlation_id,
            not wanted.text or any(has_words(said, words(text)) for text in wanted.text),
        )
    )


def has_words(said: list[str], wanted: list[str]) -> bool:
    """All of them, the last at least begun."""
    *whole, begun = wanted
    return set(whole) <= set(said) and any(word.startswith(begun) for word in said)


AT_ONCE = Wait(Position(0))


@pytest.mark.parametrize("only_actor", [None, "U-1"])
async def test_filters_find_what_a_loop_finds(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, only_actor: str | None
) -> None:
    """With few aliases, which drive, and with more than may drive."""
    await stage.append(drafts(Random(4), 1500))
    await stage.project()
    events = [json.loads(str(row[-1])) for row in await stage.rows("activity")]
    found = 0
    for asked in FILTERS:
        wanted = EventFilter.model_validate(asked)
        expected = [event for event in events if matches(event, wanted) and only_actor in (None, event["actor"]["id"])]
        expected.sort(key=lambda event: (event["occurred_at"], event["position"]), reverse=True)
        newest_first = [event["position"] for event in expected]
        found += bool(expected)
        for most in (500, 1):
            monkeypatch.setattr(activity_query, "_MOST_DRIVING_ACTORS", most)
            assert await every(stage, Query(wanted, only_actor), 100) == [event["position"] for event in expected], (
                asked
            )
        assert (await recorded(stage, Query(wanted, only_actor), 400))[0] == sorted(newest_first)
    assert found >= (len(FILTERS) - 4 if only_actor is None else 8)


async def test_an_entity_is_found_once_where_it_is_affected_twice(stage: Stage) -> None:
    """As what was acted on, as what was also affected, as both, and named twice in one filter."""
    me, other = {"type": "certificate", "id": "c-1"}, {"type": "certificate", "id": "c-2"}
    await stage.append(
        [
            draft(entity=me),
            draft(entity=other, also_affected=[me, me]),
            draft(entity=me, also_affected=[me, other]),
            draft(entity=other),
            draft(entity={"type": "certificate", "id": "c-1:x"}),
            draft(entity={"type": "key", "id": "c-1"}),
        ]
    )
    await stage.project()
    key = "certificate:c-1"
    assert await every(stage, query(entity=[key]), 2) == [3, 2, 1]
    assert await every(stage, query(entity=[key, key, "certificate:c-2"]), 2) == [4, 3, 2, 1]
    assert await every(stage, query(entity=["certificate:c-1:x"]), 2) == [5]
    assert await every(stage, query(entity=["key", key]), 2) == [6, 3, 2, 1]


async def test_a_person_is_found_by_every_name_that_they_had(stage: Stage) -> None:
    """Each event under the name of its time, and all under the id."""
    names = ["Ana Silva", "Ana Souza", None]
    await stage.append([draft(actor={"id": "u-5", "kind": "user"} | ({"full_name": n} if n else {})) for n in names])
    await stage.project()
    assert await every(stage, query(user=["ana s"]), 2) == [2, 1]
    assert await every(stage, query(user=["ana souza"]), 2) == [2]
    assert await every(stage, query(user=["U-5"]), 2) == [3, 2, 1]


async def test_a_name_longer_than_an_index_entry_is_found_by_all_of_it(stage: Stage) -> None:
    """Two names that differ at the far end are told apart."""
    long = "ß" * 200
    actors = [{"id": f"u-{end}", "kind": "user", "full_name": long + end} for end in "ab"]
    await stage.append([draft(actor=actor) for actor in actors])
    await stage.project()
    assert await every(stage, query(user=[long])) == [2, 1]
    assert await every(stage, query(user=["SS" * 100 + "ß" * 28])) == [2, 1]
    assert await every(stage, query(user=[f"{long}B"])) == [2]


async def test_an_event_is_found_by_its_id_in_its_ledger(stage: Stage) -> None:
    """With its evidence; not by those who may see another actor's events only."""
    one = draft()
    await stage.append([one])
    await stage.project()
    found, _ = await stage.reads.event(DEFAULT_LEDGER, one.event_id, None, AT_ONCE)
    assert found is not None
    assert found[0].position == Position(1)
    assert json.loads(found[1]["record"])["event_id"] == one.event_id
    assert (await stage.reads.event(DEFAULT_LEDGER, one.event_id, "somebody else", AT_ONCE))[0] is None
    async with opened(stage.url) as other:
        assert (await other.reads.event(DEFAULT_LEDGER, draft().event_id, None, AT_ONCE))[0] is None
