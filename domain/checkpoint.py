"""Checkpoints: what a tree was at a size, in C2SP tlog-checkpoint's words (https://c2sp.org/tlog-checkpoint)."""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.merkle import HASH_BYTES
from domain.signed_note import InvalidNote, SignedNote, VerifierKey
from domain.values import JsonObject, rfc3339
from domain.words import Ledger, Position

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The root of the tree of a log at a size."""

    origin: str
    size: int
    """How many leaves the tree has: the position of the last event that it covers."""
    root: bytes
    extensions: tuple[str, ...] = ()
    """Further lines, of which ours has none."""

    @property
    def text(self) -> str:
        """What is signed."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """The inverse of `text`. Raises InvalidNote with what is wrong."""
        if not text.endswith("\n"):
            raise InvalidNote("the checkpoint's last line does not end with a newline")
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < 3 or not all(lines):
            raise InvalidNote("a checkpoint has at least three lines, none of them empty: origin, size and root")
        origin, size, root, *extensions = lines
        if not _SIZE.fullmatch(size) or int(size) >= 2**63:
            raise InvalidNote(f"the checkpoint's size {size[:40]!r} is no decimal number without leading zeroes")
        return cls(origin, int(size), _root(root), tuple(extensions))


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as it was signed."""

    size: int
    note: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class UsedKey:
    """A public key, with the time of the first and the last checkpoint that it signed; None if it has signed none."""

    key: VerifierKey
    first_used_at: datetime | None
    last_used_at: datetime | None

    def as_json(self, *, current: bool) -> JsonObject:
        """As it is published."""
        return {
            "name": self.key.name,
            "key_id": self.key.key_id.hex(),
            "algorithm": "Ed25519",
            "public_key": self.key.public_key.hex(),
            "verifier_key": str(self.key),
            "first_used_at": rfc3339(self.first_used_at) if self.first_used_at else None,
            "last_used_at": rfc3339(self.last_used_at) if self.last_used_at else None,
            "current": current,
        }


@dataclass(frozen=True, slots=True)
class TreeStanding:
    """How far a ledger's tree is built."""

    ledger: Ledger
    head: Position
    """The last event recorded."""
    size: int
    """How many events are in the tree."""


def origin_of(service_name: str, ledger: Ledger) -> str:
    """The name of a ledger's checkpoints, and of the keys that sign them."""
    return f"{service_name}/{ledger}"


def open_checkpoint(note: bytes | str, keys: Iterable[VerifierKey]) -> tuple[Checkpoint, VerifierKey]:
    """The checkpoint of a note, and the key that has signed it for its origin.

    Raises InvalidNote if it is malformed or not signed as it says, or not by a key of the name of its origin, and
    UnknownNoteKey if no key known has signed it.
    """
    signed = SignedNote.parse(note)
    good = signed.verify(keys)
    checkpoint = Checkpoint.parse(signed.text)
    for key in good:
        if key.name == checkpoint.origin:
            return checkpoint, key
    raise InvalidNote(f"the checkpoint is one of {checkpoint.origin[:200]!r}, but signed by {good[0].name!r}")


def _root(text: str) -> bytes:
    try:
        root = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        root = b""
    if len(root) != HASH_BYTES or b64encode(root).decode() != text:
        raise InvalidNote(f"the checkpoint's root {text[:80]!r} is not the base64 of {HASH_BYTES} bytes")
    return root
