"""The exported files that the browser's verifier is tested with are judged by ours as they say."""

import json
from typing import Any

import pytest

from adapters.exports.for_the_page import render
from tests.export_cases import FILE, cases, file_of, verdict

CASES = json.loads(FILE.read_text())
COLUMNS = FILE.parents[2] / "adapters" / "page" / "src" / "verify" / "columns.json"


def test_the_file_is_in_step() -> None:
    """`python -m tests.export_cases` writes it."""
    assert cases() == CASES


def test_the_page_has_our_columns() -> None:
    """`make docs` writes them."""
    assert COLUMNS.read_text() == render()


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: f"{case['base']}, {case['name']}")
def test_it_is_judged_as_it_says(case: Any) -> None:
    said = verdict(file_of(CASES["bases"][case["base"]], case["changes"]), case["key"])
    assert {name: case[name] for name in said} == said
