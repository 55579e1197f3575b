"""What every store of the quarantine promises."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count

import pytest

from adapters.memory.quarantine_store import MemoryQuarantineStore
from adapters.postgres.connections import PROJECTOR, WRITER, open_pool
from adapters.postgres.quarantine_store import PostgresQuarantineStore
from application.ports import QuarantineStore
from domain.errors import FieldError
from domain.quarantined import Quarantined, QuarantineFilter, Reason
from domain.words import DEFAULT_LEDGER, Ledger, Position, QuarantineState, Refusal
from tests.builders import NOW

OTHER = Ledger("other")
MOST = 1000
SECOND = timedelta(seconds=1)
ALL = QuarantineFilter()
REASON = Reason(
    Refusal.INVALID_COMMAND,
    "Fields do not fit",
    'a "quoted" \0 detail',
    (FieldError("/a\0b", "is \U0001f480"), FieldError("", "x")),
)
BODIES = [b"", b"\0", b"\xff\xfe not UTF-8", b'{"command": 1}', b"x" * 100_000, bytes(range(256)), "ü\r".encode()]

_numbers = count(1)


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[QuarantineStore]:
    if request.param == "memory":
        yield MemoryQuarantineStore()
    else:
        url = request.getfixturevalue("database_url")
        async with open_pool(url, WRITER, 4) as writer, open_pool(url, PROJECTOR, 1) as projector:
            yield PostgresQuarantineStore(writer, projector)


def refused(
    body: bytes,
    ledger: Ledger = DEFAULT_LEDGER,
    source: str = "key-1",
    reason: Reason = REASON,
    at: datetime = NOW,
) -> tuple[Quarantined, bytes]:
    quarantined_id = f"0198c0de-0000-7000-8000-{next(_numbers):012x}"
    digest = sha256(body).digest()
    return Quarantined(ledger, quarantined_id, source, digest, len(body), False, reason, at, at), body


async def keep(store: QuarantineStore, *sent: tuple[Quarantined, bytes], most: int = MOST) -> list[str | None]:
    first = sent[0][0]
    return await store.keep(first.ledger, first.source, sent, most)


def ids(found: Iterable[tuple[Quarantined, bytes]]) -> list[str | None]:
    return [quarantined.id for quarantined, _ in found]


async def listed(
    store: QuarantineStore, wanted: QuarantineFilter = ALL, ledger: Ledger = DEFAULT_LEDGER
) -> Sequence[Quarantined]:
    return await store.page(ledger, wanted, None, MOST)


async def test_what_is_kept_is_found_as_it_came(store: QuarantineStore) -> None:
    """Whatever its bytes, with everything about it, and one statement may keep many."""
    sent = [refused(body) for body in BODIES]
    sent[3] = (replace(sent[3][0], size=None, truncated=True), sent[3][1])
    assert await keep(store, *sent) == ids(sent)
    for quarantined, body in sent:
        assert await store.find(DEFAULT_LEDGER, quarantined.id) == (quarantined, body)
    assert await listed(store) == [quarantined for quarantined, _ in sent[::-1]]


async def test_nothing_is_kept_of_nothing(store: QuarantineStore) -> None:
    """A batch in which all is good has nothing to keep."""
    assert await store.keep(DEFAULT_LEDGER, "key-1", [], MOST) == []
    assert await listed(store) == []
    assert await store.find(DEFAULT_LEDGER, "0198c0de-0000-7000-8000-000000000000") is None


async def test_the_same_bytes_are_kept_once_and_counted(store: QuarantineStore) -> None:
    """In one batch and in later ones; the first reason and time stay, the last time is known."""
    first, again, new = refused(b"x"), refused(b"x", at=NOW + SECOND), refused(b"y", at=NOW + SECOND)
    assert await keep(store, first, again, new) == ids([first, first, new])
    later = refused(b"x", at=NOW + 2 * SECOND, reason=replace(REASON, kind=Refusal.NOT_PERMITTED))
    assert await keep(store, later) == ids([first])
    earlier = refused(b"x", at=NOW - SECOND)
    assert await keep(store, earlier) == ids([first])
    kept = replace(first[0], count=4, last_received_at=NOW + 2 * SECOND)
    assert await store.find(DEFAULT_LEDGER, first[0].id) == (kept, b"x")
    assert await listed(store) == [new[0], kept]


async def test_the_same_bytes_of_another_source_or_ledger_are_others(store: QuarantineStore) -> None:
    """Who sent it matters, and ledgers do not know of each other."""
    sent = [refused(b"x"), refused(b"x", source="key-2"), refused(b"x", OTHER)]
    for one in sent:
        assert await keep(store, one) == ids([one])
    assert await listed(store) == [sent[1][0], sent[0][0]]
    assert await listed(store, ledger=OTHER) == [sent[2][0]]
    assert await store.find(OTHER, sent[0][0].id) is None
    await store.retried(OTHER, sent[0][0].id, NOW, Position(1))
    assert await store.find(DEFAULT_LEDGER, sent[0][0].id) == sent[0]
    assert await store.waiting() == 3
    assert await store.waiting_in(DEFAULT_LEDGER) == 2
    assert await store.waiting_in(OTHER) == 1


async def test_the_quarantine_is_bounded(store: QuarantineStore) -> None:
    """What is new is not kept beyond the bound, in the order of the batch; what is known is counted still."""
    first, second, third = refused(b"1"), refused(b"2"), refused(b"3")
    assert await keep(store, first, most=2) == ids([first])
    assert await keep(store, third, first, second, third, refused(b"4"), most=2) == [
        third[0].id, first[0].id, None, third[0].id, None,
    ]  # fmt: skip
    assert await keep(store, second, third, most=2) == [None, third[0].id]
    assert [(one.id, one.count) for one in await listed(store)] == [(third[0].id, 3), (first[0].id, 2)]
    elsewhere = refused(b"2", OTHER)
    assert await keep(store, elsewhere, most=2) == ids([elsewhere]), "each ledger has its own"
    assert await keep(store, refused(b"5"), most=0) == [None]


async def test_pages_go_on_where_the_last_ended(store: QuarantineStore) -> None:
    """Newest first, with none twice while others come."""
    sent = [refused(bytes([number])) for number in range(7)]
    await keep(store, *sent[:6])
    found: list[Quarantined] = []
    while page := await store.page(DEFAULT_LEDGER, ALL, found[-1].id if found else None, 2):
        assert len(page) == 2
        found += page
        await keep(store, sent[6])
    assert found == [quarantined for quarantined, _ in sent[5::-1]]


async def test_filters_choose(store: QuarantineStore) -> None:
    """Values of one filter are alternatives, different filters must all hold."""
    one = refused(b"1", source="key-1", at=NOW)
    two = refused(b"2", source="key-2", at=NOW + SECOND, reason=replace(REASON, kind=Refusal.INVALID_JSON))
    three = refused(b"3", source="key-3", at=NOW + 2 * SECOND, reason=replace(REASON, kind=Refusal.TOO_LARGE))
    for sent in (one, two, three):
        await keep(store, sent)
    span = {"from": NOW + SECOND, "to": NOW + 2 * SECOND}
    for wanted, expected in (
        ({"source": ("key-1", "key-3", "key-4")}, [three, one]),
        ({"kind": (Refusal.INVALID_JSON, Refusal.INVALID_COMMAND)}, [two, one]),
        ({"from": NOW + SECOND}, [three, two]),
        ({"to": NOW + SECOND}, [one]),
        (span, [two]),
        ({"source": ("key-1",), **span}, []),
    ):
        assert await listed(store, QuarantineFilter.model_validate(wanted)) == [found for found, _ in expected]


async def test_a_retry_is_noted_once(store: QuarantineStore) -> None:
    """The first success stays; the bytes that come again are counted still, and wait no more."""
    one, two = refused(b"1"), refused(b"2")
    await keep(store, one, two)
    assert await store.waiting() == 2
    await store.retried(DEFAULT_LEDGER, one[0].id, NOW, Position(7))
    await store.retried(DEFAULT_LEDGER, one[0].id, NOW + SECOND, Position(8))
    await keep(store, refused(b"1"))
    retried = replace(one[0], count=2, retried_at=NOW, position=Position(7))
    assert await listed(store, QuarantineFilter(state=QuarantineState.RETRIED)) == [retried]
    assert await listed(store, QuarantineFilter(state=QuarantineState.WAITING)) == [two[0]]
    assert await listed(store) == [two[0], retried]
    assert await store.waiting() == await store.waiting_in(DEFAULT_LEDGER) == 1
    await store.retried(DEFAULT_LEDGER, "0198c0de-0000-7000-8000-000000000000", NOW, Position(1))


async def test_many_senders_at_once_lose_nothing(store: QuarantineStore) -> None:
    """The same bodies, in any order, from many connections: each is kept once, and each time is counted."""
    bodies = [bytes([number]) * 100 for number in range(20)]
    batches = [bodies, bodies[::-1], bodies[5:] + bodies[:5], bodies[::2] + bodies[1::2]] * 3
    kept = await asyncio.gather(*(keep(store, *map(refused, batch)) for batch in batches))
    by_body = {
        (body, name)
        for batch, names in zip(batches, kept, strict=True)
        for body, name in zip(batch, names, strict=True)
    }
    assert len(by_body) == len(bodies)
    assert [one.count for one in await listed(store)] == [len(batches)] * len(bodies)
