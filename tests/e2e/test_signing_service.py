"""The service signs: across restarts, rotations and a database that somebody has changed meanwhile."""

import asyncio
import stat
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.checkpoint import Checkpoint, open_checkpoint
from domain.signed_note import SignedNote, VerifierKey
from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.processes import Serving, run, serving
from tests.e2e.test_command_line import could_not, create
from tests.e2e.test_proofs import covered
from tests.patience import PATIENCE
from tests.unit.test_signing_files import pem


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"database_url": database_url, "data_dir": str(tmp_path / "data")}


async def callers(settings: dict[str, str], session: ClientSession, service: Serving) -> tuple[Client, Client]:
    """Who records, and who reads."""
    keys = [(await create(settings, "--name", role, "--role", role))["key"] for role in ("module", "auditor")]
    module, auditor = (Client(session, service.address, key) for key in keys)
    return module, auditor


async def keys_of(settings: dict[str, str], *command: str) -> list[dict[str, Any]]:
    ended = await run(*command, "--json", settings=settings)
    assert ended.code == 0, ended
    return ended.json


async def test_what_was_recorded_last_is_signed_at_stop(settings: dict[str, str], session: ClientSession) -> None:
    """And kept in the data folder, for its owner alone; the next start goes on from there."""
    for _ in range(2):
        async with serving(settings) as service:
            module, _ = await callers(settings, session, service)
            receipts = await module.record_all(command_data() for _ in range(300))
            assert (await service.stop()).code == 0
        with psycopg.connect(settings["database_url"]) as owner:
            rows = owner.execute("SELECT size, note FROM audit.checkpoints ORDER BY size DESC LIMIT 1").fetchall()
            assert owner.execute("SELECT position FROM audit.heads").fetchall() == [(rows[0][0],)]
        assert rows[0][0] >= receipts[-1]["position"]
        kept = Path(settings["data_dir"]) / "checkpoints" / "default"
        assert kept.read_text() == rows[0][1]
        for file in (kept, Path(settings["data_dir"]) / "signing-key"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_rotation_is_taken_up_and_keeps_old_checkpoints_verifiable(
    settings: dict[str, str], session: ClientSession
) -> None:
    """By a service that runs; the rotation is an event, and all that list keys agree."""
    async with serving(settings) as service:
        module, auditor = await callers(settings, session, service)
        before = await covered(auditor, (await module.record(command_data()))["position"])
        [rotated] = await keys_of(settings, "signing-keys", "rotate")
        after = await covered(auditor, (await module.record(command_data()))["position"])
        listed = await keys_of(settings, "signing-keys", "list")
        assert await keys_of(settings, "keys", "signing") == listed
        published = await Client(session, service.address, None).get("/.well-known/certinext-audit/keys")
        assert published.json["keys"] == listed
        assert [key["public_key"] for key in listed] == [rotated["previous_public_key"], rotated["public_key"]]
        old, new = (VerifierKey.parse(key["verifier_key"]) for key in listed)
        assert [open_checkpoint(note, [old, new])[1] for note in (before, after)] == [old, new]
        assert [key["current"] for key in listed] == [False, True]
        await auditor.shown(await module.record(command_data()))
        [event] = (await auditor.page({"activity": "audit_signing_key.rotated"}))["events"]
        assert event["details"] == rotated
        words = await run("signing-keys", "list", settings=settings)
        assert str(new) in words.complaint
        assert (await service.stop()).code == 0


async def test_a_rewritten_database_is_an_alarm(settings: dict[str, str], session: ClientSession) -> None:
    """Readiness, a figure and the log say so, and no further checkpoint is signed; the service goes on."""
    async with serving(settings) as service:
        module, auditor = await callers(settings, session, service)
        await covered(auditor, (await module.record(command_data()))["position"])
        await service.stop()
    with psycopg.connect(settings["database_url"], autocommit=True) as owner:
        for table in ("events", "checkpoints", "signing_keys"):
            owner.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER ALL".encode())
        owner.execute("UPDATE audit.events SET leaf_hash = sha256(leaf_hash) WHERE position = 2")
        for forgotten in ("audit.checkpoints", "audit.signing_keys", "reading.tracking"):
            owner.execute(f"DELETE FROM {forgotten}".encode())
    async with serving(settings) as service:
        module, auditor = (Client(session, service.address, caller.key) for caller in (module, auditor))
        async with asyncio.timeout(PATIENCE):
            while (ready := (await auditor.get("/readyz"))).json["checkpoints"] != "refused":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (ready.status, ready.json["status"]) == (200, "degraded")
        figures = (await auditor.get("/metrics")).body.decode()
        assert "certinext_audit_signing_alarms 1.0" in figures
        assert 'certinext_audit_checkpoints_total{outcome="refused"}' in figures
        await module.record(command_data())
        assert (await auditor.get("/v1/checkpoints/latest")).kind == "not-signed"
        ended = await service.stop()
        assert "checkpoint_refused" in ended.complaint
        assert "not the continuation of the checkpoint of size" in ended.complaint


async def test_a_key_may_be_given_and_is_then_not_ours_to_rotate(
    settings: dict[str, str], session: ClientSession, tmp_path: Path
) -> None:
    """All hosts with the same key sign alike; the key is never shown."""
    private = Ed25519PrivateKey.generate()
    file = tmp_path / "key.pem"
    file.write_text(pem(private))
    given = settings | {"signing_key": pem(private), "service_name": "audit.example"}
    async with serving(given) as service:
        module, auditor = await callers(given, session, service)
        note = await covered(auditor, (await module.record(command_data()))["position"])
        checkpoint = Checkpoint.parse(SignedNote.parse(note).text)
        assert checkpoint.origin == "audit.example/default"
        open_checkpoint(note, [VerifierKey(checkpoint.origin, private.public_key().public_bytes_raw())])
        ended = await service.stop()
    could_not(await run("signing-keys", "rotate", settings=given), "CERTINEXT_AUDIT_SIGNING_KEY", "give another")
    by_file = settings | {"signing_key_file": str(file), "service_name": "audit.example"}
    [key] = await keys_of(by_file, "signing-keys", "list")
    assert key["first_used_at"] is not None
    assert not (Path(settings["data_dir"]) / "signing-key").exists()
    secret = pem(private).splitlines()[1]
    assert secret not in ended.out + ended.complaint


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"signing_key": "c2VjcmV0"}, ("CERTINEXT_AUDIT_SIGNING_KEY ", "not a private key")),
        ({"signing_key_file": "/nowhere/key"}, ("CERTINEXT_AUDIT_SIGNING_KEY_FILE", "/nowhere/key")),
        ({"signing_key": "c2VjcmV0", "signing_key_file": "/nowhere/key"}, ("not both",)),
        ({"service_name": "two words"}, ("CERTINEXT_AUDIT_SERVICE_NAME",)),
        ({"service_name": "a+b"}, ("CERTINEXT_AUDIT_SERVICE_NAME",)),
    ],
)
async def test_settings_that_do_not_fit_are_told_at_start(
    settings: dict[str, str], bad: dict[str, str], words: tuple[str, ...]
) -> None:
    ended = await run("serve", settings=settings | bad)
    could_not(ended, *words)
    assert "c2VjcmV0" not in ended.complaint
