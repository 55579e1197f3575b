"""What every event store promises."""

import asyncio
import json
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest

from domain.ledger import LedgerEvent
from domain.receipt import CommandConflict, Receipt
from domain.record import EventDraft
from domain.words import DEFAULT_LEDGER, Ledger, Position
from tests.builders import draft
from tests.contract.conftest import Stores
from tests.contract.ledger_checks import check_ledger, check_times, read_all
from tests.patience import PATIENCE

OTHER = Ledger("other")


def receipt_of(event: LedgerEvent, ledger: Ledger, *, duplicate: bool) -> Receipt:
    return Receipt(
        event_id=json.loads(event.record)["event_id"],
        ledger=ledger,
        position=event.position,
        recorded_at=event.recorded_at,
        leaf_hash=event.leaf_hash,
        chain_hash=event.chain_hash,
        duplicate=duplicate,
    )


async def append_one(stores: Stores, one: EventDraft) -> Receipt:
    [answer] = await stores.store.append(DEFAULT_LEDGER, [one])
    assert isinstance(answer, Receipt)
    return answer


class TestOrder:
    async def test_positions_count_from_one_without_gaps(self, stores: Stores) -> None:
        """Batches follow one another, and inside a batch the order is that of the drafts."""
        drafts = [draft() for _ in range(7)]
        for batch in (drafts[:1], drafts[1:4], drafts[4:]):
            await stores.store.append(DEFAULT_LEDGER, batch)
        events = await read_all(stores.store, DEFAULT_LEDGER)
        assert [event.command_id for event in events] == [one.command_id for one in drafts]
        check_ledger(DEFAULT_LEDGER, events)

    async def test_receipts_say_what_is_read(self, stores: Stores) -> None:
        """Every member of a receipt is that of the event at its position."""
        answers = await stores.store.append(DEFAULT_LEDGER, [draft(), draft()])
        answers += await stores.store.append(DEFAULT_LEDGER, [draft()])
        events = await read_all(stores.store, DEFAULT_LEDGER)
        assert answers == [receipt_of(event, DEFAULT_LEDGER, duplicate=False) for event in events]

    async def test_reading_starts_after_a_position_and_ends_at_the_limit(self, stores: Stores) -> None:
        """A reader goes through the ledger in pages of any size."""
        await stores.store.append(DEFAULT_LEDGER, [draft() for _ in range(5)])
        assert [event.position for event in await stores.store.read(DEFAULT_LEDGER, Position(1), 3)] == [
            2,
            3,
            4,
        ]
        assert [event.position for event in await stores.store.read(DEFAULT_LEDGER, Position(4), 3)] == [5]
        assert list(await stores.store.read(DEFAULT_LEDGER, Position(5), 3)) == []
        assert await read_all(stores.store, DEFAULT_LEDGER, page=2) == await read_all(stores.store, DEFAULT_LEDGER)

    async def test_a_ledger_that_nobody_wrote_to_is_empty(self, stores: Stores) -> None:
        """It needs no preparation to be read."""
        assert list(await stores.store.read(OTHER, Position(0), 10)) == []

    async def test_an_empty_batch_changes_nothing(self, stores: Stores) -> None:
        """Nothing is answered, recorded or announced, and the next position is still the first."""
        assert await stores.store.append(DEFAULT_LEDGER, []) == []
        assert await read_all(stores.store, DEFAULT_LEDGER) == []
        assert stores.appended == []
        assert (await append_one(stores, draft())).position == 1

    async def test_ledgers_are_independent(self, stores: Stores) -> None:
        """Each has its own positions, chain, entities and command ids."""
        for ledger, command_id in ((DEFAULT_LEDGER, "c-1"), (OTHER, "c-1"), (DEFAULT_LEDGER, "c-2")):
            await stores.store.append(ledger, [draft(ledger, command_id=command_id)])
        first, second = await read_all(stores.store, DEFAULT_LEDGER), await read_all(stores.store, OTHER)
        assert ([event.command_id for event in first], [event.command_id for event in second]) == (
            ["c-1", "c-2"],
            ["c-1"],
        )
        check_ledger(DEFAULT_LEDGER, first)
        check_ledger(OTHER, second)

    async def test_new_events_are_announced_once_for_each_batch(self, stores: Stores) -> None:
        """A batch that records nothing new announces nothing."""
        known = draft()
        await stores.store.append(DEFAULT_LEDGER, [known, draft()])
        await stores.store.append(DEFAULT_LEDGER, [known])
        await stores.store.append(OTHER, [draft(OTHER)])
        assert stores.appended == [DEFAULT_LEDGER, OTHER]


class TestRecord:
    async def test_the_record_holds_every_word(self, stores: Stores) -> None:
        """All that was sent is in it, and all that the service adds, and nothing else."""
        sent = draft(
            command_id="c-1",
            causation_id="e-0",
            also_affected=[{"type": "key", "id": "k-1"}],
            changes=[{"path": "/state", "old": "valid", "new": None}],
        )
        receipt = await append_one(stores, sent)
        [event] = await read_all(stores.store, DEFAULT_LEDGER)
        assert event.personal is not None
        assert json.loads(event.record) == {
            "activity": "certificate.revoked",
            "actor": {"id": "u-17", "kind": "user", "session_id": "s-9"},
            "also_affected": [{"id": "k-1", "type": "key"}],
            "causation_id": "e-0",
            "changes": [{"new": None, "old": "valid", "path": "/state"}],
            "channel": "portal",
            "command_id": "c-1",
            "correlation_id": "order-7",
            "details": {"crl_reason": "keyCompromise", "revocation_time": "2026-11-24T10:00:00.000000Z"},
            "entity": {"id": "c-42", "name": "www.example.com", "type": "certificate"},
            "entity_version": 1,
            "event_id": sent.event_id,
            "ledger": "default",
            "module": "certificate_operations",
            "occurred_at": "2026-11-24T10:00:00.000000Z",
            "personal": sha256(b"\x03" + event.personal).hexdigest(),
            "position": 1,
            "recorded_at": receipt.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "schema_version": 1,
            "source": "key-1",
            "status": "success",
            "type": "CertificateRevoked",
        }

    async def test_a_failure_is_recorded_with_its_reason(self, stores: Stores) -> None:
        """The details that it got to are kept."""
        failure = {"code": "denied", "reason": "not your certificate"}
        await append_one(stores, draft(status="failure", failure=failure, details={}))
        [event] = await read_all(stores.store, DEFAULT_LEDGER)
        facts = json.loads(event.record)
        assert (facts["status"], facts["failure"], facts["details"]) == ("failure", failure, {})
        check_ledger(DEFAULT_LEDGER, [event])

    async def test_personal_data_stand_beside_the_record(self, stores: Stores) -> None:
        """The record holds their salted digest and not a word of them."""
        await append_one(stores, draft())
        [event] = await read_all(stores.store, DEFAULT_LEDGER)
        assert event.personal is not None
        assert json.loads(event.personal) == {
            "fields": {"/actor/full_name": "Asha Rao", "/actor/ip": "10.1.2.3"},
            "salt": "05" * 16,
        }
        assert b"Asha" not in event.record
        assert b"10.1.2.3" not in event.record
        check_ledger(DEFAULT_LEDGER, [event])

    async def test_an_event_without_personal_data_has_none(self, stores: Stores) -> None:
        """There is neither a digest nor anything that it could be of."""
        await append_one(stores, draft(actor={"id": "bot-1", "kind": "bot"}))
        [event] = await read_all(stores.store, DEFAULT_LEDGER)
        assert event.personal is None
        assert "personal" not in json.loads(event.record)

    async def test_versions_count_up_for_each_entity(self, stores: Stores) -> None:
        """Inside a batch and across batches, whatever happens to other entities in between."""
        entities = [{"type": "key", "id": "a"}, {"type": "key", "id": "b"}, {"type": "bot", "id": "a"}]
        for picks in ((0, 1, 0), (2,), (1, 0, 2, 1)):
            await stores.store.append(DEFAULT_LEDGER, [draft(entity=entities[pick]) for pick in picks])
        events = await read_all(stores.store, DEFAULT_LEDGER)
        assert [(event.originator_id, event.originator_version) for event in events] == [
            ("key:a", 1),
            ("key:b", 1),
            ("key:a", 2),
            ("bot:a", 1),
            ("key:b", 2),
            ("key:a", 3),
            ("bot:a", 2),
            ("key:b", 3),
        ]
        check_ledger(DEFAULT_LEDGER, events)

    async def test_any_text_survives(self, stores: Stores) -> None:
        """Quotes, other alphabets, line ends and characters beyond the first plane, in ids and in names."""
        text = 'Zoë "the\\root"\r\n\u2028 猫 🐈 \x01 </script>'
        entity = {"type": "certificate", "id": text, "name": text}
        await append_one(stores, draft(command_id=text, entity=entity, actor={"id": text, "kind": "user"}))
        [event] = await read_all(stores.store, DEFAULT_LEDGER)
        assert (event.command_id, event.originator_id) == (text, f"certificate:{text}")
        check_ledger(DEFAULT_LEDGER, [event])


class TestIdempotency:
    @pytest.mark.parametrize("retried_by", ["same", "other"])
    async def test_a_retry_gets_the_original_receipt(self, stores: Stores, retried_by: str) -> None:
        """Whoever tries again, with whatever new event id, salt and source; nothing is recorded."""
        first = await append_one(stores, draft(command_id="c-1"))
        await append_one(stores, draft())
        retry = draft(command_id="c-1", source="key-2")
        assert retry.event_id != first.event_id
        store = stores.store if retried_by == "same" else stores.other
        assert await store.append(DEFAULT_LEDGER, [retry]) == [first._replace(duplicate=True)]
        assert len(await read_all(stores.store, DEFAULT_LEDGER)) == 2

    async def test_a_repetition_inside_a_batch_is_recorded_once(self, stores: Stores) -> None:
        """The first of them is the event; its neighbours keep their places."""
        batch = [draft(), draft(command_id="c-1"), draft(), draft(command_id="c-1", source="key-2"), draft()]
        answers = await stores.store.append(DEFAULT_LEDGER, batch)
        events = await read_all(stores.store, DEFAULT_LEDGER)
        expected = [receipt_of(event, DEFAULT_LEDGER, duplicate=False) for event in events]
        expected.insert(3, expected[1]._replace(duplicate=True))
        assert answers == expected
        check_ledger(DEFAULT_LEDGER, events)

    async def test_a_retry_with_another_salt_is_the_same_command(self, stores: Stores) -> None:
        """The salt is the service's, so the personal bytes differ where the personal data do not."""
        first = draft(command_id="c-1")
        await append_one(stores, first)
        assert first.personal is not None
        salted = first._replace(personal=first.personal.replace(b"05" * 16, b"06" * 16))
        assert salted != first
        assert (await append_one(stores, salted)).duplicate

    @pytest.mark.parametrize(
        "change",
        [
            {"correlation_id": "order-8"},
            {"correlation_id": None},
            {"occurred_at": "2026-11-24T10:00:00.000001Z"},
            {"status": "failure", "failure": {"code": "denied", "reason": "no"}},
            {"details": {"crl_reason": "superseded", "revocation_time": "2026-11-24T10:00:00Z"}},
            {"entity": {"type": "certificate", "id": "c-43"}},
            {"command": "EditCertificate", "details": {}},
            {"actor": {"id": "u-17", "kind": "user", "session_id": "s-9", "full_name": "Asha Roy"}},
            {"actor": {"id": "u-17", "kind": "user", "session_id": "s-9"}},
        ],
        ids=str,
    )
    async def test_other_content_under_the_same_id_is_a_conflict(self, stores: Stores, change: dict[str, Any]) -> None:
        """Whatever the sender has changed, personal data among it, before or in the same batch."""
        answers = await stores.store.append(
            DEFAULT_LEDGER, [draft(), draft(command_id="c-1"), draft(command_id="c-1", **change)]
        )
        answers += await stores.store.append(DEFAULT_LEDGER, [draft(command_id="c-1", **change)])
        assert answers[2:] == [CommandConflict("c-1", Position(2))] * 2
        assert len(await read_all(stores.store, DEFAULT_LEDGER)) == 2

    async def test_personal_data_that_were_not_sent_before_are_a_conflict(self, stores: Stores) -> None:
        """Nothing personal was recorded, so they would be lost if it were taken for a retry."""
        actor = {"id": "u-17", "kind": "user"}
        await append_one(stores, draft(command_id="c-1", actor=actor))
        named = draft(command_id="c-1", actor=actor | {"full_name": "Asha Rao"})
        assert await stores.store.append(DEFAULT_LEDGER, [named]) == [CommandConflict("c-1", Position(1))]

    async def test_a_truth_value_is_not_a_number(self, stores: Stores) -> None:
        """`true` and `1` are other content, though Python takes them for equal."""
        answers = await stores.store.append(
            DEFAULT_LEDGER,
            [draft(command_id="c-1", changes=[{"path": "/a", "new": new}]) for new in (True, 1, 1.0, True)],
        )
        conflict = CommandConflict("c-1", Position(1))
        assert answers[1:3] == [conflict, conflict]
        assert isinstance(answers[3], Receipt)

    async def test_a_conflict_does_not_disturb_its_neighbours(self, stores: Stores) -> None:
        """What stands beside it in the batch is recorded or answered as if it were alone."""
        known = await append_one(stores, draft(command_id="c-1"))
        answers = await stores.store.append(
            DEFAULT_LEDGER,
            [draft(), draft(command_id="c-1", channel="cli"), draft(command_id="c-1"), draft()],
        )
        events = await read_all(stores.store, DEFAULT_LEDGER)
        assert answers == [
            receipt_of(events[1], DEFAULT_LEDGER, duplicate=False),
            CommandConflict("c-1", Position(1)),
            known._replace(duplicate=True),
            receipt_of(events[2], DEFAULT_LEDGER, duplicate=False),
        ]
        check_ledger(DEFAULT_LEDGER, events)


class TestTime:
    async def test_time_order_is_position_order(self, stores: Stores) -> None:
        """Even inside one batch, which is stamped in no time."""
        await stores.store.append(DEFAULT_LEDGER, [draft() for _ in range(100)])
        events = await read_all(stores.store, DEFAULT_LEDGER)
        assert len(events) == 100
        check_times(events)

    async def test_a_clock_that_jumps_back_stops_nothing(self, stores: Stores) -> None:
        """Time goes on by the least step until the clock has caught up, and then follows it again."""
        for jump in (timedelta(), timedelta(hours=-1), timedelta(), timedelta(hours=3)):
            stores.turn_clock(jump)
            await stores.store.append(DEFAULT_LEDGER, [draft(), draft()])
        events = await read_all(stores.store, DEFAULT_LEDGER)
        times = [event.recorded_at for event in events]
        steps = [later - earlier for earlier, later in pairwise(times)]
        assert steps[1:5] == [timedelta(microseconds=1)] * 4
        assert steps[5] > timedelta(hours=1)
        check_ledger(DEFAULT_LEDGER, events)


class TestConcurrency:
    async def test_overlapping_appends_record_each_command_once(self, stores: Stores) -> None:
        """Twenty at a time, from two stores, with each command in several: one event, many receipts."""
        ids = [f"c-{number}" for number in range(30)]
        batches = [ids[start : start + 12] for start in range(20)]
        answers = await asyncio.gather(
            *(
                (stores.store, stores.other)[number % 2].append(
                    DEFAULT_LEDGER, [draft(command_id=command_id) for command_id in batch]
                )
                for number, batch in enumerate(batches)
            )
        )
        events = {event.command_id: event for event in await read_all(stores.store, DEFAULT_LEDGER)}
        check_ledger(DEFAULT_LEDGER, list(events.values()))
        originals = []
        for batch, answer in zip(batches, answers, strict=True):
            for command_id, receipt in zip(batch, answer, strict=True):
                assert isinstance(receipt, Receipt)
                duplicate = receipt.duplicate
                assert receipt == receipt_of(events[command_id], DEFAULT_LEDGER, duplicate=duplicate)
                originals += [] if duplicate else [command_id]
        assert sorted(originals) == sorted(events)

    async def test_of_contradicting_commands_one_wins(self, stores: Stores) -> None:
        """All others learn that they are in conflict with it."""
        drafts = [draft(command_id="c-1", correlation_id=f"order-{number}") for number in range(8)]
        answers = await asyncio.gather(*(stores.store.append(DEFAULT_LEDGER, [one]) for one in drafts))
        [event] = await read_all(stores.store, DEFAULT_LEDGER)
        winners = [answer for [answer] in answers if isinstance(answer, Receipt)]
        assert winners == [receipt_of(event, DEFAULT_LEDGER, duplicate=False)]
        assert [answer for [answer] in answers if isinstance(answer, CommandConflict)] == [
            CommandConflict("c-1", Position(1))
        ] * 7

    async def test_a_reader_at_the_tail_misses_nothing(self, stores: Stores) -> None:
        """Beside writers of large batches and of single events, whoever has seen n has seen all up to n."""
        sizes = {"slow": 150, "middle": 10, "quick": 1, "quicker": 1}
        rounds = 12
        total = rounds * sum(sizes.values())

        async def write(name: str, size: int) -> None:
            store = stores.other if name == "slow" else stores.store
            for turn in range(rounds):
                ids = [f"{name}-{turn}-{number}" for number in range(size)]
                await store.append(DEFAULT_LEDGER, [draft(command_id=command_id) for command_id in ids])
                await asyncio.sleep(0)

        async def tail() -> list[LedgerEvent]:
            seen: list[LedgerEvent] = []
            while len(seen) < total:
                after = seen[-1].position if seen else Position(0)
                seen += await stores.store.read(DEFAULT_LEDGER, after, 40)
                await asyncio.sleep(0)
            return seen

        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(tail())
            for name, size in sizes.items():
                tasks.create_task(write(name, size))
        seen = reader.result()
        assert [event.position for event in seen] == list(range(1, total + 1))
        assert len({event.command_id for event in seen}) == total
        check_ledger(DEFAULT_LEDGER, seen)
