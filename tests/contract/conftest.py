"""The implementations of each port, under one name, so that one suite runs on all of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from adapters.memory.event_store import MemoryEventStore
from adapters.postgres import ledger_rows
from adapters.postgres.connections import WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from application.ports import EventStore
from domain.ledger import Head
from domain.words import Ledger
from projections.database import Connection


@dataclass
class Stores:
    """Two stores of the same ledgers, as two processes have them."""

    store: EventStore
    other: EventStore
    turn_clock: Callable[[timedelta], None]
    """Let the stores' clock jump, forward or back."""
    appended: list[Ledger] = field(default_factory=list)
    """The ledgers for which the first store has announced new events."""


@asynccontextmanager
async def memory_stores() -> AsyncIterator[Stores]:
    offset = timedelta()

    def turn(by: timedelta) -> None:
        nonlocal offset
        offset += by

    appended: list[Ledger] = []
    store = MemoryEventStore(lambda: datetime.now(UTC) + offset, appended.append)
    yield Stores(store, store, turn, appended)


@asynccontextmanager
async def postgres_stores(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    offset = timedelta()
    lock_head = ledger_rows.lock_head

    def turn(by: timedelta) -> None:
        nonlocal offset
        offset += by

    async def lock_head_by_our_clock(connection: Connection, ledger: Ledger) -> tuple[Head, datetime]:
        head, now = await lock_head(connection, ledger)
        return head, now + offset

    monkeypatch.setattr(ledger_rows, "lock_head", lock_head_by_our_clock)
    appended: list[Ledger] = []
    async with open_pool(url, WRITER, 4) as pool, open_pool(url, WRITER, 4) as other:
        yield Stores(
            PostgresEventStore(pool, appended.append),
            PostgresEventStore(other, lambda _: None),
            turn,
            appended,
        )


@pytest.fixture(params=["memory", "postgres"])
async def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    opened = (
        memory_stores()
        if request.param == "memory"
        else postgres_stores(request.getfixturevalue("database_url"), monkeypatch)
    )
    async with opened as found:
        yield found
