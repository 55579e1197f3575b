"""Checkpoints and signed notes, to the letter of C2SP's specifications."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from domain.checkpoint import Checkpoint, open_checkpoint, origin_of
from domain.errors import AuditError
from domain.merkle import EMPTY_ROOT, ProofError, inclusion_nodes, verify_inclusion
from domain.signed_note import InvalidNote, InvalidVerifierKey, NoteSignature, SignedNote, UnknownNoteKey, VerifierKey
from domain.words import Ledger
from tests.unit.test_merkle import LEAVES, hashes, root

# Of the specification: https://c2sp.org/signed-note, section "Example".
THEIR_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
THEIR_NOTE = """This is an example message.

\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
ORIGIN = "certinext-audit/default"
KEY = VerifierKey(ORIGIN, PRIVATE.public_key().public_bytes_raw())
SIGNATURE = b64encode(KEY.key_id + PRIVATE.sign(b"text\n")).decode()


def signed(text: str, name: str = ORIGIN) -> str:
    key = VerifierKey(name, KEY.public_key)
    return str(SignedNote(text, (NoteSignature(name, key.key_id, PRIVATE.sign(text.encode())),)))


def test_the_example_of_the_specification_holds() -> None:
    key = VerifierKey.parse(THEIR_KEY)
    note = SignedNote.parse(THEIR_NOTE)
    assert note.text == "This is an example message.\n"
    assert note.verify([KEY, key]) == [key]
    assert (str(key), str(note)) == (THEIR_KEY, THEIR_NOTE)
    assert SignedNote.parse(THEIR_NOTE.encode()) == note


def test_a_checkpoint_is_three_lines() -> None:
    """Origin, size in decimal, root in base64."""
    checkpoint = Checkpoint(origin_of("certinext-audit", Ledger("default")), 0, EMPTY_ROOT)
    assert checkpoint.text == "certinext-audit/default\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert open_checkpoint(signed(checkpoint.text), [KEY]) == (checkpoint, KEY)


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(st.sampled_from(["x", "a b", "—"])))
def test_a_checkpoint_is_read_as_it_was_written(size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root, tuple(extensions))
    assert Checkpoint.parse(checkpoint.text) == checkpoint


@given(st.data())
def test_no_bit_of_a_proof_with_its_checkpoint_may_change(data: st.DataObject) -> None:
    """Of no byte of the note, its size and its root among them: the signature binds them to each other."""
    size = data.draw(st.integers(1, 1000))
    index = data.draw(st.integers(0, size - 1))
    path = hashes(inclusion_nodes(index, size), size)
    note = signed(Checkpoint(ORIGIN, size, root(size)).text).encode()

    def verify(note: bytes) -> None:
        checkpoint, _ = open_checkpoint(note, [KEY])
        verify_inclusion(LEAVES[index], index, checkpoint.size, path, checkpoint.root)

    verify(note)
    bit = data.draw(st.integers(0, 7))
    for at in range(len(note)):
        with pytest.raises(AuditError):
            verify(note[:at] + bytes([note[at] ^ 1 << bit]) + note[at + 1 :])
    with pytest.raises(ProofError):
        verify(signed(Checkpoint(ORIGIN, size, root(size + 1)).text).encode())


def test_signatures_of_unknown_keys_are_ignored() -> None:
    """Also of those that share the name or the id, but not both, with a known one."""
    good = SignedNote.parse(signed("text\n"))
    (signature,) = good.signatures
    others = (
        NoteSignature("witness.example", b"\0\1\2\3", b"x" * 76),
        NoteSignature("witness.example", KEY.key_id, signature.signature),
        NoteSignature(ORIGIN, b"\0\0\0\0", signature.signature),
    )
    assert SignedNote(good.text, (*others, signature)).verify([KEY]) == [KEY]
    with pytest.raises(UnknownNoteKey, match=r"witness\.example \(key id 00010203\).* none of these keys is known"):
        SignedNote(good.text, others).verify([KEY])
    with pytest.raises(UnknownNoteKey):
        good.verify([])


def test_a_signature_of_a_known_key_that_does_not_hold_spoils_the_note() -> None:
    """Whatever other good signatures there are."""
    other = VerifierKey("other.example", KEY.public_key)
    good = SignedNote.parse(signed("text\n"))
    bad = NoteSignature(other.name, other.key_id, PRIVATE.sign(b"another text\n"))
    for signatures in ((*good.signatures, bad), (bad, *good.signatures)):
        with pytest.raises(InvalidNote, match=r"signature of other\.example.* does not hold"):
            SignedNote(good.text, signatures).verify([KEY, other])


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        (b"text\n\n\xff", "not in UTF-8"),
        ("te\ud800xt\n", "not in UTF-8"),
        ("te\txt\n\n", r"control character U\+0009"),
        ("te\rxt\n\n", r"control character U\+000D"),
        ("text\n", "no blank line"),
        ("", "no blank line"),
        ("text\n\n", "no signature"),
        (f"text\n\n\u2014 {ORIGIN} {SIGNATURE}", "does not end with a newline"),
        (f"text\n\n- {ORIGIN} {SIGNATURE}\n", "is no signature"),
        (f"text\n\n\u2014 {ORIGIN}\n", "is not the base64 of a key id"),
        (f"text\n\n\u2014 {ORIGIN} {SIGNATURE} \n", "is not the base64"),
        (f"text\n\n\u2014  {SIGNATURE}\n", "is no signature"),
        (f"text\n\n\u2014 a+b {SIGNATURE}\n", "is no signature"),
        (f"text\n\n\u2014 a\u00a0b {SIGNATURE}\n", "is no signature"),
        (f"text\n\n\u2014 {ORIGIN} AAAA\n", "is not the base64 of a key id"),
        (f"text\n\n\u2014 {ORIGIN} AAAAAAB=\n", "is not the base64 of a key id"),
        (f"text\n\n\u2014 {ORIGIN} {SIGNATURE}\n" + f"\u2014 x {SIGNATURE}\n" * 100, "more than 100"),
    ],
)
def test_what_is_no_note_is_told(note: bytes | str, reason: str) -> None:
    with pytest.raises(InvalidNote, match=reason):
        SignedNote.parse(note)


def test_empty_lines_belong_to_the_text_up_to_the_last() -> None:
    note = signed("one\n\ntwo\n\n\n")
    assert SignedNote.parse(note).text == "one\n\ntwo\n\n\n"
    assert SignedNote.parse(note).verify([KEY]) == [KEY]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not end with a newline"),
        (f"{ORIGIN}\n5\n", "at least three lines"),
        (f"\n5\n{b64encode(EMPTY_ROOT).decode()}\n", "none of them empty"),
        (f"{ORIGIN}\n5\n{b64encode(EMPTY_ROOT).decode()}\n\n", "none of them empty"),
        (f"{ORIGIN}\n05\n{b64encode(EMPTY_ROOT).decode()}\n", "size '05'"),
        (f"{ORIGIN}\n-5\n{b64encode(EMPTY_ROOT).decode()}\n", "size '-5'"),
        (f"{ORIGIN}\n\u0665\n{b64encode(EMPTY_ROOT).decode()}\n", "size"),
        (f"{ORIGIN}\n{2**63}\n{b64encode(EMPTY_ROOT).decode()}\n", "size"),
        (f"{ORIGIN}\n5\n{EMPTY_ROOT.hex()}\n", "root"),
        (f"{ORIGIN}\n5\n{b64encode(EMPTY_ROOT[:31]).decode()}\n", "root"),
        (f"{ORIGIN}\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n", "root"),
    ],
)
def test_what_is_no_checkpoint_is_told(text: str, reason: str) -> None:
    with pytest.raises(InvalidNote, match=reason):
        Checkpoint.parse(text)


def test_a_checkpoint_of_another_ledger_is_refused() -> None:
    """Though it is signed with the same key: the key of another name."""
    note = signed(Checkpoint("certinext-audit/other", 0, EMPTY_ROOT).text, "certinext-audit/other")
    with pytest.raises(UnknownNoteKey, match="certinext-audit/other"):
        open_checkpoint(note, [KEY])
    lent = signed(Checkpoint("certinext-audit/other", 0, EMPTY_ROOT).text)
    with pytest.raises(InvalidNote, match="one of 'certinext-audit/other', but signed by 'certinext-audit/default'"):
        open_checkpoint(lent, [KEY])


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "does not begin with a key's name"),
        (str(KEY).replace(ORIGIN, ""), "does not begin with a key's name"),
        (str(KEY).replace(ORIGIN, "a b"), "does not begin with a key's name"),
        (ORIGIN, "key id ''"),
        (str(KEY).replace(KEY.key_id.hex(), "530D903A"), "key id '530D903A'"),
        (str(KEY).replace(KEY.key_id.hex(), "530d903a"), f"is {KEY.key_id.hex()}, not 530d903a"),
        (str(KEY)[:-4], "an Ed25519 key"),
        (str(KEY).replace("+Ae", "+Au"), "an Ed25519 key"),
        (str(KEY).replace(ORIGIN, "other"), "not"),
    ],
)
def test_what_is_no_verifier_key_is_told(key: str, reason: str) -> None:
    with pytest.raises(InvalidVerifierKey, match=reason):
        VerifierKey.parse(key)


def test_the_private_key_of_any_point_is_told_apart() -> None:
    """32 bytes that are no point of the curve verify nothing."""
    broken = VerifierKey(ORIGIN, b"\xff" * 32)
    assert VerifierKey.parse(str(broken)) == broken
    assert not broken.verifies(PRIVATE.sign(b"text\n"), "text\n")
