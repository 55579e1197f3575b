"""Whoever is above all rights and alters the ledger is found out: what is wrong, and where it begins."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from application.verification import Scope
from domain.tampering import TamperingKind as Kind
from tests.attacks import forging
from tests.attacks.conftest import EVENTS, OTHER, Victim
from tests.attacks.forging import sql

_ONLY_LEDGER = Scope(tables=False, workers=0)
_AT = "WHERE ledger = 'default' AND position ="


def _set(assignment: str, position: int = 5000) -> Callable[[Any], Awaitable[None]]:
    return sql(f"UPDATE audit.events SET {assignment} {_AT} {position}")


_SWAP = sql(
    "ALTER TABLE audit.events DROP CONSTRAINT events_position",
    f"UPDATE audit.events SET position = -1 {_AT} 3000",
    f"UPDATE audit.events SET position = 3000 {_AT} 7000",
    f"UPDATE audit.events SET position = 7000 {_AT} -1",
)

_SWAP_NEIGHBOURS = sql(
    "ALTER TABLE audit.events DROP CONSTRAINT events_position",
    f"UPDATE audit.events SET position = -1 {_AT} 3000",
    f"UPDATE audit.events SET position = 3000 {_AT} 3001",
    f"UPDATE audit.events SET position = 3001 {_AT} -1",
)

_REPLAY = sql(
    "ALTER TABLE audit.events DROP CONSTRAINT events_version",
    """
    UPDATE audit.events SET (command_id, originator_id, originator_version, topic, recorded_at, record, personal,
        leaf_hash, chain_hash) = (SELECT command_id, originator_id, originator_version, topic, recorded_at, record,
        personal, leaf_hash, chain_hash FROM audit.events WHERE ledger = 'other' AND position = 7)
    WHERE ledger = 'default' AND position = 5000
    """,
)

_BEHIND = sql(
    """
    INSERT INTO audit.events SELECT ledger, 10001, 'forged', 'key:forged', 1, topic, now(), record, NULL,
        leaf_hash, chain_hash FROM audit.events WHERE ledger = 'default' AND position = 9
    """
)

_SECOND = sql(
    "ALTER TABLE audit.events DROP CONSTRAINT events_position",
    """
    INSERT INTO audit.events SELECT ledger, position, 'forged', 'key:forged', 1, topic, recorded_at, record, NULL,
        leaf_hash, chain_hash FROM audit.events WHERE ledger = 'default' AND position = 5000
    """,
)

_BEFORE_THE_FIRST = sql(
    """
    INSERT INTO audit.events SELECT ledger, 0, 'forged', 'key:forged', 1, topic, now(), record, NULL,
        leaf_hash, chain_hash FROM audit.events WHERE ledger = 'default' AND position = 9
    """
)

_CUT = f"DELETE FROM audit.events WHERE ledger = 'default' AND position > {EVENTS - 500}"
_HEAD_BACK = """
    UPDATE audit.heads SET (position, chain_hash, recorded_at) = (SELECT position, chain_hash, recorded_at
        FROM audit.events WHERE ledger = 'default' ORDER BY position DESC LIMIT 1) WHERE ledger = 'default'
"""


async def _back_date(owner: Any) -> None:
    await forging.back_date(owner, 5000)


async def _back_date_and_relink(owner: Any) -> None:
    await forging.back_date(owner, 5000)
    await forging.relink(owner, 5000)


async def _replace_record(owner: Any) -> None:
    await forging.change_channel(owner, 5000)


async def _insert(owner: Any) -> None:
    await forging.shift_and_insert(owner, 5001)


def _rewrite(position: int) -> Callable[[Any], Awaitable[None]]:
    async def attack(owner: Any) -> None:
        await forging.rewrite_from(owner, position)

    return attack


@dataclass(frozen=True)
class Attack:
    name: str
    make: Callable[[Any], Awaitable[None]]
    found: list[tuple[Kind, int, int]] = field(default_factory=list)


def one(name: str, make: Callable[[Any], Awaitable[None]], kind: Kind, first: int, last: int = 0) -> Attack:
    return Attack(name, make, [(kind, first, last or first)])


ATTACKS = [
    one(
        "one bit of a record", _set("record = set_bit(record, 80, 1 - get_bit(record, 80))"), Kind.RECORD_ALTERED, 5000
    ),
    one(
        "one bit at its end",
        _set("record = set_bit(record, 8 * (length(record) - 9), 1 - get_bit(record, 8 * (length(record) - 9)))"),
        Kind.RECORD_ALTERED,
        5000,
    ),
    one("an empty record", _set("record = ''"), Kind.RECORD_ALTERED, 5000),
    one("the record with its leaf hash", _replace_record, Kind.CHAIN_BROKEN, 5000),
    one("column command_id", _set("command_id = 'another'"), Kind.COLUMN_ALTERED, 5000),
    one("column originator_id", _set("originator_id = 'key:another'"), Kind.COLUMN_ALTERED, 5000),
    one("column originator_version", _set("originator_version = 777"), Kind.COLUMN_ALTERED, 5000),
    one("column topic", _set("topic = 'CertificateIssued'"), Kind.COLUMN_ALTERED, 5000),
    one("column recorded_at", _set("recorded_at = recorded_at + interval '1 microsecond'"), Kind.COLUMN_ALTERED, 5000),
    one(
        "column recorded_at, far ahead",
        _set("recorded_at = recorded_at + interval '1 year'"),
        Kind.COLUMN_ALTERED,
        5000,
    ),
    one("column leaf_hash", _set("leaf_hash = sha256(leaf_hash)"), Kind.LEAF_HASH_ALTERED, 5000),
    one("column leaf_hash, too short", _set("leaf_hash = '\\x00'"), Kind.LEAF_HASH_ALTERED, 5000),
    one("column chain_hash", _set("chain_hash = sha256(chain_hash)"), Kind.CHAIN_HASH_ALTERED, 5000),
    one("column chain_hash of the last", _set("chain_hash = sha256(chain_hash)", EVENTS), Kind.CHAIN_BROKEN, EVENTS),
    one("column personal", _set("personal = personal || ' '"), Kind.PERSONAL_ALTERED, 5000),
    one("personal data taken away", _set("personal = NULL"), Kind.PERSONAL_MISSING, 5000),
    Attack("column position", _set("position = 10001"), [(Kind.MISSING, 5000, 5000), (Kind.BEYOND_HEAD, 10001, 10001)]),
    one("column ledger", _set("ledger = 'other'"), Kind.MISSING, 5000),
    one("several columns", _set("topic = 'X', command_id = 'Y'"), Kind.COLUMN_ALTERED, 5000),
    one("first and last of a stretch", _set("topic = 'X'", 8192), Kind.COLUMN_ALTERED, 8192),
    one("first removed", sql(f"DELETE FROM audit.events {_AT} 1"), Kind.MISSING, 1),
    one("one removed", sql(f"DELETE FROM audit.events {_AT} 5000"), Kind.MISSING, 5000),
    one(
        "many removed",
        sql("DELETE FROM audit.events WHERE ledger = 'default' AND position BETWEEN 10 AND 99"),
        Kind.MISSING,
        10,
        99,
    ),
    one("last removed", sql(f"DELETE FROM audit.events {_AT} {EVENTS}"), Kind.TAIL_CUT, EVENTS),
    one("all removed", sql("DELETE FROM audit.events WHERE ledger = 'default'"), Kind.TAIL_CUT, 1, EVENTS),
    Attack("two swapped", _SWAP, [(Kind.MOVED, 3000, 3000), (Kind.MOVED, 7000, 7000)]),
    one("neighbours swapped", _SWAP_NEIGHBOURS, Kind.MOVED, 3000, 3001),
    Attack("one inserted", _insert, [(Kind.INSERTED, 5001, 5001), (Kind.MOVED, 5002, EVENTS + 1)]),
    one("one added behind the head", _BEHIND, Kind.BEYOND_HEAD, EVENTS + 1),
    one("one put before the first", _BEFORE_THE_FIRST, Kind.SUPERFLUOUS, 0),
    one("tail cut", sql(_CUT), Kind.TAIL_CUT, EVENTS - 499, EVENTS),
    one("tail cut, and the head moved back", sql(_CUT, _HEAD_BACK), Kind.TAIL_CUT, EVENTS - 499, EVENTS),
    one(
        "head moved back alone",
        sql("UPDATE audit.heads SET position = 9000 WHERE ledger = 'default'"),
        Kind.BEYOND_HEAD,
        9001,
        EVENTS,
    ),
    one(
        "head moved on",
        sql("UPDATE audit.heads SET position = position + 5 WHERE ledger = 'default'"),
        Kind.TAIL_CUT,
        EVENTS + 1,
        EVENTS + 5,
    ),
    one(
        "head's hash",
        sql("UPDATE audit.heads SET chain_hash = sha256(chain_hash) WHERE ledger = 'default'"),
        Kind.HEAD_ALTERED,
        EVENTS,
    ),
    one(
        "head's time",
        sql("UPDATE audit.heads SET recorded_at = recorded_at + interval '1 second' WHERE ledger = 'default'"),
        Kind.HEAD_ALTERED,
        EVENTS,
    ),
    one("head removed", sql("DELETE FROM audit.heads WHERE ledger = 'default'"), Kind.HEAD_MISSING, EVENTS),
    one("back-dated", _back_date, Kind.CHAIN_BROKEN, 5000),
    one("back-dated, and the chain made to fit", _back_date_and_relink, Kind.TIME_ORDER, 5000),
    one("replayed from another ledger", _REPLAY, Kind.FOREIGN, 5000),
    one("rewritten from the middle", _rewrite(5001), Kind.REWRITTEN, 5001, EVENTS),
    one("rewritten from somewhere", _rewrite(7777), Kind.REWRITTEN, 5001, EVENTS),
    one("rewritten as a whole", _rewrite(1), Kind.REWRITTEN, 1, 2000),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_an_attack_on_the_ledger_is_named(victim: Victim, attack: Attack) -> None:
    """With its first position; and nothing else is reported."""
    await attack.make(victim.owner)
    verdict = await victim.verify(_ONLY_LEDGER)
    assert [(one.kind, one.position, one.last_position) for one in verdict.tampering] == attack.found
    assert not verdict.intact
    assert verdict.end is None


async def test_the_untouched_ledger_passes(victim: Victim) -> None:
    """With its read tables, in this process and with others."""
    for scope in (Scope(workers=0), Scope(workers=2)):
        verdict = await victim.verify(scope)
        assert (verdict.tampering, verdict.from_position, verdict.to_position) == ((), 1, EVENTS)
    for ledger in (OTHER, "nobody's"):
        assert (await victim.verify(Scope(workers=0), ledger)).intact  # type: ignore[arg-type]


async def test_two_events_at_one_position_are_one_too_many(victim: Victim) -> None:
    """Whichever of them is read first."""
    await _SECOND(victim.owner)
    verdict = await victim.verify(_ONLY_LEDGER)
    assert {(one.position, one.last_position) for one in verdict.tampering} == {(5000, 5000)}


async def test_several_attacks_are_all_named(victim: Victim) -> None:
    """In the order of positions, also across the borders of stretches and with several processes."""
    await _set("topic = 'X'", 16)(victim.owner)
    await _set("personal = NULL", 9000)(victim.owner)
    await sql(f"DELETE FROM audit.events {_AT} 400")(victim.owner)
    verdict = await victim.verify(Scope(tables=False, workers=2))
    assert [(one.kind, one.position) for one in verdict.tampering] == [
        (Kind.COLUMN_ALTERED, 16),
        (Kind.MISSING, 400),
        (Kind.PERSONAL_MISSING, 9000),
    ]
