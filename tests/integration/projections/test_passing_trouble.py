"""Trouble that passes sets nothing aside: what was begun is tried again until it succeeds."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from adapters.bootstrap import PROJECTIONS
from domain.event import AuditEvent
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections import batches, runner
from projections.database import Connection
from projections.users import UsersProjection
from tests.builders import draft
from tests.integration.projections.forged import holding
from tests.integration.projections.model import expected, shown
from tests.integration.projections.stage import Stage, eventually, running

Harm = Callable[[Connection], Awaitable[object]]


class Stumbling(UsersProjection):
    """Applies, and then meets trouble, so many times."""

    def __init__(self, harm: Harm, times: int) -> None:
        self._harm = harm
        self.left = times

    async def apply(
        self, connection: Connection, generation: int, ledger: Ledger, events: Sequence[AuditEvent]
    ) -> None:
        await super().apply(connection, generation, ledger, events)
        if self.left:
            self.left -= 1
            await self._harm(connection)


def raising(code: str) -> Harm:
    """An error of PostgreSQL, raised by PostgreSQL."""

    async def harm(connection: Connection) -> None:
        await connection.execute(f"DO $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{code}'; END $$")

    return harm


async def kill(connection: Connection) -> None:
    await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")


async def lose_the_table(connection: Connection) -> None:
    await connection.execute("SELECT * FROM reading.users_0")


async def be_slow(connection: Connection) -> None:
    await connection.execute("SELECT pg_sleep(10)", timeout=0.01)


async def lose_the_line(_: Connection) -> None:
    raise ConnectionResetError


TROUBLES: dict[str, Harm] = {
    "killed": kill,
    "deadlock": raising("deadlock_detected"),
    "serialization failure": raising("serialization_failure"),
    "cancelled": raising("query_canceled"),
    "disk full": raising("disk_full"),
    "out of memory": raising("out_of_memory"),
    "lock not available": raising("lock_not_available"),
    "too many connections": raising("too_many_connections"),
    "shutdown": raising("admin_shutdown"),
    "read only": raising("read_only_sql_transaction"),
    "input and output": raising("io_error"),
    "corrupted index": raising("index_corrupted"),
    "internal error": raising("internal_error"),
    "no privilege": raising("insufficient_privilege"),
    "no table": lose_the_table,
    "timeout": be_slow,
    "reset": lose_the_line,
}


async def test_trouble_that_passes_sets_nothing_aside(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner survives each kind, and then applies the same events once."""
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(runner, "_AFTER_TROUBLE_SECONDS", 0.001)
    for name, harm in TROUBLES.items():
        await stage.append([draft() for _ in range(3)])
        projection = Stumbling(harm, 2)
        async with running(stage.runner(name, [projection])):
            await eventually(lambda: _caught_up(stage))
        assert projection.left == 0, name
        assert await stage.set_aside() == {}, name
    await stage.project(PROJECTIONS)
    assert await shown(stage, DEFAULT_LEDGER) == await expected(stage, DEFAULT_LEDGER)


async def test_trouble_while_poison_is_looked_for_sets_only_the_poison_aside(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that dies between two events of a batch that goes one by one loses none of them."""
    monkeypatch.setattr(batches, "BATCH", 10)
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(runner, "_AFTER_TROUBLE_SECONDS", 0.001)
    await stage.forge(
        [*(draft() for _ in range(4)), holding(actor={"id": "u-1", "kind": 7}), *(draft() for _ in range(7))]
    )
    async with running(stage.runner("one", [Stumbling(kill, 5)])):
        await eventually(lambda: _caught_up(stage))
    assert list(await stage.set_aside()) == [5]
    [row] = await stage.rows("users")
    assert row[5] == 11


async def test_a_read_that_fails_sets_nothing_aside(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger may be out of reach for a while, too."""
    await stage.append([draft()])
    projector = await stage.projector(UsersProjection())
    await stage.pool.expire_connections()
    await stage.kill_projectors()
    monkeypatch.setattr(runner, "_AFTER_TROUBLE_SECONDS", 0.001)
    async with running(stage.runner("one", [UsersProjection()])):
        await eventually(lambda: _caught_up(stage))
    assert await projector.position(DEFAULT_LEDGER) == Position(1)
    assert await stage.set_aside() == {}


async def _caught_up(stage: Stage) -> bool:
    head = await stage.owner.fetchval("SELECT position FROM audit.heads WHERE ledger = 'default'")
    return bool(await stage.tracked("users") == head)
