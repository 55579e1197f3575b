"""What verification makes of the rows of a ledger, however they are cut into stretches."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checkpoint import Checkpoint
from domain.frontier import Frontier
from domain.ledger import Head, LedgerEvent, link
from domain.merkle import root_hash
from domain.stored_row import StoredRow, agrees, fault
from domain.stretch import RUN_UP, Border, StretchCheck
from domain.tampering import Tampering, Tamperings
from domain.tampering import TamperingKind as Kind
from domain.trusted_prefix import PrefixCheck
from domain.verdict import Verdict
from domain.verification import STRETCH, Extent, KeptCheckpoint, LedgerCheck, Trusted, spans
from domain.words import DEFAULT_LEDGER, Ledger, Position
from tests.builders import NOW, draft
from tests.integration.projections.varied import drafts

COUNT = 70


def ledger_of(count: int) -> list[StoredRow]:
    versions: dict[str, int] = {}
    numbered = []
    for one in drafts(Random(9), count):
        versions[one.originator_id] = versions.get(one.originator_id, 0) + 1
        numbered.append((one, versions[one.originator_id]))
    return [row_of(event) for event in link(Head.empty(DEFAULT_LEDGER), numbered, NOW)]


def row_of(event: LedgerEvent) -> StoredRow:
    return (
        event.position,
        event.command_id,
        str(event.originator_id),
        event.originator_version,
        event.topic,
        event.recorded_at,
        event.record,
        event.personal,
        event.leaf_hash,
        event.chain_hash,
    )


ROWS = ledger_of(COUNT)
LEAVES = [row[8] for row in ROWS]
HEAD = Head(Position(COUNT), ROWS[-1][9], ROWS[-1][5])
KEPT = [KeptCheckpoint(Checkpoint("x", size, root_hash(LEAVES[:size])), "a test") for size in (1, 5, 16, 17, 64, 70)]
COLUMNS = range(1, 10)


def verify(
    rows: Sequence[StoredRow], cuts: Sequence[tuple[int, int]], head: Head | None = HEAD, batch: int = 3
) -> Verdict:
    """As the adapters do it, with rows in memory: each stretch begins from the row before it as that is stored."""
    last = Position(max((row[0] for row in rows), default=0))
    check = LedgerCheck(DEFAULT_LEDGER, Extent(head, last), KEPT)
    by_position = {row[0]: row for row in rows}
    for start, end in cuts:
        before = Border.beginning(DEFAULT_LEDGER)
        if start > RUN_UP:
            row = by_position.get(start - RUN_UP)
            before = Border(Position(start - RUN_UP), row and row[9], None)
        stretch = StretchCheck(DEFAULT_LEDGER, before, Position(start), Position(end), check.sizes)
        own = [row for row in rows if (before.position < row[0] or not start) and row[0] <= end]
        for first in range(0, len(own), batch):
            stretch.take(own[first : first + batch])
        check.join(stretch.result(), [])
    return check.verdict()


WHOLE = [(0, COUNT)]
CUT = [(0, 16), (16, 32), (32, 48), (48, 64), (64, COUNT)]


@pytest.mark.parametrize("cuts", [WHOLE, CUT, [(0, 64), (64, 68), (68, COUNT)]])
def test_an_untouched_ledger_is_intact(cuts: list[tuple[int, int]]) -> None:
    """And fits all checkpoints; where the next verification may begin is its end."""
    verdict = verify(ROWS, cuts)
    assert verdict.intact
    assert verdict.not_checked == ()
    assert verdict.end is not None
    assert (verdict.end.position, verdict.end.chain_hash) == (COUNT, ROWS[-1][9])


def changed(row: StoredRow, column: int, random: Random) -> StoredRow:
    """A row of which one cell is another."""
    values: list[Any] = list(row)
    value = values[column]
    if isinstance(value, datetime):
        values[column] = value + timedelta(microseconds=random.choice([-1, 1, 86_400_000_000]))
    elif isinstance(value, bytes):
        place = random.randrange(len(value))
        values[column] = value[:place] + bytes([value[place] ^ (1 << random.randrange(8))]) + value[place + 1 :]
    elif isinstance(value, str):
        values[column] = value + random.choice(["x", "\0", '"', "é"])
    elif value is None:
        values[column] = b"{}"
    else:
        values[column] = value + random.choice([-1, 1, 1000])
    return tuple(values)


@given(st.integers(0, COUNT - 1), st.sampled_from(COLUMNS), st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=400)
def test_any_change_of_any_cell_is_found_where_it_is(index: int, column: int, random: Random, cut: bool) -> None:
    """And nothing else is, wherever the borders of stretches are."""
    rows = [*ROWS]
    rows[index] = changed(ROWS[index], column, random)
    verdict = verify(rows, CUT if cut else WHOLE)
    assert [(one.position, one.last_position) for one in verdict.tampering] == [(index + 1, index + 1)]


@given(st.integers(1, COUNT), st.integers(1, 9), st.booleans())
@settings(max_examples=200)
def test_any_events_taken_out_are_missed(first: int, count: int, cut: bool) -> None:
    """As one gap, or as a tail that was cut."""
    last = min(first + count - 1, COUNT)
    verdict = verify([row for row in ROWS if not first <= row[0] <= last], CUT if cut else WHOLE)
    kind = Kind.TAIL_CUT if last == COUNT else Kind.MISSING
    assert [(one.kind, one.position, one.last_position) for one in verdict.tampering] == [(kind, first, last)]


@given(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1), st.booleans())
@settings(max_examples=200)
def test_any_two_events_that_changed_places_are_found_at_both(one: int, other: int, cut: bool) -> None:
    """Each says in its record where it belongs."""
    if one == other:
        return
    rows = [*ROWS]
    rows[one], rows[other] = (ROWS[one][0], *ROWS[other][1:]), (ROWS[other][0], *ROWS[one][1:])
    verdict = verify(rows, CUT if cut else WHOLE)
    found = {at for one in verdict.tampering for at in range(one.position, one.last_position + 1)}
    assert found == {one + 1, other + 1}
    assert {one.kind for one in verdict.tampering} == {Kind.MOVED}


@given(st.integers(0, 40 * STRETCH), st.integers(0, 3 * STRETCH))
def test_stretches_join_wherever_one_begins(start: int, count: int) -> None:
    """They follow one another, none is too long, and each begins where a tree of its size may stand."""
    found = list(spans(Position(start), Position(start + count)))
    assert [begin for begin, _ in found] == [start, *(end for _, end in found[:-1])][: len(found)]
    assert (found[-1][1] if found else start) == start + count
    for begin, end in found:
        assert 0 < end - begin <= STRETCH
        tree = Frontier(begin, [bytes(32)] * begin.bit_count())
        tree.merge(Frontier(end - begin, [bytes(32)] * (end - begin).bit_count()))


def test_a_ledger_in_which_nothing_is_right_is_told_of_in_bounds() -> None:
    """Neighbours that are wrong in one way are one entry, and there is a most of entries."""
    found = Tamperings()
    for position in range(1, 5000):
        found.add(Tampering.at(Kind.COLUMN_ALTERED, position, "wrong"))
    assert [(one.position, one.last_position) for one in found.all()] == [(1, 4999)]
    for position in range(6000, 6000 + 4 * Tamperings.MOST, 2):
        found.add(Tampering.at(Kind.COLUMN_ALTERED, position, "wrong"))
    assert len(found.all()) == Tamperings.MOST
    assert found.left_out == Tamperings.MOST + 1


@pytest.mark.parametrize(
    "record", [b"", b"[]", b"{}", b"null", b"\xff", b'{"ledger":"default"}', b"[" * 100_000, b'{"entity":7}']
)
def test_a_record_that_is_none_is_unreadable(record: bytes) -> None:
    """Whatever it is; its hashes may be right all the same."""
    row = (*ROWS[0][:6], record, *ROWS[0][7:])
    assert not agrees(DEFAULT_LEDGER, row)
    found = fault(DEFAULT_LEDGER, row)
    assert found is not None
    assert found[0] is Kind.UNREADABLE


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.replace(b'{"activity"', b'{ "activity"', 1),
        lambda record: record[:-1] + b',"type":"' + ROWS[0][4].encode() + b'"}',
        lambda record: record + b"\n",
    ],
)
def test_a_record_in_another_form_is_not_canonical(change: Any) -> None:
    """White space, or a member twice, which readers of JSON take in different ways."""
    row = (*ROWS[0][:6], change(ROWS[0][6]), *ROWS[0][7:])
    assert not agrees(DEFAULT_LEDGER, row)
    found = fault(DEFAULT_LEDGER, row)
    assert found is not None
    assert found[0] is Kind.NOT_CANONICAL


def test_a_good_row_has_no_fault() -> None:
    """The quick answer and the one with words are of one mind."""
    for row in ROWS:
        assert agrees(DEFAULT_LEDGER, row)
        assert fault(DEFAULT_LEDGER, row) is None
        assert not agrees(Ledger("other"), row)
        assert fault(Ledger("other"), row) == (Kind.FOREIGN, "the event was recorded in the ledger 'default'")


def test_what_follows_a_trusted_part_is_compared_with_checkpoints_too() -> None:
    """The tree of the trusted part comes from its hashes."""
    prefix = PrefixCheck(DEFAULT_LEDGER)
    prefix.take([(row[0], row[5], row[8], row[9]) for row in ROWS[:17]])
    trusted = prefix.trusted(KEPT[3])
    assert isinstance(trusted, Trusted)
    check = LedgerCheck(DEFAULT_LEDGER, Extent(HEAD, HEAD.position), KEPT, trusted)
    for start, end in spans(trusted.border.position, Position(COUNT)):
        border = Border(start, ROWS[start - 1][9], ROWS[start - 1][5])
        stretch = StretchCheck(DEFAULT_LEDGER, border, start, end, check.sizes)
        stretch.take(ROWS[start:end])
        check.join(stretch.result(), [])
    assert check.verdict().intact
    assert check.compared == 2
    wrong = replace(KEPT[3], checkpoint=replace(KEPT[3].checkpoint, root=bytes(32)))
    refused = prefix.trusted(wrong)
    assert isinstance(refused, Tampering)
    assert refused.kind is Kind.REWRITTEN


def test_a_time_that_does_not_go_on_is_found() -> None:
    """The chain and the record may be made to fit; the order of time is not then."""
    first, second = draft(), draft(entity={"type": "key", "id": "k"})
    head = Head.empty(DEFAULT_LEDGER)
    (earlier,) = link(head, [(first, 1)], NOW)
    head = Head(earlier.position, earlier.chain_hash, None)
    (later,) = link(head, [(second, 1)], NOW - timedelta(hours=1))
    check = StretchCheck(DEFAULT_LEDGER, Border.beginning(DEFAULT_LEDGER), Position(0), Position(2))
    check.take([row_of(earlier), row_of(later)])
    assert [(one.kind, one.position) for one in check.result().tampering] == [(Kind.TIME_ORDER, 2)]
