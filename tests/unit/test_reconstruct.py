"""An entity is reconstructed from records that hold, as of any moment, and from nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.memory.entity_history import MemoryEntityHistory
from adapters.memory.event_store import MemoryEventStore
from application.reconstruct import InvalidMoment, NothingKnown, Reconstruct
from domain import canonical
from domain.activity import Catalogue, Declarations, Details
from domain.catalogue import CATALOGUE
from domain.command import read_command
from domain.effect import becomes, keeps
from domain.entities.history import SEGMENT, BrokenRecord
from domain.entities.moment import Moment
from domain.entities.replay import Snapshots
from domain.entities.state import applied
from domain.ledger import LedgerEvent
from domain.mapper import RecordMapper
from domain.merkle import leaf_hash
from domain.record import EventDraft
from domain.values import Name, Names
from domain.words import DEFAULT_LEDGER, Module, Position
from tests.builders import command_data, draft
from tests.lives import lives
from tests.told import ISSUED, RECORDED, REVOKED, actor, step

_NOW = RECORDED + timedelta(days=1)


@dataclass
class Told:
    """A ledger in memory, and what reconstructs from it."""

    store: MemoryEventStore = field(default_factory=lambda: MemoryEventStore(lambda: RECORDED, lambda _: None))
    snapshots: Snapshots = field(default_factory=Snapshots)

    async def tell(self, *steps: dict[str, Any]) -> "Told":
        await self.store.append(DEFAULT_LEDGER, [draft(**one) for one in steps])
        return self

    @property
    def reconstruct(self) -> Reconstruct:
        history = MemoryEntityHistory(self.store)
        return Reconstruct(history, RecordMapper(CATALOGUE), lambda: _NOW, self.snapshots)

    async def entity(self, key: str, at: str | None = None, position: int | None = None) -> Any:
        kind, _, id_ = key.partition(":")
        return (await self.reconstruct.entity(DEFAULT_LEDGER, kind, id_, moment(at, position))).as_json()

    async def timeline(self, key: str, after: int = 0, limit: int = 1000, **as_of: Any) -> Any:
        kind, _, id_ = key.partition(":")
        found = await self.reconstruct.timeline(DEFAULT_LEDGER, kind, id_, moment(**as_of), after, limit)
        return [one.as_json() for one in found.steps], found.following

    def change(self, position: int, change: Callable[[LedgerEvent], LedgerEvent]) -> None:
        """Do to a stored event what nobody may."""
        events = self.store._logs[DEFAULT_LEDGER].events
        events[position - 1] = change(events[position - 1])


def moment(at: str | None = None, position: int | None = None) -> Moment:
    when = None if at is None else datetime.fromisoformat(f"2026-11-24T{at}:00+00:00")
    return Moment(when, None if position is None else Position(position))


@pytest.fixture
async def told() -> Told:
    """A certificate that was asked for by one, approved by another, issued, deployed and revoked; the rest is noise."""
    return await Told().tell(
        step("RequestCertificate", "certificate_request:r", 0, actor=actor("u-1")),
        step("CreateUser", "user:u", 1),
        step("ApproveCertificateRequest", "certificate_request:r", 2, actor=actor("u-2")),
        step("IssueCertificate", "certificate:c", 3, details=ISSUED | {"ca_id": "ca", "request_id": "r"}),
        step("DeployCertificate", "certificate:c", 10, details={"target": "www", "bot_id": "b"}),
        step("RevokeCertificate", "certificate:c", 20, details=REVOKED),
        step("DownloadCertificate", "certificate:c", 12, failure=True),
        step("DeployCertificate", "certificate:c", 5, details={"target": "late"}),
    )


async def test_an_entity_as_of_now_says_what_is_known_and_what_is_not(told: Told) -> None:
    found = await told.entity("certificate:c")
    assert (found["state"], found["version"]) == ("revoked", 5)
    assert found["attributes"]["deployments"] == ["late", "www"]
    assert (found["first"]["position"], found["last"]["position"]) == (4, 6)
    assert (found["told_at"]["state"], found["told_at"]["issuer"]) == (6, 4)
    assert {"owner", "key", "profile"} <= set(found["unknown"])
    assert found["replayed_to"]["position"] == 8


async def test_many_entities_are_reconstructed_at_once(told: Told) -> None:
    """As each by itself; who is not known is left out."""
    long = [step("CheckInBot", "bot:b") for _ in range(SEGMENT + 3)]
    await told.tell(*long)
    keys = ["certificate:c", "user:nobody", "bot:b", "certificate_request:r"]
    found = await told.reconstruct.entities(DEFAULT_LEDGER, keys, moment(position=7))
    assert [(one.id, one.events) for one in found] == [("certificate:c", 4), ("certificate_request:r", 2)]
    found = await told.reconstruct.entities(DEFAULT_LEDGER, keys, moment())
    assert [(one.id, one.events) for one in found][1] == ("bot:b", SEGMENT + 3)


async def test_relations_are_links_and_reach_through_the_request(told: Told) -> None:
    found = {
        (one["relation"], one["type"], one["id"], one.get("through"))
        for one in (await told.entity("certificate:c"))["relations"]
    }
    assert found == {
        ("issuer", "certificate_authority", "ca", None),
        ("request", "certificate_request", "r", None),
        ("deployed_by", "bot", "b", None),
        ("requester", "user", "u-1", "certificate_request:r"),
        ("approvers", "user", "u-2", "certificate_request:r"),
    }


@pytest.mark.parametrize(
    ("as_of", "state", "deployments", "version"),
    [
        ({"at": "10:03"}, "valid", None, 1),
        ({"at": "10:07"}, "valid", ["late"], 2),
        ({"at": "10:15"}, "valid", ["late", "www"], 4),
        ({"at": "10:20"}, "revoked", ["late", "www"], 5),
        ({"position": 4}, "valid", None, 1),
        ({"position": 6}, "revoked", ["www"], 3),
        ({"position": 8}, "revoked", ["late", "www"], 5),
    ],
)
async def test_a_time_includes_what_came_late_and_a_position_does_not(
    told: Told, as_of: dict[str, Any], state: str, deployments: list[str] | None, version: int
) -> None:
    found = await told.entity("certificate:c", **as_of)
    assert (found["state"], found["attributes"].get("deployments"), found["version"]) == (state, deployments, version)
    assert found["replayed_to"]["position"] == as_of.get("position", 8)


async def test_the_position_of_another_entity_is_a_moment_like_any_other(told: Told) -> None:
    assert (await told.entity("certificate_request:r", position=2))["state"] == "pending"
    assert (await told.entity("certificate_request:r", position=3))["state"] == "approved"


@pytest.mark.parametrize(
    ("key", "as_of", "words"),
    [
        (
            "certificate:c",
            {"at": "10:02"},
            "certificate.issued at position 4, occurred at 2026-11-24T10:03",
        ),
        ("certificate:c", {"position": 3}, "as of position 3: its first event, certificate.issued at position 4"),
        ("certificate:x", {}, "no event of the ledger default is about the certificate x"),
        ("spaceship:x", {}, "no event is about a 'spaceship'; there are acme_account, "),
    ],
)
async def test_why_nothing_is_known_is_said_exactly(told: Told, key: str, as_of: dict[str, Any], words: str) -> None:
    with pytest.raises(NothingKnown) as refusal:
        await told.entity(key, **as_of)
    assert words in str(refusal.value)
    with pytest.raises(NothingKnown):
        await told.timeline(key, **as_of)


async def test_an_empty_ledger_knows_nothing() -> None:
    with pytest.raises(NothingKnown):
        await Told().entity("certificate:c")


@pytest.mark.parametrize(
    ("as_of", "parameter"),
    [(Moment(_NOW + timedelta(seconds=1)), "at"), (Moment(position=Position(9)), "position")],
)
async def test_of_the_future_nothing_is_known(told: Told, as_of: Moment, parameter: str) -> None:
    with pytest.raises(InvalidMoment) as refusal:
        await told.reconstruct.entity(DEFAULT_LEDGER, "certificate", "c", as_of)
    assert refusal.value.parameter == parameter


async def test_of_an_entity_that_only_failed_commands_name_nothing_but_that_is_known() -> None:
    told = await Told().tell(step("IssueCertificate", "certificate:c", failure=True))
    found = await told.entity("certificate:c")
    assert (found["state"], found["attributes"], found["version"]) == (None, {}, 1)
    assert found["notes"] == ["only failed actions tell of it: nothing shows that it ever was"]
    assert "state" in found["unknown"]


async def test_an_end_that_no_event_tells_is_noted() -> None:
    expires = {"not_after": "2026-11-24T11:00:00Z", "not_before": "2026-11-24T09:00:00Z"}
    told = await Told().tell(step("IssueCertificate", "certificate:c", 0, details=ISSUED | expires))
    assert (await told.entity("certificate:c", at="10:59"))["notes"] == [
        "the last of its events that counts was recorded only later, at 2026-11-24T12:00:00.000000Z"
    ]
    notes = (await told.entity("certificate:c", at="13:00"))["notes"]
    assert notes == ["its not_after had passed by then, and no event tells that it ended"]


async def test_what_was_erased_is_said_to_be_unknown() -> None:
    told = await Told().tell(step("CreateUser", "user:u", details={"email": "a@b.example", "identity_provider": "i"}))
    told.change(1, lambda event: event._replace(personal=None))
    found = await told.entity("user:u")
    assert found["attributes"] == {"identity_provider": "i"}
    assert found["notes"] == ["1 of its events have lost their personal data: what these told is unknown"]


async def test_the_timeline_says_what_each_event_changed_and_what_it_contradicts(told: Told) -> None:
    await told.tell(step("ReinstateCertificate", "certificate:c", 30))
    events, following = await told.timeline("certificate:c")
    assert following is None
    assert [(one["position"], one["activity"], one["late"]) for one in events] == [
        (4, "certificate.issued", False),
        (5, "certificate.deployed", False),
        (6, "certificate.revoked", False),
        (7, "certificate.downloaded", True),
        (8, "certificate.deployed", True),
        (9, "certificate.reinstated", False),
    ]
    assert events[1]["changes"] == [
        {"path": "/attributes/deployed_by", "new": ["b"]},
        {"path": "/attributes/deployments", "new": ["www"]},
    ]
    assert events[3]["changes"] == []
    assert events[4]["changes"] == [{"path": "/attributes/deployments", "old": ["www"], "new": ["late", "www"]}]
    assert [one["kind"] for one in events[5]["contradictions"]] == ["cannot_follow"]


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
async def test_the_timeline_comes_in_pages(told: Told, limit: int) -> None:
    whole, _ = await told.timeline("certificate:c")
    found: list[Any] = []
    after: int | None = 0
    while after is not None:
        page, after = await told.timeline("certificate:c", after, limit)
        assert len(page) <= limit
        found += page
    assert found == whole


async def test_the_timeline_ends_at_the_moment(told: Told) -> None:
    events, _ = await told.timeline("certificate:c", at="10:10")
    assert [one["position"] for one in events] == [4, 5, 8]


async def test_before_its_first_event_nothing_was_known_to_compare_with(told: Told) -> None:
    found = await told.reconstruct.comparison(DEFAULT_LEDGER, "certificate", "c", moment("09:00"), moment("10:03"))
    assert found.before is None
    assert {change.path for change in found.changes} >= {"/state", "/attributes/issuer"}
    assert found.after.state["state"] == "valid"


@given(st.integers(0, 10_000), st.data())
async def test_what_changed_between_two_moments_leads_from_one_state_to_the_other(
    seed: int, data: st.DataObject
) -> None:
    """Whatever happened between."""
    told = Told()
    await told.store.append(DEFAULT_LEDGER, lives(Random(seed), 40, DEFAULT_LEDGER))
    known = {str(event.originator_id) for event in told.store._logs[DEFAULT_LEDGER].events}
    kind, _, id_ = data.draw(st.sampled_from(sorted(known))).partition(":")
    first, second = sorted(data.draw(st.lists(st.integers(1, 40), min_size=2, max_size=2)))
    try:
        found = await told.reconstruct.comparison(
            DEFAULT_LEDGER, kind, id_, Moment(position=Position(first)), Moment(position=Position(second))
        )
    except NothingKnown:
        return
    before = {"state": None, "attributes": {}} if found.before is None else found.before.state
    assert applied(before, list(found.changes)) == found.after.state


def _record(change: Callable[[Any], Any]) -> Callable[[LedgerEvent], LedgerEvent]:
    """Change the facts of a record."""

    def changed(event: LedgerEvent) -> LedgerEvent:
        facts = canonical.decode_object(event.record)
        change(facts)
        return event._replace(state=canonical.encode(facts))

    return changed


def _rehashed(change: Callable[[LedgerEvent], LedgerEvent]) -> Callable[[LedgerEvent], LedgerEvent]:
    """And make the leaf hash fit."""

    def changed(event: LedgerEvent) -> LedgerEvent:
        event = change(event)
        return event._replace(leaf_hash=leaf_hash(event.record))

    return changed


_EDIT = _record(lambda facts: facts["details"].update(serial="02"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_EDIT, "its leaf hash is that of other bytes"),
        (_rehashed(_EDIT), "its chain hash does not follow from the one before"),
        (lambda event: event._replace(chain_hash=bytes(32)), "its chain hash does not follow"),
        (lambda event: event._replace(leaf_hash=bytes(32)), "its leaf hash is that of other bytes"),
        (lambda event: event._replace(originator_version=7), "version 1 of certificate:c is missing before it"),
        (lambda event: event._replace(topic="CertificateRevoked"), "it says that it is a CertificateIssued"),
        (lambda event: event._replace(topic="Unheard"), "the event type 'Unheard' is unknown"),
        (lambda event: event._replace(personal=event.personal and event.personal.replace(b"Asha", b"Usha")),
         "its personal data are not those of its digest"),
    ],
    ids=["edited", "edited with its leaf", "chain", "leaf", "version", "type", "unknown type", "personal"],
)  # fmt: skip
async def test_a_record_that_does_not_hold_is_refused_with_its_position(
    told: Told, change: Callable[[LedgerEvent], LedgerEvent], words: str
) -> None:
    told.change(4, change)
    for ask in (told.entity, told.timeline):
        with pytest.raises(BrokenRecord) as refusal:
            await ask("certificate:c")
        assert refusal.value.position == 4
        assert words in str(refusal.value)
    assert (await told.entity("certificate_request:r"))["state"] == "approved"


async def test_a_record_of_another_place_is_refused(told: Told) -> None:
    """Whole rows that were exchanged: each has its own hashes, and says where it belongs."""
    events = told.store._logs[DEFAULT_LEDGER].events
    other = events[4]
    told.change(6, lambda event: other._replace(id=event.id, originator_version=event.originator_version))
    with pytest.raises(BrokenRecord) as refusal:
        await told.entity("certificate:c")
    assert refusal.value.position == 6


async def test_an_event_that_was_taken_out_is_missed(told: Told) -> None:
    del told.store._logs[DEFAULT_LEDGER].events[4]
    with pytest.raises(BrokenRecord) as refusal:
        await told.entity("certificate:c")
    assert "version 2 of certificate:c is missing" in str(refusal.value)


def _long(late: float = 0.02) -> list[dict[str, Any]]:
    """Two whole segments and a bit, some of them out of order."""
    random = Random(7)
    return [
        step("AssignRole", "user:u", random.randrange(600) if random.random() < late else number // 2,
             details={"role": f"r{number % 97}"})
        for number in range(2 * SEGMENT + 100)
    ]  # fmt: skip


@pytest.fixture
async def long() -> Told:
    return await Told().tell(*_long())


class TestLongLives:
    """Snapshots spare decoding, and are never believed without the records."""

    @pytest.mark.parametrize(
        "as_of",
        [
            {},
            {"at": "10:30"},
            {"at": "14:10"},
            {"at": "18:00"},
            {"position": SEGMENT - 100},
            {"position": SEGMENT + 100},
            {"position": 2 * SEGMENT},
        ],
    )
    async def test_an_answer_from_snapshots_is_the_same(self, long: Told, as_of: dict[str, Any]) -> None:
        fresh = await long.entity("user:u", **as_of)
        await long.entity("user:u")
        decoded = _Counting(CATALOGUE)
        warm = Reconstruct(MemoryEntityHistory(long.store), decoded, lambda: _NOW, long.snapshots)
        found = await warm.entity(DEFAULT_LEDGER, "user", "u", moment(**as_of))
        assert found.as_json() == fresh
        if not as_of:
            assert decoded.count == 100

    async def test_a_position_just_before_known_segments_ends_the_reading(self) -> None:
        """There are snapshots of what follows it, and no more records up to it."""
        steps = (step("AssignRole", "user:u", number // 5, details={"role": "r"}) for number in range(5 * SEGMENT))
        told = await Told().tell(*steps)
        await told.entity("user:u")
        assert (await told.entity("user:u", position=4 * SEGMENT))["version"] == 4 * SEGMENT

    async def test_as_of_a_time_only_its_own_segment_is_decoded(self) -> None:
        told = await Told().tell(*_long(late=0))
        await told.entity("user:u")
        decoded = _Counting(CATALOGUE)
        warm = Reconstruct(MemoryEntityHistory(told.store), decoded, lambda: _NOW, told.snapshots)
        found = await warm.entity(DEFAULT_LEDGER, "user", "u", moment("12:00"))
        assert found.entity.events == 242
        assert decoded.count == SEGMENT + 100

    @pytest.mark.parametrize("position", [1, SEGMENT, SEGMENT + 1, 2 * SEGMENT + 50])
    async def test_a_record_that_is_changed_under_a_snapshot_is_found(self, long: Told, position: int) -> None:
        await long.entity("user:u")
        long.change(position, _record(lambda facts: facts["details"].update(role="admin")))
        with pytest.raises(BrokenRecord) as refusal:
            await long.entity("user:u")
        assert refusal.value.position == position

    async def test_what_was_erased_is_not_told_from_a_snapshot(self) -> None:
        created = step("CreateUser", "user:u", details={"email": "a@b.example", "identity_provider": "i"})
        steps = (step("AssignRole", "user:u", n // 5, details={"role": "r"}) for n in range(1, SEGMENT))
        told = await Told().tell(created, *steps)
        assert "email" in (await told.entity("user:u"))["attributes"]
        told.change(1, lambda event: event._replace(personal=None))
        assert "email" not in (await told.entity("user:u"))["attributes"]

    async def test_only_the_last_used_snapshots_stay(self, long: Told) -> None:
        long.snapshots = Snapshots(most=1)
        await long.entity("user:u")
        assert not long.snapshots.has((DEFAULT_LEDGER, "user:u", 1))
        assert long.snapshots.has((DEFAULT_LEDGER, "user:u", SEGMENT + 1))
        assert (await long.entity("user:u"))["version"] == 2 * SEGMENT + 100


class _Counting(RecordMapper):
    """Counts what it decodes."""

    count = 0

    def event(self, *stored: Any) -> Any:
        self.count += 1
        return super().event(*stored)


def _catalogue(version: int) -> Catalogue:
    """Of crates that are moved: to a place in the first version, along stops in the second."""
    moved = Declarations(Module.ADMINISTRATION)

    if version == 1:

        @moved("MoveCrate", "crate.moved", "crate", "moved {entity}", becomes("moved", keeps("place")))
        class CrateMoved(Details):
            """A crate was moved."""

            place: Name

    else:

        @moved("MoveCrate", "crate.moved", "crate", "moved {entity}", becomes("moved", keeps("stops")))
        class CrateMoved(Details):  # type: ignore[no-redef]
            """A crate was moved."""

            schema_version = 2
            stops: Names

            @staticmethod
            def upcast_v1_v2(state: Any) -> None:
                state["details"]["stops"] = [state["details"].pop("place")]

    return Catalogue(moved.activities)


async def test_an_old_record_tells_what_its_present_shape_says() -> None:
    """It holds as it was hashed, and is brought up to date to be read."""
    told = Told()
    for version, details in ((1, {"place": "hall 2"}), (2, {"stops": ["hall 3", "ship"]})):
        data = command_data(**step("MoveCrate", "crate:1", version, details=details))
        command = read_command(data, _catalogue(version), RECORDED)
        old = EventDraft.of(command, DEFAULT_LEDGER, "key-1", f"e-{version}", bytes(16))
        await told.store.append(DEFAULT_LEDGER, [old])
    work = Reconstruct(MemoryEntityHistory(told.store), RecordMapper(_catalogue(2)), lambda: _NOW, Snapshots())
    for position, stops in ((1, ["hall 2"]), (2, ["hall 3", "ship"])):
        found = await work.entity(DEFAULT_LEDGER, "crate", "1", Moment(position=Position(position)))
        assert found.state == {"state": "moved", "attributes": {"stops": stops}}
    old_service = Reconstruct(MemoryEntityHistory(told.store), RecordMapper(_catalogue(1)), lambda: _NOW, Snapshots())
    with pytest.raises(BrokenRecord) as refusal:
        await old_service.entity(DEFAULT_LEDGER, "crate", "1", Moment())
    assert "schema version 2 is not one of those known" in str(refusal.value)
