"""What is known of an export once all of its rows are written."""

from collections import Counter
from hashlib import sha256

from adapters.exports.built import Built
from domain.evidence_page import EvidencePage
from domain.positions import Positions


class Tally:
    """Takes pages in the order of the file, in a few bytes for each row."""

    def __init__(self) -> None:
        self.rows = 0
        self.positions = Positions()
        self.leaves = sha256()
        self.row_hashes = sha256()
        self.fingerprints = bytearray()
        self.kinds: Counter[str] = Counter()
        self.modules: Counter[tuple[str, str]] = Counter()
        self.users: Counter[tuple[str, str, str]] = Counter()
        self.days: Counter[tuple[str, str]] = Counter()

    def add(self, page: EvidencePage, built: Built) -> None:
        self.rows += page.size
        for position in page.numbers():
            self.positions.add(position)
        self.leaves.update(page.leaf_hashes)
        self.row_hashes.update(built.row_hashes)
        self.fingerprints += built.fingerprints
        self.kinds.update(built.counts.kinds)
        self.modules.update(built.counts.modules)
        self.users.update(built.counts.users)
        self.days.update(built.counts.days)
