"""What the service keeps of checkpoints outside the database is there a moment before the database knows of it."""

from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from application import kept_checkpoints
from application.kept_checkpoints import KeptCheckpoints
from domain.checkpoint import Checkpoint, UsedKey, origin_of
from domain.signed_note import NoteSignature, SignedNote, VerifierKey
from domain.words import DEFAULT_LEDGER, Ledger

_SERVICE = "certinext-audit"


class FirstCheckpoint:
    """A ledger whose first checkpoint is in the file, and whose key the database knows after so many looks."""

    def __init__(self, looks: int) -> None:
        checkpoint = Checkpoint(origin_of(_SERVICE, DEFAULT_LEDGER), 1, b"\1" * 32)
        private = Ed25519PrivateKey.generate()
        self._key = VerifierKey(checkpoint.origin, private.public_key().public_bytes_raw())
        signature = NoteSignature(self._key.name, self._key.key_id, private.sign(checkpoint.text.encode()))
        self._note = str(SignedNote(checkpoint.text, (signature,)))
        self._looks = looks

    def read(self, ledger: Ledger) -> str | None:  # noqa: ARG002
        return self._note

    def ledgers(self) -> Sequence[Ledger]:
        return [DEFAULT_LEDGER]

    def keep(self, ledger: Ledger, note: str) -> None:
        raise NotImplementedError

    async def keys(self, ledger: Ledger) -> Sequence[UsedKey]:  # noqa: ARG002
        self._looks -= 1
        return [UsedKey(self._key, None, None)] if self._looks < 0 else []

    async def between(self, ledger: Ledger, after: int, until: int) -> Sequence[tuple[int, str]]:  # noqa: ARG002
        return []

    async def largest(self, ledger: Ledger) -> tuple[int, str] | None:  # noqa: ARG002
        return None


@pytest.mark.parametrize(("looks", "forged"), [(0, 0), (1, 0), (3, 0), (4, 1)])
async def test_a_first_checkpoint_is_forged_only_if_its_key_stays_unknown(
    monkeypatch: pytest.MonkeyPatch, looks: int, forged: int
) -> None:
    monkeypatch.setattr(kept_checkpoints, "_SIGNING_SECONDS", 0)
    first = FirstCheckpoint(looks)
    kept = await KeptCheckpoints(_SERVICE, first, first).outside(DEFAULT_LEDGER)
    assert (len(kept.checkpoints), len(kept.forged)) == (1 - forged, forged)
