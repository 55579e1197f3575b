"""Signing: what was signed is never contradicted, whoever has rewritten the database."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.postgres.checkpoint_store import PostgresCheckpointStore
from adapters.signing import LastSignedFiles, SigningKeyFile
from application import signing_rounds
from application.sign_checkpoints import SignCheckpoint, SigningRefused
from application.signing_rounds import SigningRounds
from benchmarks.synthetic import append_synthetic, leaf
from domain.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from domain.errors import StoreUnavailable
from domain.merkle import root_hash
from domain.signed_note import NoteSignature, SignedNote, VerifierKey
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections import generations
from projections.lease import Lease
from projections.merkle import MerkleProjection
from projections.tree import Trees
from tests.builders import NOW
from tests.integration.projections.stage import Stage, eventually, running

MERKLE = MerkleProjection()
ORIGIN = "certinext-audit/default"
OTHER = Ledger("other")
ATTACKER = Ed25519PrivateKey.from_private_bytes(b"\x66" * 32)


class Signing:
    """A signer of one host, over a stage."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.files = LastSignedFiles(folder / "checkpoints")
        self.keys = SigningKeyFile(folder / "signing-key")
        self.store = PostgresCheckpointStore(stage.writer, stage.pool)
        self.signer = SignCheckpoint(
            "certinext-audit", Trees(stage.reader, stage.pool), self.store, self.files, self.keys, lambda: NOW
        )
        self.outcomes: list[str] = []

    def rounds(self, holder: str = "one") -> SigningRounds:
        return SigningRounds(self.signer, Lease(self.stage.pool, "checkpoints", holder), self.outcomes.append)

    async def grow(self, last: int, ledger: Ledger = DEFAULT_LEDGER) -> None:
        """Let the ledger end at a position, and its tree with it."""
        head = await self.stage.owner.fetchval("SELECT position FROM audit.heads WHERE ledger = $1", ledger)
        append_synthetic(self.stage.url, ledger, (head or 0) + 1, last)
        await self.stage.project([MERKLE], ledger)

    async def sign(self, ledger: Ledger = DEFAULT_LEDGER) -> SignedCheckpoint | None:
        standing = {one.ledger: one for one in await self.signer.trees.standing(everything=True)}
        return await self.signer.sign(standing[ledger])

    async def opened(self) -> Checkpoint:
        """The latest checkpoint, verified with the keys that are published."""
        latest = await self.store.latest(DEFAULT_LEDGER)
        assert latest is not None
        keys = [VerifierKey.parse(str(key["verifier_key"])) for key in await self.signer.known_keys(DEFAULT_LEDGER)]
        checkpoint, _ = open_checkpoint(latest.note, keys)
        return checkpoint

    async def harm(self, *statements: str) -> None:
        """What somebody above all rights does to the database; the tree is then made anew from what is there."""
        for table in ("events", "heads", "checkpoints", "signing_keys"):
            await self.stage.owner.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER ALL")
        for statement in statements:
            await self.stage.owner.execute(statement)
        await self.stage.owner.execute("DELETE FROM reading.tracking; DELETE FROM reading.tiles_1")
        await self.stage.project([MERKLE])


@pytest.fixture
async def signing(stage: Stage, tmp_path: Path) -> Signing:
    async with stage.pool.acquire() as connection:
        await generations.ensure(connection, MERKLE)
    return Signing(stage, tmp_path)


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
FORGET = ("DELETE FROM audit.checkpoints", "DELETE FROM audit.signing_keys")

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


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_rounds, "SECONDS", 0.05)
    monkeypatch.setattr(signing_rounds, "_GATHER_SECONDS", 0.01)


async def sizes(stage: Stage, ledger: Ledger = DEFAULT_LEDGER) -> list[int]:
    rows = await stage.owner.fetch("SELECT size FROM audit.checkpoints WHERE ledger = $1 ORDER BY size", ledger)
    return [row["size"] for row in rows]


@pytest.mark.usefixtures("hurried")
async def test_rounds_sign_at_start_while_events_arrive_and_at_stop(signing: Signing) -> None:
    await signing.grow(10)
    await signing.grow(20, OTHER)
    rounds = signing.rounds()
    task = asyncio.create_task(rounds.run())
    try:
        await eventually(lambda: _are(signing.stage, [10]))
        await eventually(lambda: _are(signing.stage, [20], OTHER))
        await signing.grow(15)
        rounds.wake()
        await eventually(lambda: _are(signing.stage, [10, 15]))
    finally:
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await signing.grow(16)
    await rounds.finish()
    assert await sizes(signing.stage) == [10, 15, 16]
    assert signing.outcomes == ["signed"] * 4


async def _are(stage: Stage, wanted: list[int], ledger: Ledger = DEFAULT_LEDGER) -> bool:
    return await sizes(stage, ledger) == wanted


async def test_at_stop_the_trees_are_waited_for(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    """But not for ever."""
    append_synthetic(signing.stage.url, DEFAULT_LEDGER, 1, 500)
    async with running(signing.stage.runner("one", [MERKLE])):
        await signing.rounds().finish()
    assert await sizes(signing.stage) == [500]
    monkeypatch.setattr(signing_rounds, "_AT_STOP_SECONDS", 0.05)
    append_synthetic(signing.stage.url, DEFAULT_LEDGER, 501, 600)
    await signing.rounds().finish()
    assert await sizes(signing.stage) == [500]


@pytest.mark.usefixtures("hurried")
async def test_a_refusal_is_an_alarm_until_all_is_well(signing: Signing, logs: list[MutableMapping[str, Any]]) -> None:
    """It is logged once, counted each time, and stops no other ledger."""
    await signing.grow(300)
    await signing.grow(20, OTHER)
    rounds = signing.rounds()
    await rounds.finish()
    await signing.stage.owner.execute("ALTER TABLE audit.events DISABLE TRIGGER ALL")
    change = "UPDATE audit.events SET leaf_hash = sha256('\\x00'::bytea || convert_to($1, 'UTF8')) WHERE position = 300"
    await signing.stage.owner.execute(change, "forged")
    await signing.grow(310)
    await signing.grow(30, OTHER)
    for _ in range(3):
        await rounds.finish()
    assert await signing.store.alarms() == 1
    assert (await sizes(signing.stage), await sizes(signing.stage, OTHER)) == ([300], [20, 30])
    [refused] = [entry for entry in logs if entry["event"] == "checkpoint_refused"]
    assert (refused["log_level"], refused["ledger"]) == ("error", "default")
    assert "not the continuation" in refused["reason"]
    assert signing.outcomes.count("refused") == 3
    await signing.stage.owner.execute(change, "300")
    await rounds.finish()
    assert await signing.store.alarms() == 0
    assert await sizes(signing.stage) == [300, 310]


@pytest.mark.usefixtures("hurried")
async def test_a_ledger_that_is_gone_is_an_alarm_at_the_next_start(signing: Signing) -> None:
    """Nothing in the database tells of it any more, but what is kept outside does."""
    await signing.grow(300)
    await signing.sign()
    await signing.harm("DELETE FROM audit.events", "DELETE FROM audit.heads", *FORGET)
    task = asyncio.create_task(signing.rounds().run())
    try:
        await eventually(lambda: _alarmed(signing))
    finally:
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    reason = await signing.stage.owner.fetchval("SELECT reason FROM audit.signing_alarms")
    assert reason == "the ledger ends at 0, but a checkpoint of size 300 was signed"


async def _alarmed(signing: Signing) -> bool:
    return await signing.store.alarms() == 1


@pytest.mark.usefixtures("hurried")
async def test_one_process_signs_and_another_takes_over(signing: Signing, tmp_path: Path) -> None:
    """By the lease; the second signs as soon as the first is gone."""
    first, second = signing.rounds("first"), Signing(signing.stage, tmp_path / "second host").rounds("second")
    await signing.grow(10)
    await first.finish()
    await signing.grow(20)
    await second.finish()
    assert await sizes(signing.stage) == [10]
    await first._turn.release()
    second._turn._ask_at = 0.0  # type: ignore[attr-defined]  # Not to wait for the second in which it does not ask.
    await second.finish()
    assert await sizes(signing.stage) == [10, 20]


async def test_without_a_database_the_rounds_go_on(
    signing: Signing, monkeypatch: pytest.MonkeyPatch, logs: list[MutableMapping[str, Any]]
) -> None:
    """What was missed is signed when it is back."""
    monkeypatch.setattr(signing_rounds, "SECONDS", 0.05)
    monkeypatch.setattr(signing_rounds, "_GATHER_SECONDS", 0.01)
    await signing.grow(10)
    away = True
    standing = Trees.standing

    async def sometimes(trees: Trees, *, everything: bool) -> Any:
        if away:
            raise StoreUnavailable("away")
        return await standing(trees, everything=everything)

    monkeypatch.setattr(Trees, "standing", sometimes)
    task = asyncio.create_task(signing.rounds().run())
    try:
        await eventually(lambda: _logged(logs, "signing_interrupted"))
        away = False
        await eventually(lambda: _are(signing.stage, [10]))
    finally:
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _logged(logs: list[MutableMapping[str, Any]], event: str) -> bool:
    return any(entry["event"] == event for entry in logs)


async def test_no_key_is_an_alarm_and_no_end(signing: Signing, tmp_path: Path) -> None:
    """The service goes on; somebody has to look after the key."""
    await signing.grow(10)
    (tmp_path / "signing-key").write_text("nonsense")
    await signing.rounds().finish()
    assert await signing.store.alarms() == 1
    assert "signing-key" in str(await signing.stage.owner.fetchval("SELECT reason FROM audit.signing_alarms"))
    assert Position(10) == await signing.stage.tracked("merkle")
