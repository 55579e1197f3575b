"""Appends that fail half-way leave nothing behind, and trying again loses and doubles nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import asyncpg
import pytest
import structlog

from adapters.postgres import ledger_rows
from adapters.postgres.connections import WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from domain.errors import StoreUnavailable
from domain.ledger import Head, LedgerEvent
from domain.receipt import CommandConflict, Receipt
from domain.record import EventDraft
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections.database import Connection, Pool
from tests.builders import draft
from tests.patience import PATIENCE

_WAITING_FOR_A_LOCK = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@dataclass
class Scene:
    url: str
    pool: Pool
    store: PostgresEventStore
    owner: "asyncpg.Connection[asyncpg.Record]"
    """A superuser's connection, to look at the tables and to do harm."""

    async def state(self) -> tuple[list[asyncpg.Record], list[asyncpg.Record]]:
        """All rows of the ledger's tables."""
        return (
            await self.owner.fetch("SELECT * FROM audit.heads ORDER BY ledger"),
            await self.owner.fetch("SELECT * FROM audit.events ORDER BY ledger, position"),
        )

    async def read(self) -> list[LedgerEvent]:
        return list(await self.store.read(DEFAULT_LEDGER, Position(0), 1000))

    async def someone_waiting(self) -> int:
        """The process that waits for a lock, as soon as there is one."""
        pid: int | None = None
        async with asyncio.timeout(PATIENCE):
            while pid is None:
                pid = await self.owner.fetchval(_WAITING_FOR_A_LOCK)
        return pid


@pytest.fixture
async def scene(database_url: str) -> AsyncIterator[Scene]:
    """A ledger with one event."""
    async with open_pool(database_url, WRITER, 2) as pool:
        store = PostgresEventStore(pool, lambda _: None)
        await store.append(DEFAULT_LEDGER, [draft()])
        owner = await asyncpg.connect(database_url)
        yield Scene(database_url, pool, store, owner)
        await owner.close()


async def receipt_of(scene: Scene, **changes: object) -> Receipt | CommandConflict:
    [answer] = await scene.store.append(DEFAULT_LEDGER, [draft(**changes)])  # type: ignore[arg-type]
    return answer


async def test_a_connection_killed_while_it_waits_records_nothing(scene: Scene) -> None:
    """The store says that it is unavailable; the same command again gives exactly one event."""
    one = draft()
    before = await scene.state()
    async with scene.owner.transaction():
        await scene.owner.execute("SELECT * FROM audit.heads FOR UPDATE")
        append = asyncio.create_task(scene.store.append(DEFAULT_LEDGER, [one]))
        await scene.owner.execute("SELECT pg_terminate_backend($1)", await scene.someone_waiting())
        with pytest.raises(StoreUnavailable, match="the database does not answer"):
            await append
    assert await scene.state() == before
    [answer] = await scene.store.append(DEFAULT_LEDGER, [one])
    assert isinstance(answer, Receipt)
    assert (answer.position, answer.duplicate) == (2, False)
    assert [event.command_id for event in (await scene.read())[1:]] == [one.command_id]


async def test_a_connection_killed_between_the_events_and_the_head_records_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events that were already copied go with their transaction."""
    copied = []

    async def die(connection: Connection, ledger: Ledger, last: LedgerEvent) -> None:
        copied.append((ledger, last.position))
        await scene.owner.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())
        await connection.execute("SELECT 1")

    one, before = draft(), await scene.state()
    with monkeypatch.context() as patched:
        patched.setattr(ledger_rows, "move_head", die)
        with pytest.raises(StoreUnavailable):
            await scene.store.append(DEFAULT_LEDGER, [one])
    assert copied == [(DEFAULT_LEDGER, 2)]
    assert await scene.state() == before
    [answer] = await scene.store.append(DEFAULT_LEDGER, [one])
    assert isinstance(answer, Receipt)
    assert (answer.position, answer.duplicate) == (2, False)


async def test_an_answer_lost_after_the_commit_is_found_again(scene: Scene) -> None:
    """Who was told that the store is unavailable, and tries again, gets the receipt of what was recorded."""

    class LosingPool:
        @asynccontextmanager
        async def acquire(self, *, timeout: float) -> AsyncIterator[Connection]:  # noqa: ASYNC109  # As asyncpg names it.
            async with scene.pool.acquire(timeout=timeout) as connection:
                yield connection
            raise asyncpg.ConnectionDoesNotExistError("the line is dead")

    losing = PostgresEventStore(cast("Pool", LosingPool()), lambda _: None)
    one = draft()
    with pytest.raises(StoreUnavailable):
        await losing.append(DEFAULT_LEDGER, [one])
    [answer] = await scene.store.append(DEFAULT_LEDGER, [one])
    [_, event] = await scene.read()
    assert answer == Receipt.of(event, DEFAULT_LEDGER, one.event_id, duplicate=True)


@pytest.mark.parametrize("beside", [0, 500])
async def test_a_copy_that_fails_changes_nothing(scene: Scene, beside: int) -> None:
    """Neither the head nor the events, not even for good drafts before the bad one; nor is a number lost.

    Few are sent to the database at once, many while they are made.
    """
    good = draft()
    before = await scene.state()
    with pytest.raises(asyncpg.CharacterNotInRepertoireError):
        await scene.store.append(
            DEFAULT_LEDGER, [good, *(draft() for _ in range(beside)), draft()._replace(topic="NUL\0")]
        )
    assert await scene.state() == before
    assert isinstance(answer := (await scene.store.append(DEFAULT_LEDGER, [good]))[0], Receipt)
    assert answer.position == 2


async def test_a_draft_that_fails_while_many_are_sent_changes_nothing(scene: Scene) -> None:
    """Its error comes through as it is, and the connection serves the next append."""

    class Broken(EventDraft):
        def record(self, version: int, position: Position, recorded_at: datetime) -> bytes:
            raise ArithmeticError(f"{version} {position} {recorded_at}")

    before = await scene.state()
    with pytest.raises(ArithmeticError):
        await scene.store.append(DEFAULT_LEDGER, [*(draft() for _ in range(500)), Broken(*draft())])
    assert await scene.state() == before
    assert isinstance(answer := await receipt_of(scene), Receipt)
    assert answer.position == 2


async def test_many_are_recorded_as_few_are(scene: Scene) -> None:
    """What is sent while it is made arrives whole, with and without personal data, whatever its size."""
    actors = ({"id": "u-1", "kind": "service"}, {"id": "u-2", "kind": "user", "full_name": "Noor Haddad"})
    drafts = [
        draft(changes=[{"path": "/a", "new": "ä" * (number % 7 * 5000)}], actor=actors[number % 2])
        for number in range(200)
    ]
    answers = await scene.store.append(DEFAULT_LEDGER, drafts)
    events = (await scene.read())[1:]
    assert [event.command_id for event in events] == [one.command_id for one in drafts]
    assert [event.personal for event in events] == [one.personal for one in drafts]
    for one, event, answer in zip(drafts, events, answers, strict=True):
        assert event.record == one.record(event.originator_version, event.position, event.recorded_at)
        assert answer == Receipt.of(event, DEFAULT_LEDGER, one.event_id, duplicate=False)


async def test_an_append_that_is_cancelled_leaves_the_ledger_free(scene: Scene) -> None:
    """The next one does not wait for a lock that nobody will let go."""
    before = await scene.state()
    async with scene.owner.transaction():
        await scene.owner.execute("SELECT * FROM audit.heads FOR UPDATE")
        append = asyncio.create_task(scene.store.append(DEFAULT_LEDGER, [draft()]))
        await scene.someone_waiting()
        append.cancel()
        with pytest.raises(asyncio.CancelledError):
            await append
    assert await scene.state() == before
    async with asyncio.timeout(PATIENCE):
        assert isinstance(answer := await receipt_of(scene), Receipt)
    assert answer.position == 2


async def test_numbers_appear_in_the_order_of_commits(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a slow writer has numbered its events but not committed, a quick one gets no later number."""
    slow_has_copied, slow_may_commit = asyncio.Event(), asyncio.Event()
    move_head = ledger_rows.move_head

    async def wait_then_move_head(connection: Connection, ledger: Ledger, last: LedgerEvent) -> None:
        if last.command_id == "slow":
            slow_has_copied.set()
            await slow_may_commit.wait()
        await move_head(connection, ledger, last)

    monkeypatch.setattr(ledger_rows, "move_head", wait_then_move_head)
    async with open_pool(scene.url, WRITER, 1) as pool, asyncio.timeout(PATIENCE):
        quick_store = PostgresEventStore(pool, lambda _: None)
        slow = asyncio.create_task(receipt_of(scene, command_id="slow"))
        await slow_has_copied.wait()
        quick = asyncio.create_task(quick_store.append(DEFAULT_LEDGER, [draft(command_id="quick")]))
        await scene.someone_waiting()
        assert [event.position for event in await scene.read()] == [1]
        slow_may_commit.set()
        await asyncio.gather(slow, quick)
    assert [event.command_id for event in (await scene.read())[1:]] == ["slow", "quick"]


async def test_ledgers_do_not_wait_for_one_another(scene: Scene) -> None:
    """An append to one goes through while another's head is locked."""
    async with scene.owner.transaction(), asyncio.timeout(PATIENCE):
        await scene.owner.execute("SELECT * FROM audit.heads FOR UPDATE")
        [answer] = await scene.store.append(Ledger("other"), [draft(Ledger("other"))])
    assert answer.position == 1


async def test_two_who_begin_a_ledger_at_once_both_get_in(scene: Scene) -> None:
    """The head row is made by whoever comes first."""
    fresh = Ledger("fresh")
    async with open_pool(scene.url, WRITER, 8) as pool:
        store = PostgresEventStore(pool, lambda _: None)
        answers = await asyncio.gather(*(store.append(fresh, [draft(fresh)]) for _ in range(8)))
    assert sorted(answer.position for [answer] in answers) == list(range(1, 9))


@pytest.mark.parametrize(
    ("back", "alarms"),
    [
        (timedelta(milliseconds=900), []),
        (timedelta(minutes=1), [("clock_jumped_back", "error", "default")]),
    ],
)
async def test_a_clock_that_has_jumped_back_raises_an_alarm(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, back: timedelta, alarms: list[tuple[str, str, str]]
) -> None:
    """The event is recorded all the same; small steps back, which any clock makes, alarm nobody."""
    lock_head = ledger_rows.lock_head

    async def lock_head_by_a_bad_clock(connection: Connection, ledger: Ledger) -> tuple[Head, datetime]:
        head, _ = await lock_head(connection, ledger)
        assert head.recorded_at is not None
        return head, head.recorded_at - back

    monkeypatch.setattr(ledger_rows, "lock_head", lock_head_by_a_bad_clock)
    with structlog.testing.capture_logs() as logs:
        assert isinstance(await receipt_of(scene), Receipt)
    assert [(entry["event"], entry["log_level"], entry["ledger"]) for entry in logs] == alarms


async def test_a_database_that_is_away_is_unavailable(database_url: str) -> None:
    """Neither reading nor appending shows a driver's error to who asked."""
    async with open_pool(database_url, WRITER, 1) as pool:
        store = PostgresEventStore(pool, lambda _: None)
        await pool.close()
        with pytest.raises(StoreUnavailable):
            await store.read(DEFAULT_LEDGER, Position(0), 1)
        with pytest.raises(StoreUnavailable):
            await store.append(DEFAULT_LEDGER, [draft()])
