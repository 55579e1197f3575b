"""The service verifies what is new every minute and everything at night, and tells of what it finds once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from adapters import bootstrap
from adapters.bootstrap import Trail
from adapters.settings import Settings
from application.self_check import Schedule, SelfCheck
from application.verification import Scope
from domain.credential import Credential
from domain.verdict import Verdict
from domain.verification_run import VerificationKind
from domain.words import DEFAULT_LEDGER, Ledger, Role
from projections.lease import Lease
from tests.integration.projections.stage import Stage, opened
from tests.integration.projections.varied import drafts

EVENING = datetime(2026, 11, 24, 22, tzinfo=UTC)
AUDITOR = Credential(DEFAULT_LEDGER, "auditor", "An auditor", Role.AUDITOR, frozenset(), None, EVENING)

_OWN = """
SELECT position, topic, convert_from(record, 'UTF8')::jsonb AS facts FROM audit.events
WHERE ledger = $1 AND topic IN ('AuditTrailVerified', 'AuditTamperingDetected') ORDER BY position
"""


@dataclass
class Service:
    """One process of the service, whose clock stands still until a test moves it."""

    trail: Trail
    stage: Stage
    now: datetime = EVENING

    def self_check(self, holder: str = "one", **changes: Any) -> SelfCheck:
        verifications = self.trail.services.verifications
        schedule = Schedule(**{"workers": 0, **changes})
        return SelfCheck(
            verifications,
            verifications.store.heads,  # type: ignore[attr-defined]
            verifications._verify.scan.extent,
            Lease(self.trail.projector_pool, "self-check", holder),
            lambda ledger: Lease(self.trail.projector_pool, f"verification of {ledger}", holder),
            lambda: self.now,
            schedule,
        )

    async def append(self, count: int, ledger: Ledger = DEFAULT_LEDGER) -> None:
        await self.stage.append(drafts(Random(count), count, ledger), ledger)

    async def own(self, ledger: Ledger = DEFAULT_LEDGER) -> list[tuple[str, Any]]:
        """The events about verifications: their verdict or kind, and position or the last position verified."""
        rows = await self.stage.owner.fetch(_OWN, ledger)
        found = [orjson.loads(row["facts"])["details"] for row in rows]
        return [
            (details["verdict"], details["to_position"])
            if "verdict" in details
            else (details["kind"], details.get("position"))
            for details in found
        ]

    async def as_superuser(self, statement: str) -> None:
        for table in ("events", "heads"):
            await self.stage.owner.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER ALL")
        await self.stage.owner.execute(statement)


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    settings = Settings(database_url=SecretStr(database_url), data_dir=tmp_path, pool_size=4)
    async with opened(database_url) as stage, bootstrap.trail(database_url, settings) as trail:
        with capture_logs():
            service = Service(trail, stage)
            trail.services.verifications.clock = lambda: service.now
            yield service


async def test_what_is_new_is_verified_and_recorded(service: Service) -> None:
    """From where the ledger ended when the service first looked."""
    check = service.self_check()
    await service.append(10)
    await check.check()
    assert await service.own() == []
    await service.append(5)
    await check.check()
    assert await service.own() == [("intact", 15)]


async def test_the_check_does_not_feed_itself(service: Service) -> None:
    """Its own event alone is verified, and is no news; what comes with it is."""
    check = service.self_check()
    await service.append(3)
    await check.check()
    await service.append(3)
    for _ in range(4):
        await check.check()
    assert await service.own() == [("intact", 6)]
    await service.append(1)
    for _ in range(3):
        await check.check()
    assert await service.own() == [("intact", 6), ("intact", 8)]


async def test_tampering_with_what_is_new_is_told_once(service: Service) -> None:
    """As events and as the alarm, which stays; the check goes on behind it."""
    check = service.self_check()
    await service.append(3)
    await check.check()
    await service.append(5)
    await service.as_superuser("UPDATE audit.events SET topic = 'X' WHERE position = 5")
    for _ in range(3):
        await check.check()
    assert await service.own() == [("column-altered", 5), ("tampered", 8)]
    store = service.trail.services.verifications.store
    assert await store.alarms() == 1
    await service.append(2)
    await check.check()
    assert (await service.own())[2:] == [("intact", 12)]
    assert await store.alarms() == 1


async def test_a_ledger_rewritten_before_what_is_new_is_found_within_a_minute(service: Service) -> None:
    """The chain no longer goes on from the hash that the process remembers."""
    check = service.self_check()
    await service.append(6)
    await check.check()
    await service.as_superuser("UPDATE audit.events SET chain_hash = sha256('x') WHERE position = 6")
    await service.append(2)
    await check.check()
    assert [kind for kind, _ in await service.own()] == ["chain-hash-altered", "tampered"]
    assert (await service.own())[0] == ("chain-hash-altered", 6)


async def test_a_ledger_cut_back_is_found(service: Service) -> None:
    """It was longer when it was verified last."""
    check = service.self_check()
    await service.append(6)
    await check.check()
    await service.as_superuser("DELETE FROM audit.events WHERE position > 4")
    await service.as_superuser(
        "UPDATE audit.heads SET (position, chain_hash, recorded_at) = "
        "(SELECT position, chain_hash, recorded_at FROM audit.events WHERE position = 4)"
    )
    await check.check()
    assert (await service.own())[0] == ("tail-cut", 5)


async def test_a_ledger_at_rest_is_looked_at_and_not_read(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look tells of all ledgers; what comes to one is read, and each is read every ten minutes."""
    read: list[Ledger] = []
    verdict = service.trail.services.verifications.verdict

    async def counted(ledger: Ledger, scope: Scope) -> Verdict:
        read.append(ledger)
        return await verdict(ledger, scope)

    monkeypatch.setattr(service.trail.services.verifications, "verdict", counted)
    busy, ledgers = DEFAULT_LEDGER, [DEFAULT_LEDGER, *(Ledger(f"at-rest-{number}") for number in range(5))]
    for ledger in ledgers:
        await service.append(2, ledger)
    check = service.self_check()
    await check.check()
    assert sorted(read) == sorted(ledgers)
    read.clear()
    await service.append(3, busy)
    await check.check()
    await check.check()
    await check.check()
    assert set(read) == {busy}
    read.clear()
    service.now += timedelta(minutes=10)
    await check.check()
    assert sorted(read) == sorted(ledgers)
    assert await service.own(busy) == [("intact", 5)]


async def test_everything_is_verified_once_a_night(service: Service) -> None:
    """Also in ledgers where nothing happens, and the read tables with it."""
    await service.append(4)
    await service.append(4, Ledger("other"))
    await service.stage.project()
    await service.stage.project(ledger=Ledger("other"))
    check = service.self_check(nightly_at=time(3), tail_seconds=None)
    await check.check()
    assert await service.own() == []
    service.now = EVENING + timedelta(hours=5, seconds=30)
    await check.check()
    await check.check()
    assert await service.own() == [("intact", 4)]
    assert await service.own(Ledger("other")) == [("intact", 4)]
    service.now += timedelta(days=1)
    await check.check()
    assert await service.own() == [("intact", 4), ("intact", 5)]


async def test_the_night_finds_what_the_minutes_do_not(service: Service) -> None:
    """A change in what was verified long ago; and a good night ends the alarm."""
    await service.append(6)
    check = service.self_check(nightly_at=time(3))
    await check.check()
    await service.as_superuser("UPDATE audit.events SET topic = 'X' || topic WHERE position = 2")
    await check.check()
    assert await service.own() == []
    service.now = EVENING + timedelta(hours=6)
    await check.check()
    assert await service.own() == [("column-altered", 2), ("tampered", 6)]
    store = service.trail.services.verifications.store
    assert await store.alarms() == 1
    await service.as_superuser("UPDATE audit.events SET topic = substr(topic, 2) WHERE position = 2")
    service.now += timedelta(days=1)
    await check.check()
    assert (await service.own())[2:] == [("intact", 8)]
    assert await store.alarms() == 0


async def test_one_process_at_a_time_checks(service: Service) -> None:
    """Another takes over when it ends, from what is kept."""
    one, two = service.self_check("one"), service.self_check("two")
    await service.append(3)
    await one.check()
    await service.append(3)
    await one.check()
    await service.append(3)
    await two.check()
    assert await service.own() == [("intact", 6)]
    await one._turn.release()
    await service.self_check("two").check()
    assert await service.own() == [("intact", 6), ("intact", 10)]


async def test_a_night_waits_for_a_verification_that_runs(service: Service) -> None:
    """Somebody has asked for one; the night's comes with the next look."""
    await service.append(4)
    check = service.self_check(nightly_at=time(3), tail_seconds=None)
    service.now = EVENING + timedelta(hours=6)
    running = Lease(service.trail.projector_pool, f"verification of {DEFAULT_LEDGER}", "somebody")
    assert await running.hold()
    await check.check()
    assert await service.own() == []
    await running.release()
    await check.check()
    assert await service.own() == [("intact", 4)]


async def test_a_tail_keeps_one_row_however_often_it_is_verified(service: Service) -> None:
    """There are half a million minutes in a year."""
    check = service.self_check()
    await service.append(1)
    await check.check()
    for _ in range(4):
        await service.append(2)
        await check.check()
    assert await service.stage.owner.fetchval("SELECT count(*) FROM audit.verifications") == 1


async def test_a_verification_whose_process_died_is_told_of_as_interrupted(service: Service) -> None:
    """A minute after its last word."""
    verifications = service.trail.services.verifications
    run = verifications.begun(AUDITOR, Scope(), VerificationKind.REQUESTED)
    await verifications.store.keep(run)
    found = await verifications.store.find(DEFAULT_LEDGER, run.id)
    assert found is not None
    assert found.state(run.started_at + timedelta(seconds=30)) == "running"
    assert found.state(run.started_at + timedelta(seconds=90)) == "interrupted"
