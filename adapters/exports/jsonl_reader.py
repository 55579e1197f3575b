"""JSON Lines of ours, read to be checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.exports.proof_texts import ProofTexts
from adapters.exports.told import Facts
from adapters.exports.xlsx.reader import Unreadable
from domain import canonical
from domain.errors import InvalidJson
from domain.export_check import ExportedRow, Fault
from domain.values import JsonObject, JsonValue

_EVENT = "event"


@dataclass(frozen=True, slots=True)
class _ShownEvent:
    event: JsonValue

    def differences(self, facts: JsonObject) -> Iterator[tuple[str, str]]:
        if not isinstance(self.event, dict):
            yield _EVENT, "is no object"
            return
        for name in sorted({*facts, *self.event}):
            found, expected = (canonical.encode(one.get(name)) for one in (self.event, facts))
            if found != expected or (name in facts) != (name in self.event):
                yield f"{_EVENT}.{name}", f"says {_short(found)}, and the record says {_short(expected)}"


class JsonLinesFile:
    """The rows and the proof of one file. It is read twice, since the proof stands at its end."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def proof_texts(self) -> ProofTexts:
        """Raises Unreadable, and InvalidNote."""
        texts = ProofTexts()
        for number, line in self._lines():
            if line.startswith(b'{"event"'):
                continue
            for name, value in _decoded(number, line).items():
                if name == "nodes" and isinstance(value, list):
                    for text in value:
                        texts.add("node", str(text))
                elif isinstance(value, str):
                    texts.add(name, value)
        if not texts.manifest_note:
            raise Unreadable("the file has no line with a manifest: it is none of ours, or its end is missing")
        return texts

    def rows(self) -> Iterator[ExportedRow]:
        """Raises Unreadable."""
        for number, line in self._lines():
            if line.startswith((b'{"export"', b'{"positions"', b'{"fingerprints"', b'{"nodes"', b'{"checkpoint"')):
                continue
            yield _row(number, _decoded(number, line))

    def check_sheets_for_people(self, facts: Facts) -> Iterator[Fault]:
        """Compare the first line with the manifest."""
        number, line = next(self._lines())
        head: Any = _decoded(number, line).get("export")
        manifest = facts.manifest
        for name, value in head.items() if isinstance(head, dict) else ():
            if getattr(manifest, name, None) != value:
                yield Fault("line 1", f"export.{name}", "is not what the manifest says")

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line


def _decoded(number: int, line: bytes) -> JsonObject:
    try:
        return canonical.decode_object(line)
    except InvalidJson as error:
        raise Unreadable(f"line {number} is no JSON object: {error}") from error


def _row(number: int, line: JsonObject) -> ExportedRow:
    record, personal, leaf, chain = (
        value if isinstance(value := line.get(name), str) else None
        for name in ("record", "personal", "leaf_hash", "chain_hash")
    )
    return ExportedRow(f"line {number}", record, personal, leaf, chain, _ShownEvent(line.get(_EVENT)))


def _short(value: bytes) -> str:
    text = value.decode(errors="replace")
    return text if len(text) <= 100 else f"{text[:100]}..."
