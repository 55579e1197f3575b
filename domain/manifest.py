"""The manifest of an exported file: what is in it, signed by the service.

Its text is two lines: the origin `<service>/<ledger>/export`, and one JSON object. It is signed as a note
(C2SP signed-note) by the key that signs the ledger's checkpoints, under the name of the origin.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from domain import canonical
from domain.activity import Wording
from domain.exported import Words
from domain.signed_note import InvalidNote, SignedNote, VerifierKey
from domain.values import LARGEST_INTEGER, JsonObject, JsonValue, Sha256
from domain.words import ExportFormat, Ledger, Order

VERSION = 1
_SUFFIX = "/export"

_Count = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an exported file holds. Digests are SHA-256 in hexadecimal."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")

    version: int = VERSION
    export_id: str
    ledger: Ledger
    format: Annotated[ExportFormat, Field(strict=False)]
    made_at: str
    asked_by: dict[str, str]
    filters: dict[str, JsonValue]
    only_actor: str | None
    order: Annotated[Order, Field(strict=False)]
    position: _Count
    """Every event up to this position that fits the filters is in the file, and none behind it."""
    set_aside: _Count
    """How many events up to there could not be understood, and may be missing."""
    checkpoint_size: _Count
    checkpoint_root: Sha256
    rows: _Count
    leaves_sha256: Sha256
    """Of the leaf hashes, in the order of the rows."""
    rows_sha256: Sha256
    """Of the row hashes (see `row_hash`), in the order of the rows."""
    fingerprints_sha256: Sha256
    """Of the first eight bytes of each row hash, in the order of the rows."""
    positions_sha256: Sha256
    """Of the text that lists the positions, ascending."""
    words: dict[str, Annotated[tuple[str, str], Field(strict=False)]]
    """For each type of event in the file its command and its phrase: descriptions are told in these words."""

    @property
    def wording(self) -> Words:
        return {kind: Wording(command, phrase) for kind, (command, phrase) in self.words.items()}

    def text(self, service: str) -> str:
        """What is signed."""
        data: JsonObject = asdict(self)
        return f"{origin(service, self.ledger)}\n{canonical.encode(data).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Manifest":
        """The inverse of `text`. Raises InvalidNote with what is wrong."""
        lines = text.split("\n")
        if len(lines) != 3 or lines[2]:
            raise InvalidNote("the manifest is not of two lines: its origin and a JSON object")
        try:
            manifest = _MANIFEST.validate_json(lines[1])
        except ValidationError as error:
            raise InvalidNote(f"the manifest is not one of this version: {error}") from error
        if manifest.version != VERSION:
            raise InvalidNote(f"the manifest is of version {manifest.version}, and this program knows {VERSION}")
        if not lines[0].endswith(f"/{manifest.ledger}{_SUFFIX}"):
            raise InvalidNote(f"the manifest's origin {lines[0][:200]!r} is not that of the ledger {manifest.ledger}")
        return manifest


_MANIFEST = TypeAdapter(Manifest)


def origin(service: str, ledger: Ledger) -> str:
    return f"{service}/{ledger}{_SUFFIX}"


def key_for_exports(key: VerifierKey) -> VerifierKey:
    """The key of a ledger's checkpoints, under the name by which it signs exports."""
    return VerifierKey(key.name if key.name.endswith(_SUFFIX) else key.name + _SUFFIX, key.public_key)


def key_for_checkpoints(key: VerifierKey) -> VerifierKey:
    """The inverse."""
    return VerifierKey(key.name.removesuffix(_SUFFIX), key.public_key)


def open_manifest(note: str, keys: Iterable[VerifierKey]) -> tuple[Manifest, VerifierKey]:
    """The manifest of a note and the key that has signed it, of those known.

    Raises InvalidNote as `open_checkpoint` does.
    """
    signed = SignedNote.parse(note)
    good = signed.verify(keys)
    named = signed.text.split("\n", 1)[0]
    for key in good:
        if key.name == named:
            return Manifest.parse(signed.text), key
    raise InvalidNote(f"the manifest is one of {named[:200]!r}, but signed by {good[0].name!r}")


def words_of(wording: Mapping[str, Wording], kinds: Iterable[str]) -> dict[str, tuple[str, str]]:
    return {kind: (wording[kind].command, wording[kind].phrase) for kind in sorted(kinds)}


def encode_bytes(data: bytes) -> str:
    return b64encode(data).decode()


def decode_bytes(text: str) -> bytes:
    """The inverse. Raises InvalidNote."""
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise InvalidNote(f"{text[:60]!r} is not base64") from None
