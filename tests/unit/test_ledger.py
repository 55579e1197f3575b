"""What a ledger does to events: numbers, stamps and links them."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from domain.chain import chain_hash, genesis
from domain.ledger import Head, LedgerEvent, link
from domain.merkle import leaf_hash
from domain.words import Ledger, Position
from tests.builders import NOW, draft

LEDGER = Ledger("default")
TICK = timedelta(microseconds=1)

moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_the_hashes_are_those_of_the_design() -> None:
    """Each kind of hash has a prefix of its own, so that none can pass for another."""
    assert leaf_hash(b"record") == sha256(b"\x00record").digest()
    assert chain_hash(b"a" * 32, b"b" * 32) == sha256(b"\x02" + b"a" * 32 + b"b" * 32).digest()
    assert genesis(Ledger("lédger")) == sha256("certinext-audit/chain/v1\nlédger".encode()).digest()


def test_nothing_is_linked_to_nothing() -> None:
    """No drafts make no events."""
    assert list(link(Head.empty(LEDGER), [], NOW)) == []


@given(batches=st.lists(st.tuples(moments, st.integers(0, 4)), max_size=8))
def test_events_are_numbered_stamped_and_linked(batches: list[tuple[datetime, int]]) -> None:
    """However they are cut into batches and whatever the clock says at each."""
    head = Head.empty(LEDGER)
    chain = genesis(LEDGER)
    last: datetime | None = None
    position = 0
    for now, size in batches:
        drafts = [(draft(), position + number + 1) for number in range(size)]
        events = list(link(head, drafts, now))
        assert [event.command_id for event in events] == [one.command_id for one, _ in drafts]
        for event, (one, version) in zip(events, drafts, strict=True):
            position += 1
            stamp = now if last is None or now > last else last + TICK
            chain = chain_hash(chain, leaf_hash(one.record(version, Position(position), stamp)))
            assert (event.position, event.originator_version) == (position, version)
            assert (event.recorded_at, event.chain_hash) == (stamp, chain)
            assert event.record == one.record(version, Position(position), stamp)
            last = stamp
        if events:
            head = head_after(events[-1])


def test_an_event_has_all_that_its_draft_has() -> None:
    """Beside its record, so that it can be found."""
    one = draft()
    [event] = link(Head.empty(LEDGER), [(one, 7)], NOW)
    assert (event.command_id, event.originator_id, event.topic, event.personal) == (
        one.command_id,
        "certificate:c-42",
        "CertificateRevoked",
        one.personal,
    )


@given(changed=st.integers(0, 4), flip=st.integers(0, 10_000))
def test_a_change_of_any_record_changes_all_chain_hashes_from_there(changed: int, flip: int) -> None:
    """And none before it."""
    events = list(link(Head.empty(LEDGER), [(draft(), 1) for _ in range(5)], NOW))
    records = [bytearray(event.record) for event in events]
    records[changed][flip % len(records[changed])] ^= 1
    chain = genesis(LEDGER)
    same = []
    for event, record in zip(events, records, strict=True):
        chain = chain_hash(chain, leaf_hash(bytes(record)))
        same.append(chain == event.chain_hash)
    assert same == [True] * changed + [False] * (5 - changed)


def head_after(event: LedgerEvent) -> Head:
    return Head(event.position, event.chain_hash, event.recorded_at)
