"""The cases that the browser's verifier is tested with hold for this one, too."""

import json
from typing import Any

import pytest

from domain import personal
from domain.checkpoint import open_checkpoint
from domain.merkle import ProofError, leaf_hash, verify_inclusion
from domain.signed_note import InvalidNote, InvalidVerifierKey, VerifierKey
from tests.evidence_cases import FILE, cases

CASES = json.loads(FILE.read_text())


def test_the_file_is_in_step() -> None:
    assert cases() == CASES


@pytest.mark.parametrize("case", CASES["leaves"])
def test_a_leaf_hash(case: Any) -> None:
    assert leaf_hash(case["data"].encode()).hex() == case["hash"]


@pytest.mark.parametrize("case", CASES["personal"])
def test_a_personal_digest(case: Any) -> None:
    assert personal.digest(case["data"].encode()).hex() == case["digest"]


@pytest.mark.parametrize("case", CASES["inclusion"])
def test_an_inclusion_proof(case: Any) -> None:
    path = [bytes.fromhex(hash_) for hash_ in case["path"]]
    proof = bytes.fromhex(case["leaf"]), case["index"], case["size"], path, bytes.fromhex(case["root"])
    if case["holds"]:
        verify_inclusion(*proof)
    else:
        with pytest.raises(ProofError):
            verify_inclusion(*proof)


@pytest.mark.parametrize("case", CASES["checkpoints"])
def test_a_signed_checkpoint(case: Any) -> None:
    keys = [VerifierKey.parse(case["key"])]
    if case["origin"] is None:
        with pytest.raises(InvalidNote):
            open_checkpoint(case["note"], keys)
    else:
        checkpoint, _ = open_checkpoint(case["note"], keys)
        assert (checkpoint.origin, checkpoint.size) == (case["origin"], case["size"])


@pytest.mark.parametrize("text", CASES["bad_keys"])
def test_a_text_that_is_no_verifier_key(text: str) -> None:
    with pytest.raises(InvalidVerifierKey):
        VerifierKey.parse(text)
