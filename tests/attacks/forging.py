"""What an attacker does who knows how the ledger is made, and is above all rights."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from domain.chain import chain_hash, genesis
from domain.merkle import leaf_hash
from domain.values import JsonObject, rfc3339
from domain.words import DEFAULT_LEDGER
from tests.attacks.conftest import EVENTS

Owner = asyncpg.Connection  # A superuser's.


async def facts(owner: Any, position: int) -> JsonObject:
    record = await owner.fetchval(
        "SELECT record FROM audit.events WHERE ledger = 'default' AND position = $1", position
    )
    found: JsonObject = orjson.loads(record)
    return found


async def put_record(owner: Any, position: int, changed: JsonObject) -> bytes:
    """Replace a record, and give it its right leaf hash, which is returned."""
    record = orjson.dumps(changed, option=orjson.OPT_SORT_KEYS)
    leaf = leaf_hash(record)
    await owner.execute(
        "UPDATE audit.events SET record = $2, leaf_hash = $3 WHERE ledger = 'default' AND position = $1",
        position,
        record,
        leaf,
    )
    return leaf


async def relink(owner: Any, first: int) -> None:
    """Compute the chain anew from a position on, and let the head say so."""
    chain = genesis(DEFAULT_LEDGER)
    if first > 1:
        chain = await owner.fetchval(
            "SELECT chain_hash FROM audit.events WHERE ledger = 'default' AND position = $1", first - 1
        )
    rows = await owner.fetch(
        "SELECT position, leaf_hash FROM audit.events WHERE ledger = 'default' AND position >= $1 ORDER BY position",
        first,
    )
    links = []
    for row in rows:
        chain = chain_hash(chain, row["leaf_hash"])
        links.append((row["position"], chain))
    await owner.execute(
        """
        UPDATE audit.events SET chain_hash = link.chain_hash
        FROM unnest($1::bigint[], $2::bytea[]) AS link (position, chain_hash)
        WHERE events.ledger = 'default' AND events.position = link.position
        """,
        *(list(column) for column in zip(*links, strict=True)),
    )
    await owner.execute("UPDATE audit.heads SET chain_hash = $1 WHERE ledger = 'default'", chain)


async def change_channel(owner: Any, position: int) -> None:
    await put_record(owner, position, await facts(owner, position) | {"channel": "cli"})


async def rewrite_from(owner: Any, position: int) -> None:
    """Change an event, and all hashes that follow from it."""
    await change_channel(owner, position)
    await relink(owner, position)


async def shift_and_insert(owner: Any, position: int) -> None:
    """Make room at a position, and put an event there that follows from the one before it."""
    await owner.execute("ALTER TABLE audit.events DROP CONSTRAINT events_position")
    await owner.execute(
        "UPDATE audit.events SET position = position + 1 WHERE ledger = 'default' AND position >= $1", position
    )
    before = await owner.fetchrow("SELECT * FROM audit.events WHERE ledger = 'default' AND position = $1", position - 1)
    time: datetime = before["recorded_at"] + timedelta(microseconds=1)
    forged = orjson.loads(before["record"]) | {
        "position": position,
        "command_id": "forged",
        "entity": {"type": "key", "id": "forged"},
        "entity_version": 1,
        "recorded_at": rfc3339(time),
    }
    forged.pop("personal", None)
    record = orjson.dumps(forged, option=orjson.OPT_SORT_KEYS)
    leaf = leaf_hash(record)
    await owner.execute(
        "INSERT INTO audit.events VALUES ('default', $1, 'forged', 'key:forged', 1, $2, $3, $4, NULL, $5, $6)",
        position,
        before["topic"],
        time,
        record,
        leaf,
        chain_hash(before["chain_hash"], leaf),
    )
    await owner.execute("ALTER TABLE audit.events ADD CONSTRAINT events_position PRIMARY KEY (ledger, position)")
    await owner.execute("UPDATE audit.heads SET position = $1 WHERE ledger = 'default'", EVENTS + 1)


async def back_date(owner: Any, position: int) -> None:
    """Let an event say that it was recorded an hour earlier, with the leaf hash that it then has."""
    earlier = await owner.fetchval(
        "UPDATE audit.events SET recorded_at = recorded_at - interval '1 hour' "
        "WHERE ledger = 'default' AND position = $1 RETURNING recorded_at",
        position,
    )
    await put_record(owner, position, await facts(owner, position) | {"recorded_at": rfc3339(earlier)})


def sql(*statements: str) -> Callable[[Any], Awaitable[None]]:
    async def attack(owner: Any) -> None:
        for statement in statements:
            await owner.execute(statement)

    return attack
