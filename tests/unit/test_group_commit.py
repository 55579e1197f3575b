"""Group commit: what comes together is recorded together, and nobody suffers for another."""

import asyncio
from collections.abc import Sequence

import pytest

from adapters.memory.event_store import MemoryEventStore
from application import group_commit
from application.group_commit import LARGEST_BATCH, LARGEST_BATCH_BYTES, MANY_AT_ONCE, GroupCommit, Overloaded
from domain.errors import StoreUnavailable
from domain.ledger import LedgerEvent
from domain.receipt import CommandConflict, Receipt
from domain.record import Draft
from domain.words import DEFAULT_LEDGER, Ledger, Position
from tests.builders import NOW, draft

OTHER = Ledger("other")


class GatedStore:
    """A store whose appends wait for the gate, and fail for drafts named as bad; it notes each batch's size."""

    def __init__(self) -> None:
        self.store = MemoryEventStore(lambda: NOW, lambda _: None)
        self.gate = asyncio.Event()
        self.batches: list[int] = []
        self.bad: set[str] = set()
        self.away = False

    async def append(self, ledger: Ledger, drafts: Sequence[Draft]) -> list[Receipt | CommandConflict]:
        self.batches.append(len(drafts))
        await self.gate.wait()
        if self.away:
            raise StoreUnavailable("away")
        if any(one.command_id in self.bad for one in drafts):
            raise ValueError("a bad draft")
        return await self.store.append(ledger, drafts)

    async def read(self, ledger: Ledger, after: Position, limit: int) -> Sequence[LedgerEvent]:
        return await self.store.read(ledger, after, limit)


@pytest.fixture
def gated() -> GatedStore:
    return GatedStore()


@pytest.fixture
def store(gated: GatedStore) -> GroupCommit:
    return GroupCommit(gated, most_waiting=10_000)


async def begun() -> None:
    """Let tasks come as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)


def appended(
    store: GroupCommit, *drafts: Draft, ledger: Ledger = DEFAULT_LEDGER
) -> "asyncio.Task[list[Receipt | CommandConflict]]":
    return asyncio.create_task(store.append(ledger, drafts))


def positions(answers: list[Receipt | CommandConflict]) -> list[int]:
    return [answer.position for answer in answers]


async def test_what_comes_meanwhile_shares_the_next_append(gated: GatedStore, store: GroupCommit) -> None:
    """The first is appended at once, alone; all that come while it is in flight go together."""
    first = appended(store, draft())
    await begun()
    rest = [appended(store, draft(), draft()) for _ in range(20)]
    await begun()
    assert gated.batches == [1]
    gated.gate.set()
    answers = [positions(await one) for one in (first, *rest)]
    assert gated.batches == [1, 40]
    assert [position for own in answers for position in own] == list(range(1, 42))
    assert store.waiting == 0


async def answered_together(gated: GatedStore, store: GroupCommit, count: int) -> None:
    """Let so many requests share a batch."""
    gated.gate.clear()
    first = appended(store, draft())
    await begun()
    rest = [appended(store, draft()) for _ in range(count)]
    await begun()
    gated.gate.set()
    await asyncio.gather(first, *rest)
    assert gated.batches[-2:] == [1, count]


async def test_many_who_were_answered_together_are_waited_for(
    gated: GatedStore, store: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come again one after the other, and the first does not go ahead of the others."""
    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 60)
    await answered_together(gated, store, MANY_AT_ONCE)
    again = []
    for _ in range(MANY_AT_ONCE):
        assert gated.batches == [1, MANY_AT_ONCE]
        again.append(appended(store, draft()))
        await begun()
    await asyncio.gather(*again)
    assert gated.batches == [1, MANY_AT_ONCE, MANY_AT_ONCE]


async def test_nobody_waits_long_for_those_who_do_not_come(
    gated: GatedStore, store: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of many who comes again alone is recorded after the few milliseconds, and then counts as alone."""
    monkeypatch.setattr(group_commit, "PAUSE_SECONDS", 0)
    await answered_together(gated, store, MANY_AT_ONCE)
    assert positions(await store.append(DEFAULT_LEDGER, [draft()])) == [MANY_AT_ONCE + 2]
    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 60)
    appended(store, draft()).add_done_callback(lambda task: task.result())
    await begun()
    assert gated.batches == [1, MANY_AT_ONCE, 1, 1]


async def test_nobody_is_waited_for_after_that_was_in_vain(
    gated: GatedStore, store: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Senders who take their time are not held up for one another again and again."""
    monkeypatch.setattr(group_commit, "PAUSE_SECONDS", 60)
    await answered_together(gated, store, 2 * MANY_AT_ONCE + 1)
    await asyncio.gather(*(store.append(DEFAULT_LEDGER, [draft()]) for _ in range(MANY_AT_ONCE)))
    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 60)
    appended(store, draft()).add_done_callback(lambda task: task.result())
    await begun()
    assert gated.batches == [1, 2 * MANY_AT_ONCE + 1, MANY_AT_ONCE, 1]


@pytest.mark.parametrize(("count", "seconds"), [(MANY_AT_ONCE, 0.0), (MANY_AT_ONCE - 1, 60.0)], ids=["later", "few"])
async def test_a_request_is_not_held_back_for_others(
    gated: GatedStore, store: GroupCommit, monkeypatch: pytest.MonkeyPatch, count: int, seconds: float
) -> None:
    """Once the moment after many is over, and after a few at any time, one request goes at once."""
    monkeypatch.setattr(group_commit, "GATHER_SECONDS", seconds)
    await answered_together(gated, store, count)
    appended(store, draft()).add_done_callback(lambda task: task.result())
    await begun()
    assert gated.batches == [1, count, 1]


async def test_who_is_waited_for_when_the_service_stops(
    gated: GatedStore, store: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To drain takes what is there after the few milliseconds; nothing is lost."""
    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 0.05)
    await answered_together(gated, store, MANY_AT_ONCE)
    last = appended(store, draft())
    await begun()
    assert gated.batches == [1, MANY_AT_ONCE]
    await store.drain()
    assert positions(await last) == [MANY_AT_ONCE + 2]


async def test_who_is_waiting_for_others_when_the_server_is_cancelled(
    gated: GatedStore, store: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are told so, and nothing is counted as waiting any more."""
    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 60)
    await answered_together(gated, store, MANY_AT_ONCE)
    last = appended(store, draft())
    await begun()
    (server,) = (task for task in asyncio.all_tasks() if task.get_name() == f"append to {DEFAULT_LEDGER}")
    server.cancel()
    with pytest.raises(StoreUnavailable):
        await last
    assert store.waiting == 0


async def test_a_batch_is_bounded_but_a_request_is_whole(gated: GatedStore, store: GroupCommit) -> None:
    """Requests share a transaction up to its size; one that is larger by itself goes alone."""
    first = appended(store, draft())
    await begun()
    sizes = (LARGEST_BATCH - 1, 2, LARGEST_BATCH + 5, 1)
    rest = [appended(store, *(draft() for _ in range(size))) for size in sizes]
    await begun()
    gated.gate.set()
    await asyncio.gather(first, *rest)
    assert gated.batches == [1, LARGEST_BATCH - 1, 2, LARGEST_BATCH + 5, 1]


async def test_ledgers_do_not_wait_for_each_other(gated: GatedStore, store: GroupCommit) -> None:
    """Each ledger has an append in flight of its own."""
    both = [appended(store, draft()), appended(store, draft(OTHER), ledger=OTHER)]
    await begun()
    assert gated.batches == [1, 1]
    gated.gate.set()
    assert [positions(await one) for one in both] == [[1], [1]]


async def test_repeated_in_one_batch(gated: GatedStore, store: GroupCommit) -> None:
    """A command that two requests bring at once is one event, and the second answer says so."""
    first = appended(store, draft())
    await begun()
    twice = [appended(store, draft(command_id="same")) for _ in range(2)]
    await begun()
    gated.gate.set()
    await first
    (one,), (two,) = await twice[0], await twice[1]
    assert isinstance(one, Receipt)
    assert isinstance(two, Receipt)
    assert (one.position, one.duplicate, two.position, two.duplicate) == (2, False, 2, True)


async def test_the_fault_of_one_is_not_that_of_others(gated: GatedStore, store: GroupCommit) -> None:
    """If a batch fails for a draft in it, only the request that brought it fails."""
    gated.bad.add("bad")
    first = appended(store, draft())
    await begun()
    good, bad, also_good = appended(store, draft()), appended(store, draft(command_id="bad")), appended(store, draft())
    await begun()
    gated.gate.set()
    await first
    assert positions(await good) == [2]
    with pytest.raises(ValueError, match="a bad draft"):
        await bad
    assert positions(await also_good) == [3]
    assert store.waiting == 0


async def test_all_hear_that_the_store_is_away(gated: GatedStore, store: GroupCommit) -> None:
    """When the store is away everybody who waits is told, and it serves again once the store is back."""
    gated.away = True
    gated.gate.set()
    for answer in await asyncio.gather(
        *(store.append(DEFAULT_LEDGER, [draft()]) for _ in range(5)), return_exceptions=True
    ):
        assert isinstance(answer, StoreUnavailable)
    gated.away = False
    assert positions(await store.append(DEFAULT_LEDGER, [draft()])) == [1]
    assert store.waiting == 0


async def test_the_last_failure_is_remembered_until_an_append_succeeds(gated: GatedStore, store: GroupCommit) -> None:
    """Whatever its ledger; what fails by its own fault says nothing about the store."""
    gated.gate.set()
    assert store.failed_at is None
    gated.bad.add("bad")
    with pytest.raises(ValueError, match="a bad draft"):
        await store.append(DEFAULT_LEDGER, [draft(command_id="bad")])
    assert store.failed_at is None
    gated.away = True
    for _ in range(2):
        before = asyncio.get_running_loop().time()
        with pytest.raises(StoreUnavailable):
            await store.append(DEFAULT_LEDGER, [draft()])
        assert store.failed_at is not None
        assert store.failed_at >= before
    gated.away = False
    await store.append(OTHER, [draft(OTHER)])
    assert store.failed_at is None


async def test_beyond_the_bound_is_refused_whole(gated: GatedStore) -> None:
    """A request that would exceed the bound is refused at once and leaves nothing; others are not harmed."""
    store = GroupCommit(gated, most_waiting=3)
    first, second = appended(store, draft()), appended(store, draft(), draft())
    await begun()
    with pytest.raises(Overloaded):
        await store.append(DEFAULT_LEDGER, [draft(command_id="refused")])
    gated.gate.set()
    await asyncio.gather(first, second)
    assert positions(await store.append(DEFAULT_LEDGER, [draft(command_id="refused")])) == [4]


async def test_beyond_the_bound_in_bytes_is_refused_too(gated: GatedStore) -> None:
    """Few commands may be many bytes: what is in flight counts until it is answered."""
    small, large = draft(), draft(changes=[{"path": "/a", "new": "x" * 100_000}])
    store = GroupCommit(gated, most_waiting=100, most_waiting_bytes=small.size + large.size)
    first, second = appended(store, small), appended(store, large)
    await begun()
    with pytest.raises(Overloaded, match=f"2 commands of {small.size + large.size} bytes"):
        await store.append(DEFAULT_LEDGER, [draft(command_id="refused")])
    gated.gate.set()
    await asyncio.gather(first, second)
    assert positions(await store.append(DEFAULT_LEDGER, [draft(command_id="refused")])) == [3]


async def test_a_batch_is_bounded_in_bytes(gated: GatedStore, store: GroupCommit) -> None:
    """Large commands go in several transactions."""
    first = appended(store, draft())
    await begun()
    half = [{"path": "/a", "new": "x" * (LARGEST_BATCH_BYTES // 2)}]
    rest = [appended(store, draft(changes=half)) for _ in range(2)]
    await begun()
    gated.gate.set()
    await asyncio.gather(first, *rest)
    assert gated.batches == [1, 1, 1]


async def test_a_large_request_is_taken_when_nothing_waits(gated: GatedStore) -> None:
    """The bound is on what piles up: a single request beyond it is not locked out for ever."""
    gated.gate.set()
    store = GroupCommit(gated, most_waiting=3)
    assert positions(await store.append(DEFAULT_LEDGER, [draft() for _ in range(5)])) == [1, 2, 3, 4, 5]


async def test_a_caller_who_leaves_disturbs_nobody(gated: GatedStore, store: GroupCommit) -> None:
    """A cancelled request stops waiting; what it brought is recorded, and the others get their own answers."""
    first = appended(store, draft())
    await begun()
    leaves, stays = appended(store, draft()), appended(store, draft())
    await begun()
    leaves.cancel()
    gated.gate.set()
    await first
    assert positions(await stays) == [3]
    with pytest.raises(asyncio.CancelledError):
        await leaves


async def test_drain_waits_for_what_was_accepted(gated: GatedStore, store: GroupCommit) -> None:
    """Draining ends once every accepted request is answered."""
    waiting = [appended(store, draft()) for _ in range(3)]
    await begun()
    draining = asyncio.create_task(store.drain())
    await begun()
    assert not draining.done()
    gated.gate.set()
    await draining
    assert all(one.done() for one in waiting) or positions(await waiting[-1]) == [3]
