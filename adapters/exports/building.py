"""What a process that builds exports does first; imported there, so it imports little."""

import gc
import os

from adapters.exports.xlsx.frame import opening
from domain.exported import EVENT_COLUMNS

_POLITELY = 19
"""The builders take what others leave: they are the ones that could keep all cores busy for minutes."""


def prepare() -> None:
    """Whoever waits for a page of a query comes first on the processor."""
    opening(EVENT_COLUMNS)
    os.nice(_POLITELY)
    gc.freeze()
