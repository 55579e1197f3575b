"""Projectors that stand side by side share what is read and decoded."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from domain.catalogue import CATALOGUE
from domain.errors import StoreUnavailable
from domain.ledger import Head, LedgerEvent, link
from domain.mapper import RecordMapper
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections import batches
from projections.batches import Batches
from tests.builders import draft

OTHER = Ledger("other")


class Reader:
    """A ledger in memory that counts its reads, and may be slow or away."""

    def __init__(self, count: int) -> None:
        drafts = [(draft(), version) for version in range(1, count + 1)]
        self.events = list(link(Head.empty(DEFAULT_LEDGER), drafts, datetime.now(UTC)))
        self.asked: list[tuple[Ledger, Position, int]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.away = False

    async def read(self, ledger: Ledger, after: Position, limit: int) -> Sequence[LedgerEvent]:
        self.asked.append((ledger, after, limit))
        await self.may_answer.wait()
        if self.away:
            raise StoreUnavailable
        return self.events[after : after + limit]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 10)


@pytest.fixture
async def reader() -> Reader:
    return Reader(35)


@pytest.fixture
def shared(reader: Reader) -> Batches:
    return Batches(reader, RecordMapper(CATALOGUE))


async def test_those_who_ask_at_once_share_one_read(reader: Reader, shared: Batches) -> None:
    """They get the same decoded events, and who asks a little later does, too."""
    reader.may_answer.clear()
    asking = [asyncio.create_task(shared.after(DEFAULT_LEDGER, Position(0))) for _ in range(4)]
    await asyncio.sleep(0)
    reader.may_answer.set()
    first, *others = await asyncio.gather(*asking)
    assert first is not None
    assert [event.facts["position"] for event in first.events] == list(range(1, 11))
    assert all(other is first for other in others)
    assert await shared.after(DEFAULT_LEDGER, Position(0)) is first
    assert [after for _, after, _ in reader.asked].count(Position(0)) == 1


async def test_what_follows_is_read_meanwhile(reader: Reader, shared: Batches) -> None:
    """But nothing behind it, and what could not be read so is read again for the one who asks."""
    await shared.after(DEFAULT_LEDGER, Position(0))
    await asyncio.sleep(0)
    assert [after for _, after, _ in reader.asked] == [0, 10]
    reader.away = True
    await shared.after(DEFAULT_LEDGER, Position(10))
    for _ in range(3):
        await asyncio.sleep(0)
    reader.away = False
    batch = await shared.after(DEFAULT_LEDGER, Position(20))
    assert batch is not None
    assert [after for _, after, _ in reader.asked] == [0, 10, 20, 20]


async def test_ledgers_are_not_mixed_up(reader: Reader, shared: Batches) -> None:
    """The same position in another ledger is another batch."""
    await shared.after(DEFAULT_LEDGER, Position(30))
    await shared.after(OTHER, Position(30))
    assert [ledger for ledger, _, _ in reader.asked] == [DEFAULT_LEDGER, OTHER]


async def test_those_who_drifted_apart_meet_again(shared: Batches) -> None:
    """A batch ends at a multiple of the batch size, wherever it begins."""
    for begin in (0, 3, 9):
        batch = await shared.after(DEFAULT_LEDGER, Position(begin))
        assert batch is not None
        assert (len(batch.events), batch.last) == (10 - begin, 10)
    batch = await shared.after(DEFAULT_LEDGER, Position(30))
    assert batch is not None
    assert batch.last == 35


async def test_an_error_is_told_and_not_kept(reader: Reader, shared: Batches) -> None:
    """All who waited for the read hear of it; the next one reads again."""
    reader.away = True
    answers = await asyncio.gather(
        *(shared.after(DEFAULT_LEDGER, Position(0)) for _ in range(2)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [StoreUnavailable, StoreUnavailable]
    reader.away = False
    assert await shared.after(DEFAULT_LEDGER, Position(0)) is not None


async def test_nothing_is_not_kept(reader: Reader, shared: Batches) -> None:
    """What is appended later is found."""
    await shared.after(DEFAULT_LEDGER, Position(30))
    assert await shared.after(DEFAULT_LEDGER, Position(35)) is None
    reader.events += Reader(36).events[35:]
    batch = await shared.after(DEFAULT_LEDGER, Position(35))
    assert batch is not None
    assert batch.last == 36


async def test_one_who_stops_waiting_does_not_stop_the_others(reader: Reader, shared: Batches) -> None:
    """A cancelled projector takes only itself away."""
    reader.may_answer.clear()
    one, other = (asyncio.create_task(shared.after(DEFAULT_LEDGER, Position(0))) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    reader.may_answer.set()
    assert await other is not None
    assert [after for _, after, _ in reader.asked].count(Position(0)) == 1


async def test_only_a_few_batches_are_kept(reader: Reader, shared: Batches) -> None:
    """Memory does not grow with the ledger."""
    for begin in range(31, 35):
        await shared.after(DEFAULT_LEDGER, Position(begin))
    assert len(shared._kept) == batches._KEPT
    assert len(reader.asked) == batches._KEPT
    await shared.after(DEFAULT_LEDGER, Position(30))
    assert len(shared._kept) == batches._KEPT
    await shared.after(DEFAULT_LEDGER, Position(31))
    assert len(reader.asked) == batches._KEPT + 2


async def test_what_cannot_be_read_is_listed_with_its_error(reader: Reader, shared: Batches) -> None:
    """The others of the batch are there, and the batch ends where it would."""
    broken = reader.events[4]._replace(topic="CertificateEaten")
    moved = reader.events[6]._replace(state=reader.events[5].state)
    reader.events[4], reader.events[6] = broken, moved
    batch = await shared.after(DEFAULT_LEDGER, Position(0))
    assert batch is not None
    assert [event.facts["position"] for event in batch.events] == [1, 2, 3, 4, 6, 8, 9, 10]
    assert [(position, error.split("'")[0]) for position, error in batch.unreadable] == [
        (5, "the event type "),
        (7, "the record says that its position is 6"),
    ]
    assert batch.last == 10
