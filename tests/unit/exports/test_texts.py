"""Any text survives a cell."""

from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.exports.xlsx.texts import CELL_UNITS, escape, pieces, unescape

any_text = st.text(st.characters(exclude_categories=[]), max_size=50)
"""Control characters, lone surrogates and what is no character among it."""


@given(any_text)
@example("_x0041_ _x005F_ _x_ _xD800_")
@example("\x00\x0b\r\n\t\ud800\udfff\ufffe\uffff&<>\"'")
@example("=1+1")
@example("\u202e\u2066 \N{FAMILY} 007")
def test_a_text_comes_back_from_xml(text: str) -> None:
    """What XML cannot hold is escaped, and what looks like an escape is, too."""
    xml = f'<t xml:space="preserve">{escape(text)}</t>'
    found = ElementTree.fromstring(xml.encode()).text or ""
    assert unescape(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * CELL_UNITS,
        "x" * (CELL_UNITS + 1),
        "x" * (CELL_UNITS - 1) + "\U0001f600" + "y",
        "\U0001f600" * CELL_UNITS,
        "x" + "\U0001f600" * CELL_UNITS,
        "é" * (3 * CELL_UNITS),
    ],
)
def test_a_long_text_is_continued_and_no_character_is_torn(text: str) -> None:
    """Each part fits into a cell, which counts UTF-16 units."""
    parts = pieces(text)
    assert "".join(parts) == text
    assert all(len(part.encode("utf-16-le")) // 2 <= CELL_UNITS for part in parts)
    assert len(parts) <= len(text.encode("utf-16-le")) // 2 // (CELL_UNITS - 1) + 1
