"""What must hold after whatever happened."""

from collections import Counter

from domain.values import parse_rfc3339
from domain.words import DEFAULT_LEDGER
from tests.chaos.load import Book
from tests.contract.ledger_checks import check_ledger, read_all
from tests.integration.projections.model import expected, shown
from tests.integration.projections.stage import eventually, opened


async def check_all_kept(owner_url: str, book: Book) -> int:
    """All that was promised is there, once, unbroken, and in all read tables; how many events there are.

    The ledger is recomputed from its bytes, the read tables from its records. A service must be running, to project.
    """
    async with opened(owner_url) as stage:
        await eventually(stage.caught_up, 120)
        events = await read_all(stage.store, DEFAULT_LEDGER)
        check_ledger(DEFAULT_LEDGER, events)
        assert [item for item, count in Counter(event.command_id for event in events).items() if count > 1] == []
        found = {event.command_id: event for event in events}
        own = {command_id for command_id in found if command_id.startswith("sender-")}
        assert own == book.receipts.keys()
        for command_id, receipt in book.receipts.items():
            event = found[command_id]
            assert (receipt["position"], receipt["leaf_hash"], receipt["chain_hash"]) == (
                event.position,
                event.leaf_hash.hex(),
                event.chain_hash.hex(),
            )
            assert parse_rfc3339(receipt["recorded_at"]) == event.recorded_at
            assert f'"event_id":"{receipt["event_id"]}"'.encode() in event.record
        assert await stage.set_aside() == {}
        assert await shown(stage, DEFAULT_LEDGER) == await expected(stage, DEFAULT_LEDGER)
    return len(events)
