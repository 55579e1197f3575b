"""Cases for every verifier of ours: Python's and the browser's, which share no code.

`python -m tests.evidence_cases` writes them to `tests/cases/evidence.json`; a test holds the file in step.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain import personal
from domain.checkpoint import Checkpoint, origin_of
from domain.merkle import inclusion_path, leaf_hash, root_hash
from domain.signed_note import NoteSignature, SignedNote, VerifierKey
from domain.words import Ledger

FILE = Path(__file__).parent / "cases" / "evidence.json"

_TEXTS = ("", "a", '{"activity":"certificate.revoked","position":1}', "Jörg Šimůnek 🔐", "x" * 3000)
_PLACES = ((0, 1), (0, 2), (1, 2), (2, 3), (4, 7), (6, 7), (7, 8), (130, 300), (299, 300))


def cases() -> dict[str, Any]:
    leaves = [leaf_hash(str(number).encode()) for number in range(300)]
    return {
        "leaves": [{"data": text, "hash": leaf_hash(text.encode()).hex()} for text in _TEXTS],
        "personal": [{"data": text, "digest": personal.digest(text.encode()).hex()} for text in _TEXTS],
        "inclusion": [case for index, size in _PLACES for case in _inclusion(leaves[:size], index)],
        "checkpoints": list(_checkpoints(leaves)),
        "bad_keys": ["", "name", "name+00000000+AAAA", str(_key("a/b")).replace("+", "+0", 1), f"{_key('a/b')}="],
    }


def _inclusion(leaves: list[bytes], index: int) -> list[dict[str, Any]]:
    path = [hash_.hex() for hash_ in inclusion_path(leaves, index)]
    good: dict[str, Any] = {
        "leaf": leaves[index].hex(),
        "index": index,
        "size": len(leaves),
        "path": path,
        "root": root_hash(leaves).hex(),
        "holds": True,
    }
    spoiled: dict[str, dict[str, Any]] = {
        "another leaf": {"leaf": sha256(b"other").hexdigest()},
        "another root": {"root": sha256(b"other").hexdigest()},
        "a hash too many": {"path": [*path, "00" * 32]},
        "no such leaf": {"index": len(leaves)},
        "a short hash": {"leaf": "00" * 31},
    }
    if path:
        spoiled["a hash too few"] = {"path": path[:-1]}
    return [good, *(good | {"holds": False} | change for change in spoiled.values())]


def _checkpoints(leaves: list[bytes]) -> list[dict[str, Any]]:
    origin = origin_of("certinext-audit", Ledger("default"))
    text = Checkpoint(origin, len(leaves), root_hash(leaves)).text
    note = _signed(text, origin)
    other = str(SignedNote(text, (NoteSignature("witness.example", b"\1\2\3\4", b"\5" * 64),)))
    good = {"note": note, "key": str(_key(origin)), "origin": origin, "size": len(leaves)}
    bad = (
        note.replace("\n300\n", "\n301\n"),
        note.replace("\n300\n", "\n0300\n"),
        note.removesuffix("\n"),
        note.replace("\n\n", "\n"),
        note.replace("\u2014", "-"),
        other,
        _signed(text, "certinext-audit/other"),
        _signed(Checkpoint(origin, 300, b"\0" * 31).text, origin),
        "",
    )
    with_witness = note + other.rpartition("\n\n")[2]
    return [good, good | {"note": with_witness}, *(good | {"note": spoiled, "origin": None} for spoiled in bad)]


def _signed(text: str, name: str) -> str:
    signature = _private().sign(text.encode())
    return str(SignedNote(text, (NoteSignature(name, _key(name).key_id, signature),)))


def _private() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(b"a key of these cases only").digest())


def _key(name: str) -> VerifierKey:
    return VerifierKey(name, _private().public_key().public_bytes_raw())


if __name__ == "__main__":
    FILE.write_text(json.dumps(cases(), indent=1, ensure_ascii=False) + "\n")
