"""`certinext-audit reconstruct` and `investigate`, as people and programs run them."""

import asyncio

import psycopg
import pytest
from aiohttp import ClientSession

from domain.words import DEFAULT_LEDGER, Role
from tests.e2e.client import Client
from tests.e2e.processes import run
from tests.e2e.running import running
from tests.told import ISSUED, REVOKED, actor, sent


async def _seed(database_url: str) -> None:
    """A certificate was issued, named with a control character, and revoked in a session."""
    certificate = {"type": "certificate", "id": "c-1", "name": "www\x1b[31m.example"}
    with running(database_url) as service:
        async with ClientSession() as session:
            _, key = await service.create_key(DEFAULT_LEDGER, Role.MODULE)
            receipts = await Client(session, service.address, key).record_all([
                sent("IssueCertificate", "certificate:c-1", 1, details=ISSUED | {"ca_id": "ca"})
                | {"entity": certificate},
                sent("RevokeCertificate", "certificate:c-1", 5, details=REVOKED, actor=actor("u-1", session_id="s-1")),
                sent("ExportKey", "key:k", 6, actor=actor("u-1", session_id="s-1", ip="10.0.0.9")),
            ])  # fmt: skip
            _, key = await service.create_key(DEFAULT_LEDGER, Role.AUDITOR)
            auditor = Client(session, service.address, key)
            for table in ("findings", "entities/key", "events"):
                answer = await auditor.get(f"/v1/{table}", {"min_position": str(receipts[-1]["position"])})
                assert answer.status == 200


@pytest.fixture(scope="module")
def settings(shared_database_url: str) -> dict[str, str]:
    """Of a database in which this happened; what the commands add to it is that somebody asked."""
    asyncio.run(_seed(shared_database_url))
    return {"database_url": shared_database_url}


async def test_an_entity_is_told_to_people_and_to_machines(settings: dict[str, str]) -> None:
    """As it was; a stranger's text commands no terminal."""
    at = ("reconstruct", "certificate", "c-1", "--at", "2026-11-24T10:02:00Z")
    machine = await run(*at, "--json", settings=settings)
    (found,) = machine.json
    assert (machine.code, found["state"], found["version"], found["attributes"]["issuer"]) == (0, "valid", 1, "ca")
    people = await run(*at, "--timeline", settings=settings)
    assert (people.code, people.complaint) == (0, "")
    assert "\x1b" not in people.out
    for words in ("state     valid", "issuer: certificate_authority ca", "unknown   ", "every record holds"):
        assert words in people.out
    now = await run("reconstruct", "certificate", "c-1", "--timeline", "--json", settings=settings)
    assert now.json[0]["state"] == "revoked"
    assert [step["activity"] for step in now.json[0]["timeline"]] == ["certificate.issued", "certificate.revoked"]
    position = str(now.json[0]["first"]["position"])
    first = await run("reconstruct", "certificate", "c-1", "--position", position, "--json", settings=settings)
    assert first.json[0]["replayed_to"]["position"] == int(position)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("certificate", "c-9"), 1, "no event of the ledger default is about the certificate c-9"),
        (("spaceship", "c-9"), 1, "there are acme_account"),
        (("certificate", "c-1", "--at", "2020-01-01T00:00:00Z"), 1, "its first event, certificate.issued"),
        (("certificate", "c-1", "--at", "yesterday"), 2, "--at: 'yesterday' must be an RFC 3339 time"),
        (("certificate", "c-1", "--at", "2126-01-01T00:00:00Z"), 2, "--at: must not be in the future"),
        (("certificate", "c-1", "--position", "9999"), 2, "--position: must not be after the last event"),
        (("certificate", "c-1", "--position", "0"), 2, "position"),
        (("certificate", "c-1", "--position", "1", "--at", "2026-11-24T10:00:00Z"), 2, "exclude each other"),
        (("certificate",), 2, "ID"),
    ],
)
async def test_what_cannot_be_reconstructed_says_why(
    settings: dict[str, str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    """1 if nothing is known, 2 if it was asked wrongly."""
    ended = await run("reconstruct", *arguments, settings=settings)
    assert ended.code == code
    assert words in ended.complaint + ended.out


async def test_a_broken_record_is_bad_news(database_url: str) -> None:
    """Named by its position."""
    await _seed(database_url)
    with psycopg.connect(database_url) as owner:
        owner.execute("ALTER TABLE audit.events DISABLE TRIGGER ALL")
        owner.execute("UPDATE audit.events SET record = record || ' '::bytea WHERE topic = 'CertificateRevoked'")
        row = owner.execute("SELECT position FROM audit.events WHERE topic = 'CertificateRevoked'").fetchone()
    assert row is not None
    ended = await run("reconstruct", "certificate", "c-1", settings={"database_url": database_url})
    assert (ended.code, ended.out) == (1, "")
    assert f"the record at position {row[0]} does not hold" in ended.complaint


async def test_an_investigation_is_told_to_people_and_to_machines(settings: dict[str, str]) -> None:
    machine = await run("investigate", "--session", "s-1", "--json", settings=settings)
    (found,) = machine.json
    assert [event["activity"] for event in found["events"]] == ["certificate.revoked", "key.exported"]
    assert [finding["rule"] for finding in found["findings"]] == ["key_outside_ceremony"]
    people = await run("investigate", "--session", "s-1", settings=settings)
    assert people.code == 0
    assert "\x1b" not in people.out
    for words in ("session s-1: 2 events", "/state: valid -> revoked", "[10.0.0.9]", "critical", "does not tell"):
        assert words in people.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--session", "s-none"), 1, "session s-none: 0 events"),
        ((), 2, "give exactly one of --actor, --session, --token, --ip, --correlation"),
        (("--actor", "u-1", "--ip", "10.0.0.9"), 2, "give exactly one of"),
        (("--actor", "u-1", "--from", "yesterday"), 2, "--from: 'yesterday' must be an RFC 3339 time"),
        (
            ("--actor", "u-1", "--from", "2026-11-25T10:00:00Z", "--to", "2026-11-24T10:00:00Z"),
            2,
            "--from must be before",
        ),
        (("--actor", "u-1", "--limit", "0"), 2, "limit"),
    ],
)
async def test_what_cannot_be_investigated_says_why(
    settings: dict[str, str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    ended = await run("investigate", *arguments, settings=settings)
    assert ended.code == code
    assert words in ended.complaint + ended.out
