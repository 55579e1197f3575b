"""What processes do that append to ledgers, in the way that the service does, and that read at a ledger's end."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from uuid_utils import uuid7

from adapters.postgres.connections import PROJECTOR, WRITER, open_pool
from adapters.postgres.event_store import PostgresEventStore
from application.group_commit import GroupCommit
from domain.receipt import CommandConflict, Receipt
from domain.record import EventDraft
from domain.words import Ledger, Position
from projections.database import Pool
from tests.builders import command
from tests.e2e.processes import _context

T = TypeVar("T")

_context.set_forkserver_preload(["adapters.cli.main", "pytest", __name__])

_AT_ONCE = 50
_MOST_WAITING = 20_000
_POLL_SECONDS = 0.002


@dataclass(frozen=True)
class Order:
    """A command to append; its content follows from these."""

    ledger: Ledger
    command_id: str

    def draft(self) -> EventDraft:
        made = command(command_id=self.command_id)
        return EventDraft.of(made, self.ledger, "key-1", str(uuid7()), secrets.token_bytes(16))


Appended = tuple[Order, Receipt | CommandConflict]


if TYPE_CHECKING:
    _Connection = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection  # Generic to the type checker only.


class SlowConnection(_Connection):
    """Holds its transaction open for a while after it has copied events, before it commits."""

    async def copy_records_to_table(self, *args: Any, **options: Any) -> str:
        answer = await super().copy_records_to_table(*args, **options)
        await asyncio.sleep(0.03)
        return answer

    async def copy_to_table(self, *args: Any, **options: Any) -> str:
        answer = await super().copy_to_table(*args, **options)
        await asyncio.sleep(0.03)
        return answer


async def in_processes(*works: Callable[[], T]) -> list[T]:
    """The results of functions that can be pickled, each in a process of its own, all at once."""
    with ProcessPoolExecutor(len(works), mp_context=_context) as pool:
        return await asyncio.gather(*(asyncio.wrap_future(pool.submit(work)) for work in works))


def append_all(url: str, orders: Sequence[Order], seed: int) -> list[Appended]:
    """The answers to these orders, through group commit, many at once, a few in each append."""
    return asyncio.run(_append_all(url, orders, Random(seed)))


async def _append_all(url: str, orders: Sequence[Order], random: Random) -> list[Appended]:
    answered: list[Appended] = []
    waiting = iter(orders)
    async with open_pool(url, WRITER, 4) as pool:
        store = GroupCommit(PostgresEventStore(pool, lambda _: None), most_waiting=_MOST_WAITING)

        async def work() -> None:
            for order in waiting:
                several = [order]
                if random.random() < 0.2:
                    several *= 2  # The same twice in one append.
                answers = await store.append(order.ledger, [one.draft() for one in several])
                answered.extend(zip(several, answers, strict=True))

        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(work())
    return answered


def append_one_by_one(url: str, orders: Sequence[Order], slow: bool) -> float:
    """Append each by itself, quickly or slowly; the seconds that one took at least."""
    return asyncio.run(_append_one_by_one(url, orders, slow))


async def _append_one_by_one(url: str, orders: Sequence[Order], slow: bool) -> float:
    least = float("inf")
    loop = asyncio.get_running_loop()
    pool: Pool = await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=1,
        connection_class=SlowConnection if slow else _Connection,
        server_settings={"role": WRITER},
    )
    async with pool:
        store = PostgresEventStore(pool, lambda _: None)
        for order in orders:
            started = loop.time()
            await store.append(order.ledger, [order.draft()])
            least = min(least, loop.time() - started)
    return least


def read_at_the_end(url: str, ledger: Ledger, count: int) -> list[Position]:
    """The positions as a reader meets them that asks for what follows the last one, until it has seen so many."""
    return asyncio.run(_read_at_the_end(url, ledger, count))


async def _read_at_the_end(url: str, ledger: Ledger, count: int) -> list[Position]:
    seen: list[Position] = []
    async with open_pool(url, PROJECTOR, 1) as pool, asyncio.timeout(300):
        store = PostgresEventStore(pool, lambda _: None)
        while len(seen) < count:
            events = await store.read(ledger, max(seen, default=Position(0)), 100)
            seen += [event.position for event in events]
            if not events:
                await asyncio.sleep(_POLL_SECONDS)
    return seen
