"""What a format must do."""

from collections.abc import AsyncIterator
from typing import Protocol

from adapters.exports.built import Built
from adapters.exports.proving import ProofParts
from adapters.exports.tally import Tally
from adapters.exports.told import Facts
from adapters.processes import WorkProcess
from domain.evidence_page import EvidencePage


class ExportFile(Protocol):
    """One file of a format, written from its beginning to its end. Raises ProcessDied."""

    async def begin(self) -> bytes:
        """What can be given before any row is known."""

    async def built(self, builder: WorkProcess, page: EvidencePage) -> Built:
        """What a page becomes; pages may be built in any order."""

    async def add(self, page: EvidencePage, built: Built, tally: Tally) -> bytes:
        """The next page, which is added to the tally."""

    def end(self, facts: Facts, proof: ProofParts) -> AsyncIterator[bytes]:
        """What follows the last row."""
