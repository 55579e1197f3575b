"""What every store of checkpoints promises."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.memory.checkpoint_store import MemoryCheckpointStore
from adapters.postgres.checkpoint_store import PostgresCheckpointStore
from adapters.postgres.connections import PROJECTOR, READER, WRITER, open_pool
from application.ports import CheckpointStore
from domain.checkpoint import SignedCheckpoint, UsedKey
from domain.signed_note import VerifierKey
from domain.words import DEFAULT_LEDGER, Ledger
from tests.builders import NOW

OTHER = Ledger("other")
FIRST, SECOND = (VerifierKey("certinext-audit/default", bytes([number]) * 32) for number in (1, 2))


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[CheckpointStore]:
    if request.param == "memory":
        yield MemoryCheckpointStore()
    else:
        url = request.getfixturevalue("database_url")
        async with (
            open_pool(url, WRITER, 4) as writer,
            open_pool(url, READER, 1) as reader,
            open_pool(url, PROJECTOR, 1) as projector,
        ):
            yield PostgresCheckpointStore(writer, reader, projector)


def signed(size: int) -> SignedCheckpoint:
    return SignedCheckpoint(size, f"the note of size {size}\n", NOW + timedelta(seconds=size))


async def test_the_latest_is_the_largest(store: CheckpointStore) -> None:
    """Of its own ledger, as it was added; None before the first."""
    assert await store.latest(DEFAULT_LEDGER) is None
    assert await store.add(DEFAULT_LEDGER, signed(9), FIRST, 0)
    assert await store.add(DEFAULT_LEDGER, signed(12), FIRST, 9)
    assert await store.add(OTHER, signed(100), FIRST, 0)
    assert await store.latest(DEFAULT_LEDGER) == signed(12)
    assert await store.latest(OTHER) == signed(100)


async def test_each_goes_on_from_another(store: CheckpointStore) -> None:
    """Who was overtaken adds nothing: from each size one goes on, and of each size there is one."""
    assert await store.add(DEFAULT_LEDGER, signed(5), FIRST, 0)
    assert not await store.add(DEFAULT_LEDGER, signed(7), FIRST, 0)
    assert not await store.add(DEFAULT_LEDGER, signed(5), SECOND, 4)
    assert await store.latest(DEFAULT_LEDGER) == signed(5)
    assert [used.key for used in await store.keys(DEFAULT_LEDGER)] == [FIRST]


async def test_of_many_who_go_on_at_once_one_does(store: CheckpointStore) -> None:
    added = await asyncio.gather(*(store.add(DEFAULT_LEDGER, signed(size), FIRST, 0) for size in range(1, 9)))
    assert sorted(added) == [False] * 7 + [True]
    assert await store.latest(DEFAULT_LEDGER) == signed(1 + added.index(True))


async def test_keys_are_kept_with_their_first_and_last_use(store: CheckpointStore) -> None:
    """In the order of the first; those of another ledger are not among them."""
    assert list(await store.keys(DEFAULT_LEDGER)) == []
    for size, previous, key in ((1, 0, FIRST), (2, 1, FIRST), (3, 2, SECOND), (4, 3, SECOND), (5, 4, SECOND)):
        assert await store.add(DEFAULT_LEDGER, signed(size), key, previous)
    assert list(await store.keys(DEFAULT_LEDGER)) == [
        UsedKey(FIRST, signed(1).signed_at, signed(2).signed_at),
        UsedKey(SECOND, signed(3).signed_at, signed(5).signed_at),
    ]
    assert list(await store.keys(OTHER)) == []


async def test_alarms_are_raised_and_ended_by_ledger(store: CheckpointStore) -> None:
    """Raised again and again they are one."""
    assert await store.alarms() == 0
    for ledger, reason in ((DEFAULT_LEDGER, "one"), (DEFAULT_LEDGER, "another"), (OTHER, "one")):
        await store.raise_alarm(ledger, reason, NOW)
    assert await store.alarms() == 2
    await store.end_alarm(DEFAULT_LEDGER)
    await store.end_alarm(DEFAULT_LEDGER)
    assert await store.alarms() == 1
