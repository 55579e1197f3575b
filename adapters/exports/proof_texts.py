"""What stands in an exported file to check it with, as it is read."""

from dataclasses import dataclass, field

from domain.export_check import Proof
from domain.manifest import decode_bytes


@dataclass
class ProofTexts:
    """Collects parts in the order of the file."""

    manifest_note: str = ""
    checkpoint_note: str = ""
    verifier_key: str = ""
    positions: list[str] = field(default_factory=list)
    fingerprints: bytearray = field(default_factory=bytearray)
    nodes: list[bytes] = field(default_factory=list)

    def add(self, part: str, text: str) -> None:
        """Take a part; of a name that is unknown nothing. Raises InvalidNote for what is not base64."""
        if part == "manifest":
            self.manifest_note = text
        elif part == "checkpoint":
            self.checkpoint_note = text
        elif part == "key":
            self.verifier_key = text
        elif part == "positions":
            self.positions.append(text)
        elif part == "fingerprints":
            self.fingerprints += decode_bytes(text)
        elif part == "node":
            self.nodes.append(decode_bytes(text))

    def proof(self) -> Proof:
        return Proof(",".join(text for text in self.positions if text), bytes(self.fingerprints), self.nodes)
