"""Rows that cross from process to process as a few long texts are the same on the other side."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from domain.evidence_page import EvidencePage
from domain.exported import Evidence

HASH = st.binary(min_size=32, max_size=32)
ROWS = st.lists(
    st.builds(Evidence, st.integers(1, 2**53), st.binary(max_size=50), st.none() | st.binary(max_size=9), HASH, HASH)
)


@given(ROWS)
def test_a_page_holds_its_rows(rows: list[Evidence]) -> None:
    """Whatever bytes they have; missing personal data are not empty ones."""
    page = pickle.loads(pickle.dumps(EvidencePage.of(rows)))
    assert list(page.rows()) == rows
    assert page.size == len(rows)
    assert list(page.numbers()) == [row.position for row in rows]


@given(ROWS, st.integers(0, 20))
def test_a_page_is_split_where_a_sheet_ends(rows: list[Evidence], count: int) -> None:
    """Both parts are pages, and nothing is lost between them."""
    first, second = EvidencePage.of(rows).split(count)
    assert [list(first.rows()), list(second.rows())] == [rows[:count], rows[count:]]
