"""Whoever rewrites history with all that is kept beside it, or alters what is made from it, is found out as well."""

from pathlib import Path
from typing import Any

import pytest

from adapters.signing.signing_key import Ed25519Key
from application.kept_checkpoints import KeptCheckpoints
from application.verification import Scope
from domain.checkpoint import Checkpoint, open_checkpoint
from domain.merkle import root_hash
from domain.signed_note import NoteSignature, SignedNote, VerifierKey
from domain.tampering import TamperingKind as Kind
from domain.verdict import Verdict
from domain.verification import KeptCheckpoint
from domain.words import DEFAULT_LEDGER
from tests.attacks import forging
from tests.attacks.conftest import EVENTS, SMALL, Victim
from tests.attacks.forging import sql

_ONLY_LEDGER = Scope(tables=False, workers=0)
_CHECKPOINT = "UPDATE audit.checkpoints SET note = {note} WHERE ledger = 'default' AND size = 5000"
_OTHER_SIGNATURE = """(
    SELECT split_part(audit.checkpoints.note, E'\\n\\n', 1) || E'\\n\\n' || split_part(other.note, E'\\n\\n', 2)
    FROM audit.checkpoints AS other WHERE other.ledger = 'default' AND other.size = 2000
)"""


def found(verdict: Verdict) -> list[tuple[Kind, str | None, int, int]]:
    return [(one.kind, one.table, one.position, one.last_position) for one in verdict.tampering]


async def forge_checkpoints(victim: Victim) -> None:
    """Sign the rewritten tree with a key of one's own, which the database then names as one that has signed."""
    key = Ed25519Key.new()
    verifier = VerifierKey("certinext-audit/default", key.public_key)
    leaves = await victim.owner.fetch("SELECT leaf_hash FROM audit.events WHERE ledger = 'default' ORDER BY position")
    sizes = await victim.owner.fetch("SELECT size FROM audit.checkpoints WHERE ledger = 'default'")
    await victim.owner.execute(
        "INSERT INTO audit.signing_keys VALUES ('default', $1, $2, $3, now())",
        verifier.name,
        verifier.key_id,
        verifier.public_key,
    )
    for (size,) in sizes:
        root = root_hash([leaf for (leaf,) in leaves[:size]])
        text = Checkpoint(verifier.name, size, root).text
        signature = NoteSignature(verifier.name, verifier.key_id, key.sign(text.encode()))
        note = str(SignedNote(text, (signature,)))
        await victim.owner.execute(
            "UPDATE audit.checkpoints SET note = $2 WHERE ledger = 'default' AND size = $1", size, note
        )


async def kept_before(victim: Victim, size: int) -> KeptCheckpoint:
    """A checkpoint as an auditor took it away."""
    note = await victim.owner.fetchval(
        "SELECT note FROM audit.checkpoints WHERE ledger = 'default' AND size = $1", size
    )
    async with victim.trail() as trail:
        return await trail.kept_checkpoints.given(DEFAULT_LEDGER, note, "my safe", [])


async def test_forged_checkpoints_do_not_help_against_the_file_outside(victim: Victim) -> None:
    """The last one signed is there, and the attacker of a database does not come there."""
    await forging.rewrite_from(victim.owner, 1)
    await forge_checkpoints(victim)
    verdict = await victim.verify(_ONLY_LEDGER)
    assert found(verdict) == [(Kind.REWRITTEN, None, EVENTS - 4999, EVENTS)]
    assert "the file outside the database" in verdict.tampering[0].message


async def test_a_checkpoint_kept_elsewhere_tells_what_nothing_else_does(victim: Victim) -> None:
    """The attacker has everything: the database, and the folder with the last checkpoint."""
    kept = await kept_before(victim, 2000)
    await forging.rewrite_from(victim.owner, 1)
    await forge_checkpoints(victim)
    (victim.data_dir / "checkpoints" / "default").unlink()
    assert (await victim.verify(_ONLY_LEDGER)).intact
    verdict = await victim.verify(Scope([kept], tables=False, workers=0))
    assert found(verdict) == [(Kind.REWRITTEN, None, 1, 2000)]
    assert "my safe" in verdict.tampering[0].message


async def test_that_nothing_was_kept_elsewhere_is_said(victim: Victim) -> None:
    """A verdict says what it does not cover."""
    kept = await kept_before(victim, 2000)
    alone, against = await victim.verify(_ONLY_LEDGER), await victim.verify(Scope([kept], tables=False, workers=0))
    assert any("kept elsewhere" in line for line in alone.not_checked)
    assert not any("kept elsewhere" in line for line in against.not_checked)


async def test_a_cut_ledger_is_shorter_than_a_kept_checkpoint(victim: Victim) -> None:
    """With all traces removed beside it."""
    kept = await kept_before(victim, EVENTS)
    await sql(
        "DELETE FROM audit.events WHERE ledger = 'default' AND position > 9000",
        "UPDATE audit.heads SET (position, chain_hash, recorded_at) = (SELECT position, chain_hash, recorded_at FROM "
        "audit.events WHERE ledger = 'default' AND position = 9000) WHERE ledger = 'default'",
        "DELETE FROM audit.checkpoints WHERE size > 9000",
    )(victim.owner)
    (victim.data_dir / "checkpoints" / "default").unlink()
    assert (await victim.verify(_ONLY_LEDGER)).intact
    verdict = await victim.verify(Scope([kept], tables=False, workers=0))
    assert found(verdict) == [(Kind.TAIL_CUT, None, 9001, EVENTS)]
    tables = await victim.verify(Scope(workers=0))
    assert {(one.kind, one.position, one.last_position) for one in tables.tampering} == {
        (Kind.TABLE_AHEAD, 9001, EVENTS)
    }


async def test_a_version_out_of_line_is_found_without_any_checkpoint(victim: Victim) -> None:
    """Which a rewritten ledger easily has, where events were taken out."""
    originator = await victim.owner.fetchval(
        "SELECT originator_id FROM audit.events WHERE ledger = 'default' AND position = 9500"
    )
    await forging.put_record(victim.owner, 9500, await forging.facts(victim.owner, 9500) | {"entity_version": 4444})
    await sql(
        "UPDATE audit.events SET originator_version = 4444 WHERE ledger = 'default' AND position = 9500",
        "DELETE FROM audit.checkpoints",
    )(victim.owner)
    await forging.relink(victim.owner, 9500)
    (victim.data_dir / "checkpoints" / "default").unlink()
    verdict = await victim.verify(_ONLY_LEDGER)
    assert originator
    assert found(verdict) == [(Kind.VERSION_GAP, None, 9500, 9500)]


@pytest.mark.parametrize(
    "note",
    [_OTHER_SIGNATURE, "replace(note, E'\\n5000\\n', E'\\n5001\\n')", "'nothing'", "replace(note, 'default', 'other')"],
    ids=["another's signature", "another size", "no note", "another ledger"],
)
async def test_an_altered_checkpoint_is_named(victim: Victim, note: str) -> None:
    """By its size, which is the position of its last event."""
    await sql(_CHECKPOINT.format(note=note))(victim.owner)
    assert found(await victim.verify(_ONLY_LEDGER)) == [(Kind.CHECKPOINT_FORGED, None, 5000, 5000)]


async def test_an_altered_file_outside_is_named(victim: Victim) -> None:
    """It is not the ledger that is wrong then; but somebody was there."""
    _alter(victim.data_dir / "checkpoints" / "default")
    assert found(await victim.verify(_ONLY_LEDGER)) == [(Kind.CHECKPOINT_FORGED, None, 0, 0)]


_OF = f"ledger = '{SMALL}' AND"
_OF_MANY = "ledger = 'default' AND"
_ONLY_ONE_USER = """
CREATE OR REPLACE VIEW reading.users AS SELECT actor_id, 'bot'::text AS kind, full_name, actor_id_fold, full_name_fold,
    events, failures, first_occurred_at, last_occurred_at, last_position
FROM reading.users_1 WHERE ledger = current_setting('certinext_audit.ledger', true) AND actor_id = 'U-7'
"""
_ROW_OF_NO_EVENT = f"""
INSERT INTO reading.activity_1 SELECT (jsonb_populate_record(a, '{{"position": 0}}')).*
FROM reading.activity_1 AS a WHERE {_OF} position = 5
"""


def _first_row_gone(table: str, column: str) -> str:
    name = f"reading.{table}_1"
    return f"DELETE FROM {name} WHERE {_OF} {column} = (SELECT min({column}) FROM {name} WHERE ledger = '{SMALL}')"


def _alter(file: Path) -> None:
    file.write_text(file.read_text().replace("certinext", "certinexd"))


_ONE_BIT_OF_HASHES = "set_byte(hashes, 9, get_byte(hashes, 9) # 1)"
"""Not a byte of the test's choice: one in 256 hashes has it there already."""

TABLES = [
    ("activity", f"UPDATE reading.activity_1 SET status = 'failure' WHERE {_OF} position = 321", 321),
    ("activity", f"UPDATE reading.activity_1 SET event = event || ' ' WHERE {_OF} position = 1", 1),
    ("activity", f"UPDATE reading.activity_1 SET words = '' WHERE {_OF} position = 999", 999),
    ("activity", f"DELETE FROM reading.activity_1 WHERE {_OF} position = 77", 77),
    ("activity", _ROW_OF_NO_EVENT, 0),
    ("activity_affected", _first_row_gone("activity_affected", "position"), None),
    ("activity_aliases", _first_row_gone("activity_aliases", "alias"), None),
    ("users", f"UPDATE reading.users_1 SET failures = failures - 1 WHERE {_OF} actor_id = 'U-1'", None),
    ("users", _ONLY_ONE_USER, None),
    ("modules", f"UPDATE reading.modules_1 SET events = 1 WHERE {_OF} activity = 'bot.registered'", None),
    ("statuses", _first_row_gone("statuses", "hour"), None),
    ("tiles", f"UPDATE reading.tiles_1 SET hashes = {_ONE_BIT_OF_HASHES} WHERE {_OF} level = 0 AND index = 1", None),
    ("tiles", f"UPDATE reading.tiles_1 SET root = sha256(root) WHERE {_OF} level = 0 AND index = 2", None),
]


@pytest.mark.parametrize(("table", "statement", "position"), TABLES, ids=[f"{t[0]}-{n}" for n, t in enumerate(TABLES)])
async def test_an_altered_read_table_is_named(victim: Victim, table: str, statement: str, position: int | None) -> None:
    """With the row, and no other table with it."""
    await sql(statement)(victim.owner)
    verdict = await victim.verify(Scope(workers=0), SMALL)
    assert {(one.kind, one.table) for one in verdict.tampering} == {(Kind.TABLE_ALTERED, table)}
    if position is not None:
        assert [one.position for one in verdict.tampering] == [position]
    assert all("row" in one.message for one in verdict.tampering)


async def test_altered_rows_of_many_events_are_all_named(victim: Victim) -> None:
    """Whichever batch of the replay they are in."""
    await sql(
        f"UPDATE reading.activity_1 SET status = 'failure' WHERE {_OF_MANY} position = 4321",
        f"UPDATE reading.activity_1 SET words = '' WHERE {_OF_MANY} position = 9999",
        f"UPDATE reading.tiles_1 SET root = sha256(root) WHERE {_OF_MANY} level = 0 AND index = 38",
    )(victim.owner)
    verdict = await victim.verify(Scope(workers=0))
    assert {(one.kind, one.table) for one in verdict.tampering} == {
        (Kind.TABLE_ALTERED, "activity"),
        (Kind.TABLE_ALTERED, "tiles"),
    }
    assert [one.position for one in verdict.tampering if one.table == "activity"] == [4321, 9999]


async def test_an_event_set_aside_to_hide_it_is_named(victim: Victim) -> None:
    """It would be missing in every answer, which only says how many are."""
    await sql(
        f"DELETE FROM reading.activity_1 WHERE {_OF} position = 50",
        f"INSERT INTO reading.set_aside VALUES ('{SMALL}', 'activity', 1, 50, 'x')",
    )(victim.owner)
    assert found(await victim.verify(Scope(workers=0), SMALL)) == [(Kind.TABLE_ALTERED, "activity", 50, 50)]


async def test_names_of_people_are_not_quoted(victim: Victim) -> None:
    """An alias is a name; what is said about its row goes into events and logs."""
    await sql("UPDATE reading.activity_aliases_1 SET alias = 'zz ' || alias WHERE alias LIKE 'asha%'")(victim.owner)
    verdict = await victim.verify(Scope(workers=0), SMALL)
    assert verdict.tampering
    assert not [one for one in verdict.tampering if "asha" in one.text.lower()]


async def test_the_comparison_leaves_nothing_behind(victim: Victim) -> None:
    """Neither tables nor positions of the replay, also of one that was interrupted."""
    before = await _all_tables(victim.owner)
    await victim.owner.execute("CREATE TABLE reading.users_1000000000 (rubbish integer)")
    await victim.owner.execute("ALTER TABLE reading.users_1000000000 OWNER TO certinext_audit_projector")
    assert (await victim.verify(Scope(workers=0), SMALL)).intact
    assert await _all_tables(victim.owner) == before
    assert await victim.owner.fetchval("SELECT count(*) FROM reading.tracking WHERE generation > 1") == 0


async def _all_tables(owner: Any) -> set[str]:
    return {row[0] for row in await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'reading'")}


async def test_going_on_from_a_trusted_checkpoint_skips_records_and_says_so(victim: Victim) -> None:
    """What is altered before it is found only as far as hashes tell; what is altered behind it is found as ever."""
    since = await kept_before(victim, 5000)
    scope = Scope(since=since, tables=False, workers=0)
    clean = await victim.verify(scope)
    assert (clean.from_position, clean.to_position, clean.intact) == (5001, EVENTS, True)
    assert any("records of events 1 to 5000" in line for line in clean.not_checked)
    await sql("UPDATE audit.events SET topic = 'X' WHERE ledger = 'default' AND position IN (4000, 6000)")(victim.owner)
    assert found(await victim.verify(scope)) == [(Kind.COLUMN_ALTERED, None, 6000, 6000)]
    await sql("UPDATE audit.events SET leaf_hash = sha256('') WHERE ledger = 'default' AND position = 3000")(
        victim.owner
    )
    assert found(await victim.verify(scope)) == [(Kind.CHAIN_BROKEN, None, 3000, 3000)]


async def test_a_trusted_checkpoint_of_other_events_ends_the_verification(victim: Victim) -> None:
    """What it would be trusted for is not there."""
    since = await kept_before(victim, 5000)
    await forging.rewrite_from(victim.owner, 100)
    verdict = await victim.verify(Scope(since=since, tables=False, workers=0))
    assert found(verdict) == [(Kind.REWRITTEN, None, 1, 5000)]


async def test_the_seeded_checkpoints_are_of_the_service(victim: Victim) -> None:
    """So that the attacks on them are attacks on the real thing."""
    async with victim.trail() as trail:
        assert isinstance(trail.kept_checkpoints, KeptCheckpoints)
        keys = [used.key for used in await trail.kept_checkpoints.notes.keys(DEFAULT_LEDGER)]
        note = (victim.data_dir / "checkpoints" / "default").read_text()
        assert open_checkpoint(note, keys)[0].size == EVENTS
