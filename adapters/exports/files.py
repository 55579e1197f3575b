"""What a format must do."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from adapters.exports.proving import ProofParts
from adapters.exports.tally import Tally
from adapters.exports.told import Facts
from domain.exported import Evidence


class ExportFile(Protocol):
    """One file of a format, written from its beginning to its end. Raises ProcessDied."""

    async def begin(self) -> bytes:
        """What can be given before any row is known."""

    async def page(self, rows: Sequence[Evidence], tally: Tally) -> bytes:
        """The next rows, which are added to the tally."""

    def end(self, facts: Facts, proof: ProofParts) -> AsyncIterator[bytes]:
        """What follows the last row."""
