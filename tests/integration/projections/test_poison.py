"""A poison event stops nothing: it is set aside with its error, and all others are applied."""

from collections.abc import MutableMapping
from typing import Any

import pytest

from adapters.bootstrap import PROJECTIONS
from domain.filters import EventFilter
from domain.record import Draft
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections import batches, runner
from projections.activity_query import Query
from projections.projection import EventProjection
from projections.reads import Wait
from tests.builders import draft
from tests.integration.projections.forged import Forged, holding, of_topic, with_deep_details, with_record, without
from tests.integration.projections.stage import Stage, eventually, running

OF_EVENTS = [projection for projection in PROJECTIONS if isinstance(projection, EventProjection)]
EVERY = frozenset(projection.name for projection in OF_EVENTS)
ALL = Query(EventFilter())
AT_ONCE = Wait(Position(0))

ACTOR = {"id": "u-17", "kind": "user", "session_id": "s-9"}

# What is wrong, and which tables cannot be made from it.
POISONS: dict[str, tuple[Forged, frozenset[str]]] = {
    "unknown type": (of_topic("CertificateEaten"), EVERY),
    "broken JSON": (with_record(b'{"activity":'), EVERY),
    "not UTF-8": (with_record(b'{"activity":"\xff"}'), EVERY),
    "no object": (with_record(b"[1,2,3]"), EVERY),
    "empty": (with_record(b""), EVERY),
    "no members": (with_record(b"{}"), EVERY),
    "deeply nested": (with_record(b"[" * 100_000), EVERY),
    "deeply nested details": (with_deep_details(1000), frozenset({"activity", "entities"})),
    "later schema": (holding(schema_version=99), EVERY),
    "no position": (without("position"), EVERY),
    "another's position": (holding(position=1), EVERY),
    "position that is none": (holding(position="first"), EVERY),
    "huge position": (holding(position=2**63), EVERY),
    "actor is a list": (holding(actor=[]), EVERY),
    "actor is a text": (holding(actor="Asha"), EVERY),
    "time that is none": (holding(occurred_at="yesterday"), EVERY),
    "status is a number": (holding(status=7), EVERY - {"entities", "findings"}),
    "module is missing": (without("module"), frozenset({"activity", "modules", "statuses"})),
    "event id is no UUID": (holding(event_id="one"), frozenset({"activity"})),
    "source is a number": (holding(source=7), frozenset({"activity"})),
    "NUL in an actor's id": (holding(actor=ACTOR | {"id": "u-\0"}), frozenset({"activity", "users", "findings"})),
    "NUL in a correlation": (holding(correlation_id="a\0b"), frozenset({"activity"})),
    "NUL in what was affected": (
        holding(also_affected=[{"type": "certificate", "id": "c\0"}]),
        frozenset({"activity", "entities"}),
    ),
    "affected is no list": (holding(also_affected=7), frozenset({"activity", "entities"})),
    "failure without reason": (holding(failure={}), frozenset({"activity"})),
    "details missing": (without("details"), frozenset({"activity", "entities"})),
}


async def bad_positions(stage: Stage, names: list[str]) -> dict[str, Position]:
    """Where each poison stands: after each a good event."""
    rows = await stage.owner.fetch("SELECT position, command_id FROM audit.events")
    of_command = {row["command_id"]: row["position"] for row in rows}
    return {name: of_command[POISONS[name][0].command_id] for name in names}


async def test_all_good_events_among_bad_ones_are_applied(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each projection sets aside exactly what it cannot apply, each with its error, and counts the rest."""
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    good = [draft() for _ in range(len(POISONS) + 1)]
    mixed: list[Draft] = [good[0]]
    for (poison, _), following in zip(POISONS.values(), good[1:], strict=True):
        mixed += [poison, following]
    await stage.forge(mixed)
    at = await bad_positions(stage, list(POISONS))
    async with running(stage.runner("one")):
        await eventually(stage.caught_up)
    for projection in OF_EVENTS:
        aside = await stage.set_aside(projection.name)
        wanted = {name for name, (_, spoilt) in POISONS.items() if projection.name in spoilt}
        assert {name for name in POISONS if at[name] in aside} == wanted, projection.name
        assert all(aside.values())
        assert len(aside) == len(wanted)
    shown = {row.position for row in (await stage.reads.newest_first(DEFAULT_LEDGER, ALL, None, 1000, AT_ONCE))[0]}
    bad = {at[name] for name, (_, spoilt) in POISONS.items() if "activity" in spoilt}
    assert shown == set(range(1, len(mixed) + 1)) - bad
    [counted] = [row for row in await stage.rows("modules") if row[1] == "certificate.revoked"]
    assert counted[2] == len(mixed) - sum("modules" in spoilt for _, spoilt in POISONS.values())


async def test_answers_say_how_many_events_are_missing(stage: Stage) -> None:
    """Of their own ledger and table only; and so does the state of the projectors."""
    other = Ledger("other")
    await stage.forge([draft(), of_topic("CertificateEaten"), holding(event_id="one"), draft()])
    await stage.append([draft(other)], other)
    await stage.project()
    await stage.project(ledger=other)
    _, fresh = await stage.reads.newest_first(DEFAULT_LEDGER, ALL, None, 10, AT_ONCE)
    assert (fresh.position, fresh.set_aside) == (4, 2)
    _, fresh = await stage.reads.modules(DEFAULT_LEDGER, [], [], AT_ONCE)
    assert (fresh.position, fresh.set_aside) == (4, 1)
    _, fresh = await stage.reads.newest_first(other, ALL, None, 10, AT_ONCE)
    assert (fresh.position, fresh.set_aside) == (1, 0)
    assert {state.projection: (state.lag, state.set_aside) for state in await stage.reads.projectors()} == {
        "activity": (0, 2),
        "users": (0, 1),
        "modules": (0, 1),
        "statuses": (0, 1),
        "merkle": (0, 0),
        "entities": (0, 1),
        "findings": (0, 1),
    }


async def test_a_poison_event_slows_its_own_batch_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, logs: list[MutableMapping[str, Any]]
) -> None:
    """The next batches are applied whole again."""
    monkeypatch.setattr(batches, "BATCH", 10)
    [activity, *_] = OF_EVENTS
    await stage.forge([*(draft() for _ in range(5)), holding(event_id="one"), *(draft() for _ in range(34))])
    projector = await stage.projector(activity)
    position = Position(0)
    commits = []
    for _ in range(4):
        position = await projector.advance(DEFAULT_LEDGER, position)
        commits.append(await stage.owner.fetchval("SELECT count(DISTINCT xmin::text) FROM reading.activity_1"))
    assert commits == [9, 10, 11, 12]
    assert [entry["event"] for entry in logs] == ["projection_goes_one_by_one", "event_set_aside"]


async def test_what_is_set_aside_is_logged_without_what_it_says(
    stage: Stage, logs: list[MutableMapping[str, Any]]
) -> None:
    """The log names the position; who may read it is not who may read the ledger."""
    secret = "top secret"
    await stage.forge(
        [
            holding(correlation_id=secret, source=None),
            holding(event_id=secret),
            holding(occurred_at=secret),
            of_topic(secret),
            draft(),
        ]
    )
    await stage.project()
    assert {entry["position"] for entry in logs if entry["event"] == "event_set_aside"} == {1, 2, 3}
    assert secret not in repr(logs)
