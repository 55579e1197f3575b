"""JSON Lines: a line that says what follows, a line for each event, and lines that prove them."""

from collections.abc import AsyncIterator
from typing import Any

from adapters.exports.built import Built, build
from adapters.exports.proving import ProofParts
from adapters.exports.tally import Tally
from adapters.exports.told import Facts
from adapters.processes import WorkProcess
from domain import canonical
from domain.evidence_page import EvidencePage
from domain.exported import Evidence, Words
from domain.values import JsonObject


class JsonLines:
    """Written by one task."""

    def __init__(self, words: Words, head: JsonObject) -> None:
        self._words = words
        self._head = head

    async def begin(self) -> bytes:
        return line({"export": self._head})

    async def built(self, builder: WorkProcess, page: EvidencePage) -> Built:
        return await builder.call(event_lines, page, self._words)

    async def add(self, page: EvidencePage, built: Built, tally: Tally) -> bytes:
        tally.add(page, built)
        return built.data

    async def end(self, facts: Facts, proof: ProofParts) -> AsyncIterator[bytes]:
        del facts  # Machines read the manifest.
        for text in proof.positions:
            yield line({"positions": text})
        for text in proof.fingerprint_texts():
            yield line({"fingerprints": text})
        async for hashes in proof.nodes.texts():
            yield line({"nodes": hashes})
        yield line({"manifest": proof.manifest_note, "checkpoint": proof.checkpoint_note, "key": proof.verifier_key})


def line(value: Any) -> bytes:
    return canonical.encode(value) + b"\n"


def event_lines(page: EvidencePage, words: Words) -> Built:
    """Done in the process that builds."""
    text, built = build(page, words, _event_line)
    return built._replace(data=text.encode())


def _event_line(evidence: Evidence, facts: JsonObject) -> str:
    """The record and the personal data are texts: their bytes are hashed, and are never written anew."""
    personal = evidence.personal
    return line(
        {
            "event": facts,
            "record": evidence.record.decode(),
            "personal": None if personal is None else personal.decode(),
            "leaf_hash": evidence.leaf_hash.hex(),
            "chain_hash": evidence.chain_hash.hex(),
        }
    ).decode()
