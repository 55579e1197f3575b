"""Whatever is appended, retried or contradicted, in whatever order: the stores do as a simple model says."""

import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.receipt import CommandConflict, Receipt
from domain.words import Ledger
from tests.builders import draft
from tests.contract.conftest import Stores, memory_stores, postgres_stores
from tests.contract.ledger_checks import check_ledger, read_all

Step: TypeAlias = "list[tuple[int, int]] | timedelta"

# Few ids and contents, so that retries and contradictions are as frequent as new commands.
commands = st.tuples(st.integers(0, 7), st.integers(0, 1))
steps: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.lists(commands, max_size=6),
        st.lists(commands, max_size=6),
        st.timedeltas(timedelta(hours=-1), timedelta(hours=1)),
    ),
    max_size=8,
)

_ledgers = itertools.count()


@dataclass
class Model:
    """Which content was first under each id."""

    first: dict[int, tuple[int, int]] = field(default_factory=dict)

    def expect(self, command: int, content: int) -> tuple[str, int]:
        if command not in self.first:
            self.first[command] = (content, len(self.first) + 1)
            return "recorded", len(self.first)
        known, position = self.first[command]
        return ("repeated" if known == content else "conflict"), position


def told(answer: Receipt | CommandConflict) -> tuple[str, int]:
    if isinstance(answer, CommandConflict):
        return "conflict", answer.position
    return ("repeated" if answer.duplicate else "recorded"), answer.position


async def run(stores: Stores, script: Sequence[Step]) -> None:
    ledger, model = Ledger(f"ledger-{next(_ledgers)}"), Model()
    for number, step in enumerate(script):
        if isinstance(step, timedelta):
            stores.turn_clock(step)
            continue
        drafts = [
            draft(
                ledger,
                command_id=f"c-{command}",
                correlation_id=f"order-{content}",
                entity={"type": "certificate", "id": f"c-{command % 3}"},
            )
            for command, content in step
        ]
        store = stores.other if number % 2 else stores.store
        answers = [told(answer) for answer in await store.append(ledger, drafts)]
        assert answers == [model.expect(command, content) for command, content in step]
    events = await read_all(stores.store, ledger)
    assert [event.command_id for event in events] == [f"c-{command}" for command in model.first]
    check_ledger(ledger, events)


@given(script=steps)
@settings(max_examples=300)
async def test_the_memory_store_does_as_the_model_says(script: list[Step]) -> None:
    """Any script of appends, retries, contradictions and clock jumps."""
    async with memory_stores() as stores:
        await run(stores, script)


@given(script=steps)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_postgres_store_does_as_the_model_says(script: list[Step], postgres: Stores) -> None:
    """The same scripts, each on a ledger of its own, with every other step from another process."""
    await run(postgres, script)


@pytest.fixture
async def postgres(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    async with postgres_stores(database_url, monkeypatch) as stores:
        yield stores
