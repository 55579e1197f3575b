"""`certinext-audit verify`, on an untouched ledger and on altered ones."""

from pathlib import Path
from typing import Any

import pytest

from adapters.signing.signing_key import Ed25519Key
from domain.checkpoint import Checkpoint
from domain.signed_note import NoteSignature, SignedNote, VerifierKey
from tests.attacks import forging
from tests.attacks.conftest import EVENTS, Victim
from tests.attacks.forging import sql
from tests.e2e.processes import Ended, run

_HASHES_ONLY = "--no-tables"


async def verify(victim: Victim, *arguments: str, **settings: str) -> Ended:
    return await run(
        "verify", *arguments, settings={"database_url": victim.url, "data_dir": str(victim.data_dir), **settings}
    )


async def note_of(victim: Victim, size: int) -> str:
    found: str = await victim.owner.fetchval(
        "SELECT note FROM audit.checkpoints WHERE ledger = 'default' AND size = $1", size
    )
    return found


def kept(folder: Path, note: str | bytes) -> str:
    """The path of a file with a note."""
    path = folder / "kept"
    path.write_bytes(note if isinstance(note, bytes) else note.encode())
    return str(path)


async def events(victim: Victim) -> list[tuple[Any, ...]]:
    """What was recorded behind the seeded events."""
    rows = await victim.owner.fetch(
        "SELECT topic, convert_from(record, 'UTF8')::json -> 'details' ->> 'verdict', "
        "(convert_from(record, 'UTF8')::json -> 'details' ->> 'position')::bigint "
        "FROM audit.events WHERE ledger = 'default' AND position > $1 ORDER BY position",
        EVENTS,
    )
    return [tuple(row) for row in rows]


async def test_an_intact_ledger_ends_with_0_and_words(victim: Victim) -> None:
    """It says what was checked and what was not, and the verification is an event itself."""
    ended = await verify(victim)
    assert ended.code == 0
    first, *lines = ended.out.splitlines()
    assert first == "The ledger default is intact."
    assert f"Checked: events 1 to {EVENTS}: " in lines[0]
    assert "Checked: 3 signed checkpoints." not in lines  # The one in the file is the last in the database, too.
    assert "Checked: 4 signed checkpoints." in lines
    assert f"Checked: the read table tiles up to position {EVENTS}." in lines
    assert any(line.startswith("Not checked: whether somebody rewrote the ledger") for line in lines)
    assert await events(victim) == [("AuditTrailVerified", "intact", None)]


async def test_for_machines(victim: Victim, tmp_path: Path) -> None:
    """One object, with a checkpoint that was kept, its key noted, and on two processes."""
    file = kept(tmp_path, await note_of(victim, 5000))
    keys = await run(
        "signing-keys", "list", "--json", settings={"database_url": victim.url, "data_dir": str(victim.data_dir)}
    )
    ended = await verify(
        victim, "--json", _HASHES_ONLY, "--checkpoint", file, "--key", keys.json[0]["verifier_key"], "--workers", "2"
    )
    (report,) = ended.json
    assert (ended.code, report["verdict"], report["tampering"]) == (0, "intact", [])
    assert (report["from_position"], report["to_position"], report["recorded_at"]) == (1, EVENTS, EVENTS + 1)
    assert report["not_checked"] == ["whether the read tables say what the ledger says"]


async def test_a_bad_ledger_ends_with_1_and_names_the_place(victim: Victim) -> None:
    """In words on the standard error, and as events."""
    await sql("UPDATE audit.events SET personal = NULL WHERE ledger = 'default' AND position = 4711")(victim.owner)
    ended = await verify(victim)
    assert ended.code == 1
    assert "personal-data-missing: position 4711: the personal data are gone" in ended.complaint
    assert "NOT as it was recorded. The first bad place: position 4711" in ended.out
    assert await events(victim) == [("AuditTamperingDetected", None, 4711), ("AuditTrailVerified", "tampered", None)]


async def test_a_rewritten_ledger_is_known_by_a_kept_checkpoint(victim: Victim, tmp_path: Path) -> None:
    """The file is named, since there may be many."""
    file = kept(tmp_path, await note_of(victim, 2000))
    await forging.rewrite_from(victim.owner, 1500)
    await sql("DELETE FROM audit.checkpoints")(victim.owner)
    (victim.data_dir / "checkpoints" / "default").unlink()
    ended = await verify(victim, _HASHES_ONLY, "--checkpoint", file)
    assert ended.code == 1
    assert f"history-rewritten: positions 1 to 2000: history was rewritten: the checkpoint of size 2000 in {file}" in (
        ended.complaint
    )


async def test_a_ledger_that_takes_no_events_is_verified_all_the_same(victim: Victim) -> None:
    """Its head was moved back, so that the next event would stand where one stands."""
    await sql(
        "UPDATE audit.heads SET (position, chain_hash, recorded_at) = (SELECT position, chain_hash, recorded_at FROM "
        "audit.events WHERE ledger = 'default' AND position = 9000) WHERE ledger = 'default'"
    )(victim.owner)
    ended = await verify(victim, _HASHES_ONLY)
    assert ended.code == 1
    assert "event-beyond-head: positions 9001 to 10000" in ended.complaint
    assert "did not take the event about this verification" in ended.complaint


async def test_going_on_from_a_checkpoint(victim: Victim, tmp_path: Path) -> None:
    """What was not read again is said."""
    ended = await verify(victim, _HASHES_ONLY, "--since", kept(tmp_path, await note_of(victim, 5000)))
    assert ended.code == 0
    assert f"Checked: events 5001 to {EVENTS}: " in ended.out
    assert "Not checked: the records of events 1 to 5000" in ended.out


async def test_a_checkpoint_of_more_events_than_there_are(victim: Victim, tmp_path: Path) -> None:
    """One of the future is one of a longer ledger: it was cut."""
    file = kept(tmp_path, await note_of(victim, EVENTS))
    await sql(
        "DELETE FROM audit.events WHERE ledger = 'default' AND position > 9990",
        "UPDATE audit.heads SET (position, chain_hash, recorded_at) = (SELECT position, chain_hash, recorded_at FROM "
        "audit.events WHERE ledger = 'default' AND position = 9990) WHERE ledger = 'default'",
        "DELETE FROM audit.checkpoints WHERE size > 9990",
    )(victim.owner)
    (victim.data_dir / "checkpoints" / "default").unlink()
    for option in ("--checkpoint", "--since"):
        ended = await verify(victim, _HASHES_ONLY, option, file)
        assert ended.code == 1
        assert "tail-cut: position" in ended.complaint


def forged(origin: str) -> str:
    """A note that is signed well, by nobody."""
    key = Ed25519Key.new()
    verifier = VerifierKey(origin, key.public_key)
    text = Checkpoint(origin, 2000, bytes(32)).text
    return str(SignedNote(text, (NoteSignature(verifier.name, verifier.key_id, key.sign(text.encode())),)))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda _: "", "the note has no blank line between its text and its signatures"),
        (lambda _: b"\xff\xfe", "the note is not in UTF-8"),
        (lambda note: note.replace("\n5000\n", "\n5001\n"), "does not hold"),
        (lambda note: note.replace("\n5000\n", "\nmany\n"), "does not hold"),
        (lambda note: note[:-10] + "\n", "is not the base64 of a key id of 4 bytes and a signature"),
        (lambda note: note.rpartition("\n\n")[0] + "\n\n", "the note has no signature"),
        (lambda _: forged("certinext-audit/default"), "and none of these keys is known"),
        (lambda _: forged("somebody/else"), "the note is signed by somebody/else"),
        (lambda _: b"x" * (1024 * 1024 + 1), "it is larger than 1048576 bytes, and so no checkpoint"),
    ],
    ids=["empty", "binary", "another size", "no size", "cut", "unsigned", "unknown key", "another origin", "huge"],
)  # fmt: skip
async def test_a_file_that_is_no_checkpoint_of_ours_ends_with_2(
    victim: Victim, tmp_path: Path, change: Any, complaint: str
) -> None:
    """Nothing is verified then, and the message says which file, and what is wrong with it."""
    file = kept(tmp_path, change(await note_of(victim, 5000)))
    ended = await verify(victim, _HASHES_ONLY, "--checkpoint", file)
    assert (ended.code, ended.out) == (2, "")
    assert file in ended.complaint
    assert complaint in ended.complaint
    assert await events(victim) == []


async def test_what_cannot_be_read_ends_with_2(victim: Victim, tmp_path: Path) -> None:
    """A file that is not there, a folder, a key that is none, a checkpoint of another ledger."""
    cases = [
        (("--checkpoint", str(tmp_path / "nothing")), "checkpoint: ", "No such file"),
        (("--since", str(tmp_path)), "since: ", "Is a directory"),
        (("--key", "rubbish"), "key: ", "the key id '' is not of 8 hexadecimal digits"),
        (("--workers", "0"), "", ""),
    ]
    for arguments, *complaints in cases:
        ended = await verify(victim, *arguments)
        assert (ended.code, ended.out) == (2, "")
        assert all(complaint in ended.complaint for complaint in complaints)


async def test_a_checkpoint_of_another_ledger_ends_with_2(victim: Victim, tmp_path: Path) -> None:
    """Signed by this service, with the key that signs this ledger, too; but it is of another."""
    note = await victim.owner.fetchval("SELECT note FROM audit.checkpoints WHERE ledger = 'other' LIMIT 1")
    keys = await run(
        "signing-keys",
        "list",
        "--ledger",
        "other",
        "--json",
        settings={"database_url": victim.url, "data_dir": str(victim.data_dir)},
    )
    file = kept(tmp_path, note)
    ended = await verify(victim, "--checkpoint", file, "--key", keys.json[0]["verifier_key"])
    assert ended.code == 2
    assert "it is a checkpoint of 'certinext-audit/other', not of 'certinext-audit/default'" in ended.complaint
