"""The read tables as plain loops over the ledger's events make them: what the projections are compared with."""

import json
from collections import Counter
from typing import Any
from uuid import UUID

import asyncpg

from domain.catalogue import CATALOGUE
from domain.merkle import root_hash
from domain.values import parse_rfc3339
from domain.words import Ledger
from tests.integration.projections.stage import Stage

Rows = list[tuple[object, ...]]


async def expected(stage: Stage, ledger: Ledger) -> dict[str, Rows]:
    """What each view must say about a ledger, all of whose events are good."""
    stored = await stage.owner.fetch("SELECT * FROM audit.events WHERE ledger = $1 ORDER BY position", ledger)
    events = [_facts(row) for row in stored]
    tables = {
        "activity": [_activity(event) for event in events],
        "activity_aliases": [*{alias for event in events for alias in _aliases(event)}],
        "users": _users(events),
        "modules": _modules(events),
        "statuses": _statuses(events),
        "tiles": _tiles([row["leaf_hash"] for row in stored]),
    }
    return {name: sorted(rows, key=repr) for name, rows in tables.items()}


async def shown(stage: Stage, ledger: Ledger) -> dict[str, Rows]:
    """What each view says, in the same shape: of the events of `activity` the columns that a loop can give."""
    found: dict[str, Rows] = {
        name: await stage.rows(name, ledger) for name in ("activity_aliases", "users", "modules", "statuses", "tiles")
    }
    activity = await stage.rows("activity", ledger)
    # Words are the last column but one; they are tried in the tests of reading.
    found["activity"] = sorted(((*row[:-2], json.loads(str(row[-1]))) for row in activity), key=repr)
    return found


def _facts(row: asyncpg.Record) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(row["record"])
    for path, value in json.loads(row["personal"] or b'{"fields":{}}')["fields"].items():
        _, *steps, last = path.split("/")
        place: Any = facts
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[last] = value
    facts.pop("personal", None)
    return facts


def _activity(event: dict[str, Any]) -> tuple[object, ...]:
    actor, entity = event["actor"], event["entity"]
    name = actor.get("full_name")
    also = event.get("also_affected")
    description = CATALOGUE.of_type(event["type"]).describe(
        name or actor["id"], entity.get("name") or entity["id"], event.get("failure")
    )
    return (
        event["position"],
        UUID(event["event_id"]),
        parse_rfc3339(event["occurred_at"]),
        parse_rfc3339(event["recorded_at"]),
        event["module"],
        event["activity"],
        event["status"],
        actor["id"],
        actor["id"].casefold(),
        name.casefold() if name else None,
        entity["type"],
        entity["id"],
        [f"{other['type']}:{other['id']}" for other in also] if also else None,
        event["source"],
        actor.get("ip"),
        event.get("correlation_id"),
        dict(sorted((event | {"description": description}).items())),
    )


def _aliases(event: dict[str, Any]) -> list[tuple[object, ...]]:
    actor = event["actor"]
    return [(name.casefold()[:128], actor["id"]) for name in (actor["id"], actor.get("full_name")) if name]


def _users(events: list[dict[str, Any]]) -> Rows:
    rows: dict[str, dict[str, Any]] = {}
    for event in events:
        actor, moment = event["actor"], parse_rfc3339(event["occurred_at"])
        row = rows.setdefault(
            actor["id"], {"name": None, "events": 0, "failures": 0, "first": moment, "last": moment, "position": 0}
        )
        row["kind"] = actor["kind"]
        row["name"] = actor.get("full_name") or row["name"]
        row["events"] += 1
        row["failures"] += event["status"] == "failure"
        row["first"], row["last"] = min(row["first"], moment), max(row["last"], moment)
        row["position"] = event["position"]
    return [
        (
            actor_id,
            row["kind"],
            row["name"],
            actor_id.casefold(),
            row["name"].casefold() if row["name"] else None,
            *(row[column] for column in ("events", "failures", "first", "last", "position")),
        )
        for actor_id, row in rows.items()
    ]


def _modules(events: list[dict[str, Any]]) -> Rows:
    rows: dict[tuple[str, str], list[Any]] = {}
    for event in events:
        moment = parse_rfc3339(event["occurred_at"])
        row = rows.setdefault((event["module"], event["activity"]), [0, 0, moment, moment])
        row[0] += 1
        row[1] += event["status"] == "failure"
        row[2], row[3] = min(row[2], moment), max(row[3], moment)
    return [(*key, *row) for key, row in rows.items()]


def _tiles(hashes: list[bytes]) -> Rows:
    rows: Rows = []
    level = 0
    while tiles := [hashes[start : start + 256] for start in range(0, len(hashes) - 255, 256)]:
        roots = [root_hash(tile) for tile in tiles]
        rows += [(level, index, b"".join(tile), roots[index]) for index, tile in enumerate(tiles)]
        level, hashes = level + 1, roots
    return rows


def _statuses(events: list[dict[str, Any]]) -> Rows:
    counted = Counter(
        (
            parse_rfc3339(event["occurred_at"]).replace(minute=0, second=0, microsecond=0),
            event["module"],
            event["status"],
        )
        for event in events
    )
    return [(*key, count) for key, count in counted.items()]
