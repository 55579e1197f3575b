"""What holds for every ledger, computed from its bytes and from nothing that the code under test computes."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise

from application.ports import EventStore
from domain.ledger import LedgerEvent
from domain.words import Ledger, Position

MEMBERS_OF_THE_SERVICE = {
    "activity",
    "entity_version",
    "event_id",
    "ledger",
    "module",
    "position",
    "recorded_at",
    "schema_version",
    "source",
    "type",
}


async def read_all(store: EventStore, ledger: Ledger, page: int = 1000) -> list[LedgerEvent]:
    """The whole ledger, page by page."""
    events: list[LedgerEvent] = []
    while found := await store.read(ledger, Position(len(events)), page):
        events += found
    return events


def check_ledger(ledger: Ledger, events: Sequence[LedgerEvent]) -> None:
    """Positions, times, versions and hashes are as the design says, and agree with the records."""
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    check_times(events)
    check_hashes(ledger, events)
    versions: Counter[object] = Counter()
    for event in events:
        versions[event.originator_id] += 1
        assert event.originator_version == versions[event.originator_id]
        check_record(ledger, event)


def check_times(events: Sequence[LedgerEvent]) -> None:
    """Each event was recorded at least a microsecond after the one before."""
    for earlier, later in pairwise(events):
        assert later.recorded_at - earlier.recorded_at >= timedelta(microseconds=1)


def check_hashes(ledger: Ledger, events: Sequence[LedgerEvent]) -> None:
    """The formulas of the design, section 5."""
    chain = sha256(b"certinext-audit/chain/v1\n" + ledger.encode()).digest()
    for event in events:
        leaf = sha256(b"\x00" + event.record).digest()
        chain = sha256(b"\x02" + chain + leaf).digest()
        assert (event.leaf_hash, event.chain_hash) == (leaf, chain)


def check_record(ledger: Ledger, event: LedgerEvent) -> None:
    """The record is canonical, says what stands in the columns beside it, and covers the personal data."""
    facts = json.loads(event.record)
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert event.record == canonical.encode()
    assert facts.keys() >= MEMBERS_OF_THE_SERVICE
    assert (facts["ledger"], facts["position"], facts["command_id"], facts["type"]) == (
        ledger,
        event.position,
        event.command_id,
        event.topic,
    )
    assert f"{facts['entity']['type']}:{facts['entity']['id']}" == event.originator_id
    assert facts["entity_version"] == event.originator_version
    assert facts["recorded_at"] == event.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if event.personal is None:
        assert "personal" not in facts
    else:
        assert facts["personal"] == sha256(b"\x03" + event.personal).hexdigest()
