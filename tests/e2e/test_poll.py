"""A poll that waits: for machines that have no WebSocket."""

import asyncio
from typing import Any

import pytest

from domain.words import Role
from tests.builders import command_data, login_data
from tests.e2e.client import Client
from tests.e2e.conftest import Callers

REVOKED = {"order": "recorded", "activity": "certificate.revoked"}


async def end_of(auditor: Client) -> str:
    """The cursor behind all that there is."""
    page = await auditor.page(REVOKED)
    while page["events"]:
        page = await auditor.page({**REVOKED, "cursor": page["next"]})
    return str(page["next"])


async def test_it_answers_as_soon_as_something_matches(module: Client, auditor: Client) -> None:
    """And not for what does not match; one poll after the other misses nothing."""
    cursor = await end_of(auditor)
    found: list[int] = []
    sent: list[int] = []
    for _ in range(5):
        poll = asyncio.create_task(auditor.page({**REVOKED, "wait": "60", "cursor": cursor}))
        await module.record(login_data())
        sent.append((await module.record(command_data()))["position"])
        async with asyncio.timeout(20):
            page = await poll
        found += [event["position"] for event in page["events"]]
        cursor = page["next"]
    assert found == sent


async def test_what_is_there_is_not_waited_for(module: Client, auditor: Client) -> None:
    """From the beginning, it is a page like any other."""
    await auditor.shown(await module.record(command_data()))
    async with asyncio.timeout(20):
        assert len((await auditor.page({**REVOKED, "wait": "60"}))["events"]) == 1


async def test_it_is_empty_after_its_time(module: Client, auditor: Client) -> None:
    """With a cursor that goes on behind all that was looked through."""
    cursor = await end_of(auditor)
    await auditor.shown(await module.record(login_data()))
    page = await auditor.page({**REVOKED, "wait": "1", "cursor": cursor})
    assert (page["events"], page["next"] != cursor) == ([], True)


async def test_two_who_poll_everything_come_to_rest(callers: Callers, module: Client) -> None:
    """The searches of one do not wake the other for ever."""
    auditors = [await callers.create(Role.AUDITOR) for _ in range(2)]
    await auditors[0].shown(await module.record(command_data()))

    async def poll(auditor: Client) -> Any:
        page = await auditor.page({"order": "recorded", "wait": "1"})
        while page["events"]:
            page = await auditor.page({"order": "recorded", "wait": "1", "cursor": page["next"]})

    async with asyncio.timeout(30):
        await asyncio.gather(*map(poll, auditors))


@pytest.mark.parametrize(
    "query",
    [
        "wait=1",
        "order=occurred&wait=1",
        "order=recorded&wait=61",
        "order=recorded&wait=-1",
        "order=recorded&wait=x",
    ],
)
async def test_a_wait_that_makes_no_sense_is_refused(auditor: Client, query: str) -> None:
    """Newest first, what is new does not come next; and no connection is held for ever."""
    answer = await auditor.call("GET", f"/v1/events?{query}")
    assert (answer.status, answer.parameters) == (422, ["wait"])
