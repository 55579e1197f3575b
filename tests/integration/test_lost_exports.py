"""Exports whose process died are recorded as interrupted, each once, whoever finds them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import ExitStack, aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from pydantic import SecretStr

from adapters import bootstrap
from adapters.bootstrap import Trail
from adapters.postgres.connections import PROJECTOR, READER, WRITER
from adapters.settings import Settings
from application.export_trail import ExportAsked, ExportTrail
from application.lost_exports import LOST_SECONDS, ExportNote, ExportNotes
from application.record_commands import AlreadyRecorded
from application.self_audit import HERE, Origin
from domain.credential import Credential
from domain.filters import EventFilter
from domain.values import JsonObject
from domain.words import DEFAULT_LEDGER, ExportFormat, Ledger, Order, Position, Role
from tests.integration.test_ledger_access import refused
from tests.patience import PATIENCE

OTHER = Ledger("other")
DETAILS: JsonObject = {"filters": {"status": ["failure"]}, "order": "occurred", "format": "xlsx", "to_position": 7}


@pytest.fixture
async def trail(database_url: str, tmp_path: Path) -> AsyncIterator[Trail]:
    settings = Settings(database_url=SecretStr(database_url), data_dir=tmp_path, pool_size=3)
    async with bootstrap.trail(database_url, settings) as trail:
        yield trail


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


def caller(ledger: Ledger = DEFAULT_LEDGER) -> Credential:
    return Credential(ledger, "key-9", "Ines", Role.USER, frozenset(), "u-9", datetime.now(UTC))


def note(ledger: Ledger = DEFAULT_LEDGER) -> ExportNote:
    return ExportNote(str(uuid4()), caller(ledger), Origin("10.0.0.9", "curl/8"), DETAILS | {"rows": 3})


def notes_of(trail: Trail) -> ExportNotes:
    return trail.services.export_trail.notes


async def let_time_pass(owner: Any, seconds: float = LOST_SECONDS + 1) -> None:
    await owner.execute("UPDATE audit.exports SET seen_at = seen_at - make_interval(secs => $1)", seconds)


async def recorded(owner: Any) -> list[dict[str, Any]]:
    rows = await owner.fetch("SELECT record FROM audit.events WHERE topic = 'AuditTrailExported' ORDER BY position")
    return [orjson.loads(row["record"]) for row in rows]


async def left(owner: Any) -> int:
    count: int = await owner.fetchval("SELECT count(*) FROM audit.exports")
    return count


async def test_what_gives_no_sign_of_life_is_recorded_as_interrupted(trail: Trail, owner: Any) -> None:
    """By whom, with which filters, and how far it had come; at the time of the last sign."""
    one = note()
    await notes_of(trail).keep(one)
    await notes_of(trail).refresh(DEFAULT_LEDGER, one.export_id, 5)
    await trail.background.lost_exports.record()
    assert (await recorded(owner), await left(owner)) == ([], 1)
    await let_time_pass(owner)
    seen_at = await owner.fetchval("SELECT seen_at FROM audit.exports")
    await trail.background.lost_exports.record()
    (event,) = await recorded(owner)
    assert (event["status"], event["failure"]["code"]) == ("failure", "interrupted")
    assert event["failure"]["reason"] == "the process that made it ended"
    personal = orjson.loads(await owner.fetchval("SELECT personal FROM audit.events"))["fields"]
    assert event["details"] | {"filters": personal["/details/filters"]} == DETAILS | {"rows": 5}
    assert personal["/actor/ip"] == "10.0.0.9"
    assert (event["source"], event["actor"]["id"], event["correlation_id"]) == ("key-9", "u-9", one.export_id)
    assert datetime.fromisoformat(event["occurred_at"]) == seen_at
    assert await left(owner) == 0


async def test_whoever_finds_it_one_event_comes_of_it(trail: Trail, owner: Any) -> None:
    """Of each export of each ledger, however many look at once and again."""
    for ledger in (DEFAULT_LEDGER, OTHER):
        for _ in range(3):
            await notes_of(trail).keep(note(ledger))
    await let_time_pass(owner)
    await asyncio.gather(*(trail.background.lost_exports.record() for _ in range(4)))
    await trail.background.lost_exports.record()
    events = await recorded(owner)
    assert [event["ledger"] for event in events].count(OTHER) == 3
    assert len({event["correlation_id"] for event in events}) == len(events) == 6
    assert await left(owner) == 0


async def test_what_was_recorded_before_its_process_died_is_not_recorded_again(trail: Trail, owner: Any) -> None:
    """The death may come between the event and the end of the note."""
    one = note()
    await notes_of(trail).keep(one)
    await trail.self_audit.exported(one.by, one.export_id, one.details | {"sha256": "0" * 64}, one.origin)
    await let_time_pass(owner)
    await trail.background.lost_exports.record()
    assert [event["status"] for event in await recorded(owner)] == ["success"]
    assert await left(owner) == 0


class _Slow:
    """An export that goes on when it is told to."""

    rows = 1
    position = Position(1)

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def begin(self, asked: ExportAsked, min_position: Position) -> "_Slow":
        del asked, min_position
        return self

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield b"head"
        await self.go_on.wait()
        yield b"rows"
        yield b"end"


def exports_of(trail: Trail, slow: _Slow) -> ExportTrail:
    return ExportTrail(slow, trail.self_audit, notes_of(trail), lambda: datetime.now(UTC), lambda: str(uuid4()), 5)


async def test_who_was_taken_for_dead_cannot_finish(trail: Trail, owner: Any) -> None:
    """Or a whole file would be in somebody's hands of which the ledger says that it was interrupted."""
    slow = _Slow()
    taken = []
    with ExitStack() as expected:
        expected.enter_context(pytest.raises(AlreadyRecorded))
        async with (
            exports_of(trail, slow).run(caller(), EventFilter(), Order.RECORDED, ExportFormat.XLSX, HERE) as running,
            aclosing(running.chunks()) as chunks,
        ):
            taken.append(await anext(chunks))
            while not await recorded(owner):  # A sign of life may come between.
                await let_time_pass(owner)
                await trail.background.lost_exports.record()
            slow.go_on.set()
            async for chunk in chunks:
                taken.append(chunk)  # noqa: PERF401 - what was taken before the error counts.
    assert taken == [b"head", b"rows"]
    (event,) = await recorded(owner)
    assert event["failure"]["code"] == "interrupted"
    assert await left(owner) == 0


@pytest.mark.parametrize("whole", [True, False])
async def test_an_export_that_ends_leaves_no_note(trail: Trail, owner: Any, whole: bool) -> None:
    """While it runs it gives signs of life."""
    slow = _Slow()
    exports = exports_of(trail, slow)
    async with (
        exports.run(caller(), EventFilter(), Order.RECORDED, ExportFormat.XLSX, HERE) as running,
        aclosing(running.chunks()) as chunks,
    ):
        await anext(chunks)
        assert await left(owner) == 1
        slow.go_on.set()
        if whole:
            assert [chunk async for chunk in chunks] == [b"rows", b"end"]
    assert [event["status"] for event in await recorded(owner)] == ["success" if whole else "failure"]
    assert await left(owner) == 0


async def test_a_sign_of_life_comes_before_long(trail: Trail, owner: Any) -> None:
    """So that one that waits for a slow reader does not count as lost."""
    async with exports_of(trail, _Slow()).run(
        caller(), EventFilter(), Order.RECORDED, ExportFormat.XLSX, HERE
    ) as running:
        await let_time_pass(owner)
        before = datetime.now(UTC) - timedelta(seconds=5)
        async with asyncio.timeout(PATIENCE):
            while await owner.fetchval("SELECT seen_at FROM audit.exports") < before:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert running.rows == 1


@pytest.fixture
def connection(database_url: str) -> "Iterator[psycopg.Connection[tuple[object, ...]]]":
    """A superuser, with an export of each of two ledgers."""
    with psycopg.connect(database_url) as connection:
        for ledger in (DEFAULT_LEDGER, OTHER):
            connection.execute(
                "INSERT INTO audit.exports VALUES (%s, gen_random_uuid(), 'k', 'n', 'user', 'u', 'ip', 'a', '{}', 0)",
                [ledger],
            )
        yield connection
        connection.rollback()


def test_roles_see_of_exports_what_they_need(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """The writer those of its ledger, the projector when each was seen, the reader nothing."""

    def act_as(role: str) -> None:
        connection.execute("RESET ROLE")
        connection.execute("SELECT set_config('certinext_audit.ledger', %s, true)", [DEFAULT_LEDGER])
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))

    act_as(WRITER)
    assert connection.execute("SELECT * FROM audit.exports").rowcount == 1
    assert connection.execute("UPDATE audit.exports SET rows = 1").rowcount == 1
    with refused(connection, "permission denied"):
        connection.execute("UPDATE audit.exports SET source = 'x'")
    act_as(PROJECTOR)
    assert connection.execute("SELECT ledger, id, seen_at FROM audit.exports").rowcount == 2
    for statement in ("SELECT ip FROM audit.exports", "DELETE FROM audit.exports"):
        with refused(connection, "permission denied"):
            connection.execute(statement.encode())
    act_as(READER)
    with pytest.raises(InsufficientPrivilege):
        connection.execute("SELECT * FROM audit.exports")
