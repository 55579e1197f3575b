"""Going on from a checkpoint that is trusted: the stored hashes up to it are checked, and the records are not.

The leaf hashes give the checkpoint's root, so they are those that it was signed for; from them the chain follows.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeAlias

from domain.chain import genesis
from domain.frontier import Frontier
from domain.stretch import Border
from domain.tampering import Tampering, TamperingKind
from domain.verification import KeptCheckpoint, Trusted, rewritten
from domain.words import Ledger, Position

HashRow: TypeAlias = tuple[int, datetime, bytes, bytes]
"""position, recorded_at, leaf_hash, chain_hash."""


class PrefixCheck:
    """Takes the hashes of the events from the first on, in their order; memory is constant."""

    def __init__(self, ledger: Ledger) -> None:
        self._chain = genesis(ledger)
        self._tree = Frontier()
        self._time: datetime | None = None
        self._wrong: Tampering | None = None

    def take(self, rows: Sequence[HashRow]) -> None:
        """What follows something wrong is not looked at any more."""
        if self._wrong is None:
            self._tree.extend(self._good(rows))

    def trusted(self, kept: KeptCheckpoint) -> Trusted | Tampering:
        """What the checkpoint vouches for, or why it does not."""
        if self._wrong is not None:
            return self._wrong
        if self._tree.size < kept.size:
            message = f"the checkpoint of size {kept.size} in {kept.where} covers events that are not there"
            return Tampering.at(TamperingKind.TAIL_CUT, self._tree.size + 1, message, kept.size)
        if self._tree.root() != kept.checkpoint.root:
            return rewritten(1, kept)
        return Trusted(Border(Position(kept.size), self._chain, self._time), self._tree)

    def _good(self, rows: Iterable[HashRow]) -> Iterable[bytes]:
        chain, digest, position = self._chain, sha256, self._tree.size
        leaves = []
        for found, time, leaf, stored in rows:
            position += 1
            chain = digest(b"\x02" + chain + leaf).digest()
            if found != position:
                self._wrong = Tampering.at(
                    TamperingKind.MISSING, position, "the event is missing", max(found - 1, position)
                )
                break
            if chain != stored:
                message = "the chain hash does not follow from the leaf hashes up to here"
                self._wrong = Tampering.at(TamperingKind.CHAIN_BROKEN, position, message)
                break
            leaves.append(leaf)
            self._time = time
        self._chain = chain
        return leaves
