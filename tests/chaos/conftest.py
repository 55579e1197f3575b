"""How long chaos lasts: `make chaos` takes minutes, `make test` a short walk through the same tests."""

import os
from collections.abc import Callable

import pytest

_FIGURES = pytest.StashKey[list[str]]()

FULL = 20
"""The rounds of `make chaos`."""


@pytest.fixture(scope="session")
def rounds() -> int:
    """How many times the server is killed; other tests take their size from it."""
    return int(os.environ.get("CHAOS_ROUNDS", "1"))


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes lines that are shown at the end of the run."""
    return request.config.stash.setdefault(_FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(_FIGURES, []):
        terminalreporter.write_line(line)
