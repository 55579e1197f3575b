"""What a process that builds exports does first; imported there, so it imports little."""

import gc

from adapters.exports.xlsx.frame import opening
from adapters.processes.politeness import step_back
from domain.exported import EVENT_COLUMNS


def prepare() -> None:
    """Whoever waits for a page of a query comes first: the builders could keep all processors busy for minutes."""
    opening(EVENT_COLUMNS)
    step_back()
    gc.freeze()
