"""Rows for COPY are made while the database works on those before, and nothing is left behind when that fails."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from projections import binary_copy
from projections.binary_copy import copying
from projections.database import Connection

_SIGNATURE, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


class Database:
    """Takes statements one after the other, each once it may."""

    def __init__(self) -> None:
        self.begun: list[bytes] = []
        self.written: list[bytes] = []
        self.cancelled = 0
        self.may_go_on = asyncio.Event()

    async def copy_to_table(self, table: str, *, source: memoryview, **how: Any) -> None:
        assert (table, how["schema_name"], how["format"]) == ("events", "audit", "binary")
        assert len(self.begun) == len(self.written)
        self.begun.append(bytes(source))
        try:
            await self.may_go_on.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.written.append(bytes(source))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary_copy, "_IN_A_STATEMENT", (1, 2))


@pytest.fixture
async def database() -> Database:
    return Database()


def writing(
    database: Database, rows: Iterator[bytes], meanwhile: Callable[[], object] = lambda: None
) -> "asyncio.Task[None]":
    async def write() -> None:
        async with copying(cast("Connection", database), "audit", "events", ["position"], rows):
            meanwhile()

    return asyncio.create_task(write())


def counted(made: list[int], count: int, fails_at: int = -1) -> Iterator[bytes]:
    for number in range(count):
        if number == fails_at:
            raise ValueError(number)
        made.append(number)
        yield b"%d" % number


async def some_turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("count", range(6))
async def test_each_row_is_written_once_in_its_order(database: Database, count: int) -> None:
    """Every statement is whole by itself; without rows there is none."""
    database.may_go_on.set()
    await writing(database, counted([], count))
    rows = [b"%d" % number for number in range(count)]
    some = [rows[:1], *(rows[begin : begin + 2] for begin in range(1, count, 2))] if rows else []
    assert database.written == [b"".join((_SIGNATURE, *few, _END)) for few in some]


async def test_the_next_rows_are_made_while_the_database_works(database: Database) -> None:
    """But no more than those, however many wait."""
    made: list[int] = []
    task = writing(database, counted(made, 100))
    await some_turns()
    assert len(database.begun) == 1
    assert made == [0, 1, 2]
    database.may_go_on.set()
    await task
    assert made == list(range(100))


async def test_what_is_done_meanwhile_is_done_while_the_database_works_on_the_last_rows(database: Database) -> None:
    """If it fails, so does the statement in flight."""
    seen: list[tuple[int, int]] = []

    def fail() -> None:
        seen.append((len(database.begun), len(database.written)))
        raise ValueError("meanwhile")

    task = writing(database, counted([], 1), fail)
    with pytest.raises(ValueError, match="meanwhile"):
        await task
    assert (seen, database.cancelled, database.written) == ([(1, 0)], 1, [])


async def test_a_row_that_cannot_be_made_ends_the_statement_in_flight(database: Database) -> None:
    """The connection is free for the rollback."""
    with pytest.raises(ValueError, match="2"):
        await writing(database, counted([], 9, fails_at=2))
    assert (len(database.begun), database.cancelled, database.written) == (1, 1, [])


async def test_who_is_cancelled_ends_the_statement_in_flight(database: Database) -> None:
    """And makes no more rows."""
    made: list[int] = []
    task = writing(database, counted(made, 9))
    await some_turns()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (database.cancelled, made) == (1, [0, 1, 2])
