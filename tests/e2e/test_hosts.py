"""Several hosts on one database, of which some only serve."""

from datetime import timedelta

from aiohttp import ClientSession

from domain.words import Role
from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.running import fresh_ledger, running


async def test_a_host_without_background_work_leaves_it_to_the_others(
    database_url: str, session: ClientSession
) -> None:
    """It records and answers; its tables move as soon as another host looks after them."""
    ledger = fresh_ledger()
    with running(database_url, background=False) as serving:
        _, reporting = await serving.create_key(ledger, Role.MODULE)
        _, reading = await serving.create_key(ledger, Role.AUDITOR, lives_for=timedelta(hours=1))
        auditor = Client(session, serving.address, reading)
        receipt = await Client(session, serving.address, reporting).record(command_data())
        assert (await auditor.page())["events"] == []
        assert await _lag(auditor) >= receipt["position"]
        with running(database_url):
            await auditor.shown(receipt)
            shown = (await auditor.page({"min_position": str(receipt["position"])}))["events"]
            assert receipt["event_id"] in {event["event_id"] for event in shown}


async def _lag(client: Client) -> int:
    ready = await client.get("/readyz")
    return int(ready.json["projectors"]["activity"]["lag"])
