"""Signing: what was signed is never contradicted, whoever has rewritten the database."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.postgres.checkpoint_store import PostgresCheckpointStore
from application.sign_checkpoints import SigningRefused
from benchmarks.synthetic import append_synthetic, leaf
from domain.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from domain.merkle import root_hash
from domain.signed_note import NoteSignature, SignedNote, VerifierKey
from domain.words import DEFAULT_LEDGER, Ledger
from tests.integration.projections.signing import FORGET, MERKLE, Signing

ORIGIN = "certinext-audit/default"
ATTACKER = Ed25519PrivateKey.from_private_bytes(b"\x66" * 32)


def expected(size: int) -> Checkpoint:
    return Checkpoint(ORIGIN, size, root_hash([leaf(position) for position in range(1, size + 1)]))


async def test_checkpoints_follow_the_ledger(signing: Signing) -> None:
    """Each is in the database and outside of it, and nothing is signed where nothing is new."""
    previous = 0
    for size in (1, 2, 300, 301, 1000):
        await signing.grow(size)
        signed = await signing.sign()
        assert signed is not None
        assert await signing.opened() == expected(size)
        assert signing.files.read(DEFAULT_LEDGER) == signed.note
        assert await signing.sign() is None
        row = await signing.stage.owner.fetchrow("SELECT * FROM audit.checkpoints ORDER BY size DESC LIMIT 1")
        assert row is not None
        assert (row["size"], row["previous_size"], row["note"]) == (size, previous, signed.note)
        previous = size


async def test_a_tree_that_is_behind_is_waited_for(signing: Signing) -> None:
    """Also if it has fallen behind what was signed, as after a crash of the database."""
    await signing.grow(300)
    await signing.sign()
    await signing.stage.owner.execute("DELETE FROM reading.tracking; DELETE FROM reading.tiles_1")
    assert await signing.sign() is None
    append_synthetic(signing.stage.url, DEFAULT_LEDGER, 301, 310)
    assert await signing.sign() is None
    await signing.stage.project([MERKLE])
    assert await signing.sign() is not None


async def test_who_died_before_publishing_publishes_the_same(signing: Signing) -> None:
    """The file is written first; what is in it then is what the database gets."""
    await signing.grow(300)
    signed = await signing.sign()
    assert signed is not None
    await signing.harm("DELETE FROM audit.checkpoints")
    assert await signing.sign() == signed
    await signing.harm("DELETE FROM audit.checkpoints")
    await signing.grow(400)
    assert await signing.sign() is not None
    assert await signing.opened() == expected(400)


SWAPPED = """
UPDATE audit.events SET leaf_hash = (
    SELECT leaf_hash FROM audit.events AS other WHERE other.position = 5 - events.position
) WHERE position IN (2, 3)
"""
REWRITTEN = "UPDATE audit.events SET leaf_hash = sha256(leaf_hash) WHERE position {}"

HARMS = {
    "an event is rewritten": ([REWRITTEN.format("= 17")], "not the continuation of the checkpoint of size 300"),
    "the last event is rewritten": ([REWRITTEN.format("= 300")], "not the continuation"),
    "two events are swapped": ([SWAPPED], "not the continuation"),
    "the tail is cut": (
        ["DELETE FROM audit.events WHERE position > 290", "UPDATE audit.heads SET position = 290"],
        "the ledger ends at 290, but a checkpoint of size 300 was signed",
    ),
    "all is rewritten and forgotten": ([REWRITTEN.format("> 0"), *FORGET], "not the continuation"),
    "the tail is cut and forgotten": (
        ["DELETE FROM audit.events WHERE position > 290", "UPDATE audit.heads SET position = 290", *FORGET],
        "the ledger ends at 290, but a checkpoint of size 300 was signed",
    ),
    "the note is another's": (
        ["UPDATE audit.checkpoints SET note = replace(note, E'\\n300\\n', E'\\n299\\n')"],
        "in the database is not one of ours: the signature of certinext-audit/default, key id .*, does not hold",
    ),
    "the note is no note": (["UPDATE audit.checkpoints SET note = 'x'"], "in the database is not one of ours"),
}


@pytest.mark.parametrize("harm", HARMS)
async def test_what_contradicts_the_last_checkpoint_is_not_signed(signing: Signing, harm: str) -> None:
    """Not now, and not after more was appended; no file and no row changes."""
    statements, reason = HARMS[harm]
    await signing.grow(300)
    signed = await signing.sign()
    assert signed is not None
    await signing.harm(*statements)
    kept = await signing.stage.owner.fetch("SELECT * FROM audit.checkpoints")
    for more in range(2):
        if more:
            await signing.grow(350)
            if "cut" in harm:
                reason = "not the continuation of the checkpoint of size 300"
                await signing.stage.owner.execute(REWRITTEN.format("BETWEEN 291 AND 300"))
        with pytest.raises(SigningRefused, match=reason):
            await signing.sign()
    assert signing.files.read(DEFAULT_LEDGER) == signed.note
    assert await signing.stage.owner.fetch("SELECT * FROM audit.checkpoints") == kept


async def test_a_tile_that_was_altered_signs_nothing(signing: Signing) -> None:
    await signing.grow(600)
    await signing.sign()
    await signing.grow(700)
    await signing.stage.owner.execute("UPDATE reading.tiles_1 SET root = sha256(root) WHERE index = 1")
    with pytest.raises(SigningRefused, match="not the continuation of the checkpoint of size 600"):
        await signing.sign()


async def test_a_forger_with_a_key_of_their_own_gets_no_further(signing: Signing) -> None:
    """They rewrite the ledger, sign it, and add their key: what is kept outside still tells."""
    await signing.grow(300)
    await signing.sign()
    leaves = [leaf(position + 1000) for position in range(1, 301)]
    key = VerifierKey(ORIGIN, ATTACKER.public_key().public_bytes_raw())
    text = Checkpoint(ORIGIN, 300, root_hash(leaves)).text
    note = str(SignedNote(text, (NoteSignature(key.name, key.key_id, ATTACKER.sign(text.encode())),)))
    await signing.harm(
        "UPDATE audit.events SET leaf_hash = sha256('\\x00'::bytea || convert_to((position + 1000)::text, 'UTF8'))",
        f"UPDATE audit.checkpoints SET note = '{note}', key_id = '\\x{key.key_id.hex()}'",
        f"UPDATE audit.signing_keys SET key_id = '\\x{key.key_id.hex()}', public_key = '\\x{key.public_key.hex()}'",
    )
    with pytest.raises(SigningRefused, match="not the continuation of the checkpoint of size 300"):
        await signing.sign()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _: "", "kept outside the database is not one of ours: the note has no blank line"),
        (lambda note: note.replace("300", "301"), "kept outside the database is not one of ours: the signature"),
        (lambda note: note.replace("default", "other"), "kept outside .* none of these keys is known"),
    ],
    ids=["empty", "altered", "another ledger's"],
)
async def test_a_damaged_file_signs_nothing(signing: Signing, damage: Any, reason: str) -> None:
    """It is for an operator to find out what has happened."""
    await signing.grow(300)
    signed = await signing.sign()
    assert signed is not None
    signing.files.keep(DEFAULT_LEDGER, damage(signed.note))
    await signing.grow(301)
    with pytest.raises(SigningRefused, match=reason):
        await signing.sign()


async def test_a_second_host_goes_on_and_learns(
    signing: Signing, tmp_path: Path, logs: list[MutableMapping[str, Any]]
) -> None:
    """With a key of its own, if it was not given the same; a log line says that nothing was kept there before."""
    other = Signing(signing.stage, tmp_path / "second host")
    await signing.grow(300)
    await signing.sign()
    await signing.grow(310)
    assert await other.sign() is not None
    assert [entry["event"] for entry in logs if "kept" in entry["event"]] == ["no_checkpoint_kept_outside_the_database"]
    await signing.grow(320)
    assert await signing.sign() is not None, "its own file is behind the database, and both hold"
    assert await signing.opened() == expected(320)
    assert len(await signing.signer.known_keys(DEFAULT_LEDGER)) == 2


async def test_a_rotation_keeps_old_checkpoints_verifiable(signing: Signing) -> None:
    await signing.grow(300)
    old = await signing.sign()
    signing.keys.rotate()
    published = await signing.signer.known_keys(DEFAULT_LEDGER)
    assert [(key["current"], key["first_used_at"] is None) for key in published] == [(False, False), (True, True)]
    await signing.grow(400)
    new = await signing.sign()
    assert old is not None
    assert new is not None
    first, second = (VerifierKey.parse(str(key["verifier_key"])) for key in published)
    assert open_checkpoint(old.note, [first, second]) == (expected(300), first)
    assert open_checkpoint(new.note, [first, second]) == (expected(400), second)


async def test_who_was_overtaken_leaves_it_to_the_other(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that go on from the same checkpoint: one is kept, and the next goes on from that."""
    await signing.grow(300)
    await signing.sign()
    latest = await signing.store.latest(DEFAULT_LEDGER)
    await signing.grow(310)
    await signing.sign()
    await signing.grow(320)

    async def late(_store: PostgresCheckpointStore, _ledger: Ledger) -> SignedCheckpoint | None:
        return latest

    with monkeypatch.context() as patched:
        patched.setattr(PostgresCheckpointStore, "latest", late)
        assert await signing.sign() is None
    assert await signing.sign() is not None
    sizes = await signing.stage.owner.fetch("SELECT size, previous_size FROM audit.checkpoints ORDER BY size")
    assert [tuple(row) for row in sizes] == [(300, 0), (310, 300), (320, 310)]
