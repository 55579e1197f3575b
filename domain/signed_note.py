"""Signed notes: a text and who signed it, to the letter of C2SP signed-note (https://c2sp.org/signed-note)."""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.errors import AuditError

_ED25519 = b"\x01"
_EM_DASH = "\u2014"
_MOST_SIGNATURES = 100
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEY_ID = re.compile(r"[0-9a-f]{8}")


class InvalidNote(AuditError):
    """A text that is no signed note, or one that is not signed as it says."""


class UnknownNoteKey(InvalidNote):
    """A note that nobody known has signed."""


class InvalidVerifierKey(AuditError):
    """A text that is no verifier key, or not one for Ed25519."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Who may sign notes: a name, and an Ed25519 public key of 32 bytes."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || newline || 0x01 || public key)."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self.public_key).decode()}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """The inverse of `str`. Raises InvalidVerifierKey with what is wrong."""
        name, key_id, encoded = (*text.split("+", 2), "", "")[:3]
        if not is_key_name(name):
            raise InvalidVerifierKey(f"{text[:200]!r} does not begin with a key's name, without spaces, and a plus")
        if not _KEY_ID.fullmatch(key_id):
            raise InvalidVerifierKey(f"the key id {key_id[:20]!r} is not of 8 hexadecimal digits in lower case")
        material = _strict_base64(encoded)
        if material is None or len(material) != 33 or material[:1] != _ED25519:
            raise InvalidVerifierKey("what follows the key id is not the base64 of 0x01 and 32 bytes: an Ed25519 key")
        key = cls(name, material[1:])
        if key.key_id.hex() != key_id:
            raise InvalidVerifierKey(f"the key id of this name and key is {key.key_id.hex()}, not {key_id}")
        return key

    def verifies(self, signature: bytes, text: str) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_EM_DASH} {self.name} {b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text, which ends with a newline, and its signatures, which are not verified yet."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    @classmethod
    def parse(cls, note: bytes | str) -> "SignedNote":
        """The inverse of `str`. Raises InvalidNote with what is wrong."""
        try:
            whole = note if isinstance(note, str) else note.decode()
            whole.encode()
        except UnicodeError:
            raise InvalidNote("the note is not in UTF-8") from None
        if found := _CONTROL.search(whole):
            raise InvalidNote(f"the note holds the control character U+{ord(found[0]):04X}")
        text, blank, lines = whole.rpartition("\n\n")
        if not blank:
            raise InvalidNote("the note has no blank line between its text and its signatures")
        if not lines:
            raise InvalidNote("the note has no signature")
        if not lines.endswith("\n"):
            raise InvalidNote("the note's last line does not end with a newline")
        signed = lines.removesuffix("\n").split("\n")
        if len(signed) > _MOST_SIGNATURES:
            raise InvalidNote(f"the note has {len(signed)} signatures, more than {_MOST_SIGNATURES}")
        return cls(text + "\n", tuple(map(_signature, signed)))

    def verify(self, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
        """The keys, of those known, that have signed: one at least. Signatures of unknown keys are ignored.

        Raises UnknownNoteKey if none of them has, and InvalidNote if a signature of one of them does not hold.
        """
        known = {(key.name, key.key_id): key for key in keys}
        good = []
        for signature in self.signatures:
            key = known.get((signature.name, signature.key_id))
            if key is None:
                continue
            if not key.verifies(signature.signature, self.text):
                raise InvalidNote(f"the signature of {key.name}, key id {key.key_id.hex()}, does not hold")
            good.append(key)
        if not good:
            signers = ", ".join(f"{one.name} (key id {one.key_id.hex()})" for one in self.signatures[:5])
            raise UnknownNoteKey(f"the note is signed by {signers[:500]}, and none of these keys is known")
        return good


def is_key_name(name: str) -> bool:
    """Not empty, and without Unicode spaces, plus and control characters."""
    return bool(name) and not any(letter.isspace() or letter == "+" or letter < " " for letter in name)


def _signature(line: str) -> NoteSignature:
    dash, name, encoded = (*line.split(" ", 2), "", "")[:3]
    if dash != _EM_DASH or not is_key_name(name):
        raise InvalidNote(f"the line {line[:100]!r} is no signature: an em dash, a key's name and base64, with spaces")
    signed = _strict_base64(encoded)
    if signed is None or len(signed) < 5:
        raise InvalidNote(f"the signature of {name[:100]!r} is not the base64 of a key id of 4 bytes and a signature")
    return NoteSignature(name, signed[:4], signed[4:])


def _strict_base64(text: str) -> bytes | None:
    """The bytes, if this is the one way to write them: others would let a signed note be changed unnoticed."""
    try:
        decoded = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return None
    return decoded if b64encode(decoded).decode() == text else None
