"""Several processes append to the same ledgers, and one reads where they write."""

from asyncio import gather
from collections import defaultdict
from functools import partial
from random import Random

import pytest

from adapters.postgres.connections import PROJECTOR, open_pool
from adapters.postgres.event_store import PostgresEventStore
from domain.receipt import Receipt
from domain.words import Ledger
from tests.chaos.appending import Order, append_all, append_one_by_one, in_processes, read_at_the_end
from tests.contract.ledger_checks import check_ledger, read_all

PROCESSES = 8
MOST_COMMANDS = 10_000


@pytest.mark.parametrize("ledgers", [1, 50])
async def test_commands_sent_twice_to_several_processes_become_one_event(
    database_url: str, rounds: int, ledgers: int
) -> None:
    """Eight processes, half of the commands given to two of them: one receipt each, the other a duplicate of it."""
    random = Random(ledgers)
    orders = [Order(Ledger(f"l-{n % ledgers}"), f"c-{n}") for n in range(min(500 * rounds, MOST_COMMANDS))]
    plans: list[list[Order]] = [[] for _ in range(PROCESSES)]
    for number, order in enumerate(orders):
        for plan in random.sample(plans, 1 + number % 2):
            plan.append(order)
    for plan in plans:
        random.shuffle(plan)

    answered = await in_processes(*(partial(append_all, database_url, plan, seed) for seed, plan in enumerate(plans)))

    receipts: dict[Order, list[Receipt]] = defaultdict(list)
    for order, answer in (one for of_process in answered for one in of_process):
        assert isinstance(answer, Receipt)
        receipts[order].append(answer)
    assert receipts.keys() == set(orders)
    for several in receipts.values():
        assert [receipt.duplicate for receipt in several].count(False) == 1
        assert len({(receipt.event_id, receipt.position, receipt.chain_hash) for receipt in several}) == 1
    async with open_pool(database_url, PROJECTOR, 2) as pool:
        for ledger in {order.ledger for order in orders}:
            events = await read_all(PostgresEventStore(pool, lambda _: None), ledger)
            check_ledger(ledger, events)
            promised = {receipts[order][0].position: order.command_id for order in orders if order.ledger == ledger}
            assert {event.position: event.command_id for event in events} == promised


async def test_a_reader_at_the_end_misses_nothing(database_url: str, rounds: int) -> None:
    """While slow writers have copied and not committed, and quick ones overtake them where they can."""
    ledger = Ledger("busy")
    slow_ones, quick_ones = min(10 * rounds, 100), min(200 * rounds, 3000)
    counts = (slow_ones, slow_ones, quick_ones, quick_ones)
    plans = [[Order(ledger, f"{process}-{n}") for n in range(count)] for process, count in enumerate(counts)]

    [seen], least = await gather(
        in_processes(partial(read_at_the_end, database_url, ledger, sum(counts))),
        in_processes(*(partial(append_one_by_one, database_url, plan, n < 2) for n, plan in enumerate(plans))),
    )

    assert seen == list(range(1, sum(counts) + 1))
    assert min(least[:2]) > 0.03 > min(least[2:])
