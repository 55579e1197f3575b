"""The service is killed in the middle of an export: no whole file exists, and the ledger says so, once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from aiohttp import ClientError, ClientPayloadError, ClientSession

from application.lost_exports import LOST_SECONDS
from domain.words import Role
from tests.builders import command_data
from tests.chaos.service import ServiceProcess, service_process
from tests.e2e.client import Client

_PATIENCE_SECONDS = 60


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    async with service_process(tmp_path) as service:
        yield service


async def exports(owner: Any) -> list[dict[str, Any]]:
    rows = await owner.fetch("SELECT record FROM audit.events WHERE topic = 'AuditTrailExported' ORDER BY position")
    return [orjson.loads(row["record"]) for row in rows]


async def notes(owner: Any) -> int:
    count: int = await owner.fetchval("SELECT count(*) FROM audit.exports")
    return count


async def test_an_export_that_was_killed_is_recorded_once(service: ServiceProcess) -> None:
    """By one of the workers that come afterwards; those find nothing more to say."""
    module, auditor = [await service.create_key(role) for role in (Role.MODULE, Role.AUDITOR)]
    async with ClientSession() as session:
        receipts = await Client(session, service.address, module).record_all(
            command_data(changes=[{"path": "/a", "old": "x" * 20_000, "new": str(n)}]) for n in range(900)
        )
        client = Client(session, service.address, auditor)
        await client.shown(receipts[-1])
        headers = {"Authorization": f"Bearer {auditor}"}
        async with session.get(f"{service.address}/v1/events/export.jsonl", headers=headers) as response:
            await response.content.readany()
            await service.kill_all()
            with pytest.raises((ClientPayloadError, ClientError, ConnectionError)):
                await response.content.read()
    owner = await asyncpg.connect(service.owner_url)
    try:
        # Half a minute later, unless the service took that long to come back.
        await owner.execute(
            "UPDATE audit.exports SET seen_at = seen_at - make_interval(secs => $1)", float(LOST_SECONDS)
        )
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while await notes(owner):  # noqa: ASYNC110  # Processes of others have no event.
                await asyncio.sleep(0.05)
        (event,) = await exports(owner)
    finally:
        await owner.close()
    assert event["status"] == "failure"
    assert event["failure"] == {"code": "interrupted", "reason": "the process that made it ended"}
    assert event["correlation_id"] == response.headers["X-Export-Id"]
    assert event["details"]["rows"] < len(receipts)
    assert "sha256" not in event["details"]
