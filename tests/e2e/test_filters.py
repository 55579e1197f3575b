"""Each filter finds exactly the events that hold it, alone and together with others."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.seeding import FILTERS, matches, varied_commands

Wanted = Mapping[str, Sequence[str]]

ONE_VALUE = [
    pytest.param({name: [value]}, id=f"{name}={value}") for name, values in FILTERS.items() for value in values
]
TWO_VALUES = [
    pytest.param({name: [values[0], values[1]]}, id=name)
    for name, values in FILTERS.items()
    if name not in {"from", "to"}
]
ANY = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(st.sampled_from(values), min_size=1, max_size=1 if name in {"from", "to"} else 2)
        for name, values in FILTERS.items()
    },
)


class Seeded:
    """A ledger with varied events, and how it answers."""

    def __init__(self, auditor: Client, events: Sequence[Mapping[str, object]]) -> None:
        self.auditor = auditor
        self.events = events

    async def check(self, wanted: Wanted, order: str = "occurred") -> int:
        """Of the seeded events exactly those that hold the filters come; how many."""
        page = await self.auditor.page([*_pairs(wanted), ("order", order), ("limit", "1000")])
        ids = {event["event_id"] for event in self.events}
        found = [event for event in page["events"] if event["event_id"] in ids]
        expected = [event for event in self.events if matches(event, wanted)]
        if order == "occurred":
            expected.sort(key=lambda event: (event["occurred_at"], event["position"]), reverse=True)
        assert found == expected
        return len(expected)


def _pairs(wanted: Wanted) -> list[tuple[str, str]]:
    return [(name, value) for name, values in wanted.items() for value in values]


@pytest.fixture
async def seeded(module: Client, auditor: Client) -> Seeded:
    receipts = await module.record_all(varied_commands())
    await auditor.shown(receipts[-1])
    page = await auditor.page({"order": "recorded", "limit": "1000"})
    ids = {receipt["event_id"] for receipt in receipts}
    events = [event for event in page["events"] if event["event_id"] in ids]
    assert len(events) == len(receipts)
    return Seeded(auditor, events)


async def test_each_value_of_each_filter(seeded: Seeded) -> None:
    """One filter with one value; the values are such that nearly all find some and none finds all."""
    found = {}
    for name, values in FILTERS.items():
        for value in values:
            found[name, value] = await seeded.check({name: [value]})
    empty = {key for key, count in found.items() if count == 0}
    assert empty == {
        ("user", "nobody"),
        ("user", "_"),
        ("module", "administration"),
        ("activity", "key.destroyed"),
        ("ip", "10.9.9.9"),
        ("correlation_id", "order"),
        ("text", "absent"),
    }
    assert all(count < len(seeded.events) for count in found.values())


@pytest.mark.parametrize("wanted", TWO_VALUES)
async def test_values_of_one_filter_are_alternatives(seeded: Seeded, wanted: Wanted) -> None:
    """What holds any of them is found, once."""
    assert await seeded.check(wanted)


async def test_both_ends_of_a_span_of_time(seeded: Seeded) -> None:
    """An event at `from` belongs to the span, and one at `to` does not."""
    span = {"from": ["2026-10-05T01:00:00Z"], "to": ["2026-10-12T01:00:00Z"]}
    assert await seeded.check(span)
    times = {event["occurred_at"] for event in seeded.events}
    assert {"2026-10-05T01:00:00.000000Z", "2026-10-12T01:00:00.000000Z"} <= times


@pytest.mark.parametrize("values", [["success", "failure"], ["failure", "failure"]])
async def test_every_status_or_one_twice(seeded: Seeded, values: list[str]) -> None:
    """Naming all of them is as naming none, and naming one twice as naming it once."""
    assert await seeded.check({"status": values})


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=ANY, order=st.sampled_from(["occurred", "recorded"]))
async def test_any_filters_together(seeded: Seeded, wanted: Wanted, order: str) -> None:
    """Different filters must all hold, in either order of the answer, as a plain model says."""
    await seeded.check(wanted, order)


async def test_one_text_says_them_all(seeded: Seeded) -> None:
    """`q` finds what its terms find as parameters, and its pages go on."""
    name, status = FILTERS["user"][0], FILTERS["status"][0]
    wanted = {"user": [name], "status": [status]}
    assert await seeded.check(wanted)
    expected = [event for event in seeded.events if matches(event, wanted)]
    found: list[str] = []
    target: URL | None = URL("/v1/events").with_query(
        {"q": f'user:"{name}" status:{status} after:2020-01-01', "order": "recorded", "limit": "2"}
    )
    while target is not None:
        answer = await seeded.auditor.call("GET", target)
        events = answer.json["events"]
        found += [event["event_id"] for event in events]
        target = answer.links.get("next") if events else None
    assert found == [event["event_id"] for event in expected]


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("Groß", "GROSS"),
        ("GROSS", "groß"),
        ("İpek", "i̇pek"),
        ("ipek", "IPEK"),
        ("Änne", "änn"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("a%b", "a%"),
        ("a_b", "A_"),
        ("a\\b", "a\\"),
        ("a\\%b", "a\\%"),
        ("😀 smile", "😀"),
        ("\U0010ffff", "\U0010ffff"),
    ],
)
async def test_names_are_found_in_any_case_and_by_the_letter(
    module: Client, auditor: Client, name: str, prefix: str
) -> None:
    """Case is folded as Unicode does it, and no character stands for others."""
    receipt = await module.record(command_data(actor={"id": "x", "kind": "user", "full_name": name}))
    await module.record(command_data(actor={"id": "y", "kind": "user", "full_name": "axb"}))
    by_id = await module.record(command_data(actor={"id": name, "kind": "user"}))
    await auditor.shown(by_id)
    found = await auditor.page({"user": prefix})
    assert [event["event_id"] for event in found["events"]] == [by_id["event_id"], receipt["event_id"]]


async def test_a_former_name_finds_the_events_of_that_name_only(module: Client, auditor: Client) -> None:
    """Names are facts of events: whoever marries is found by both, each for its time."""
    before = await module.record(command_data(actor={"id": "m", "kind": "user", "full_name": "Bo Li"}))
    after = await module.record(command_data(actor={"id": "m", "kind": "user", "full_name": "Bo Ek"}))
    await auditor.shown(after)
    for name, receipt in (("bo li", before), ("bo ek", after)):
        found = await auditor.page({"user": name})
        assert [event["event_id"] for event in found["events"]] == [receipt["event_id"]]


async def test_a_source_finds_what_it_sent(module: Client, auditor: Client) -> None:
    """The source is the id of a credential."""
    assert module.key is not None
    receipts = await module.record_all(varied_commands(7))
    await auditor.shown(receipts[-1])
    found = await auditor.page({"source": module.key.split("_")[2], "order": "recorded"})
    assert [event["event_id"] for event in found["events"]] == [receipt["event_id"] for receipt in receipts]
    assert (await auditor.page({"source": module.key.split("_")[2].upper()}))["events"] == []
