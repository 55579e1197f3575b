"""What we make is verified by an implementation that shares no code with ours: `tlog-scales`, for C2SP's logs."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.signing import PlainEd25519Signer, Vkey
from tlog_scales.tlog import Checkpoint as TheirCheckpoint
from tlog_scales.tlog import ConsistencyProof, InclusionProof, InclusionProofInvalid

from domain.checkpoint import Checkpoint, open_checkpoint
from domain.merkle import consistency_path, inclusion_path, root_hash
from domain.signed_note import NoteSignature, SignedNote, VerifierKey
from tests.unit.test_merkle import LEAVES

ORIGIN = "certinext-audit/default"


@given(st.data())
def test_they_verify_our_proofs(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    leaves = LEAVES[:size]
    proof = InclusionProof(index, size, inclusion_path(leaves, index))
    proof.check(leaves[index], root_hash(leaves))
    with pytest.raises(InclusionProofInvalid):
        proof.check(LEAVES[size], root_hash(leaves))
    ConsistencyProof(first, size, consistency_path(leaves, first)).check(root_hash(leaves[:first]), root_hash(leaves))


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**40), st.binary(min_size=32, max_size=32))
def test_they_verify_our_notes_and_we_theirs(seed: bytes, size: int, root: bytes) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key = VerifierKey(ORIGIN, private.public_key().public_bytes_raw())
    checkpoint = Checkpoint(ORIGIN, size, root)
    ours = str(
        SignedNote(checkpoint.text, (NoteSignature(ORIGIN, key.key_id, private.sign(checkpoint.text.encode())),))
    )
    opened = TheirCheckpoint.from_text(ours)
    opened.verify(Vkey.from_string(str(key)))
    assert (opened.origin, opened.size, opened.root_hash) == (ORIGIN, size, root)
    theirs = TheirCheckpoint.make_signed(ORIGIN, size, root, [PlainEd25519Signer(ORIGIN, private)]).serialize()
    assert theirs == ours
    assert open_checkpoint(theirs, [key]) == (checkpoint, key)
