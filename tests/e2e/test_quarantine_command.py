"""`certinext-audit quarantine`: list, show and retry."""

import orjson
import psycopg
import pytest
from aiohttp import ClientSession

from domain.words import DEFAULT_LEDGER, Ledger, Module, Role
from tests.builders import command_data, login_data
from tests.e2e.client import LINES, Client
from tests.e2e.processes import run
from tests.e2e.running import running

BROKEN = b"\x1b[31m{\xff"


@pytest.fixture
async def sent(database_url: str, session: ClientSession) -> list[str]:
    """The ids in quarantine of something broken and two log-ins that the sender may not report."""
    with running(database_url) as service:
        _, key = await service.create_key(
            DEFAULT_LEDGER, Role.MODULE, modules=frozenset({Module.CERTIFICATE_OPERATIONS})
        )
        module = Client(session, service.address, key)
        lines = [BROKEN, *(orjson.dumps(login_data(command_id=f"login-{number}")) for number in (1, 2))]
        answer = await module.send(b"\n".join([*lines, orjson.dumps(command_data())]), LINES)
        return [line["quarantine_id"] for line in answer.lines[:3]]


def allow(url: str) -> None:
    with psycopg.connect(url) as owner:
        owner.execute("UPDATE audit.credentials SET modules = '{user_activity}'")


async def test_what_is_in_quarantine_is_listed_and_shown(database_url: str, sent: list[str]) -> None:
    """For machines and for people; the bytes go out as they came in, and none of them commands a terminal."""
    settings = {"database_url": database_url}
    listed = await run("quarantine", "list", "--json", settings=settings)
    assert (listed.code, [entry["id"] for entry in listed.json]) == (0, sent[::-1])
    chosen = await run("quarantine", "list", "--kind", "invalid-json", "--json", settings=settings)
    assert [entry["id"] for entry in chosen.json] == sent[:1]
    assert (await run("quarantine", "list", "--state", "retried", "--json", settings=settings)).out == ""
    table = await run("quarantine", "list", settings=settings)
    assert (table.code, table.out) == (0, "")
    assert sent[0] in table.complaint

    shown = await run("quarantine", "show", sent[0], "--json", settings=settings)
    assert shown.json == [listed.json[2] | {"body": "G1szMW17/w==", "body_encoding": "base64"}]
    readable = await run("quarantine", "show", sent[1], settings=settings)
    assert orjson.loads(readable.out)["command_id"] == "login-1"
    assert "not-permitted" in readable.complaint


async def test_a_retry_succeeds_once_its_reason_is_gone(database_url: str, sent: list[str]) -> None:
    """And is bad news before; with --all the oldest goes first, and one bad one does not stop the others."""
    settings = {"database_url": database_url}
    refused = await run("quarantine", "retry", sent[1], settings=settings)
    assert (refused.code, refused.out) == (1, "")
    assert "user_activity" in refused.complaint
    allow(database_url)
    one = await run("quarantine", "retry", sent[2], "--json", settings=settings)
    assert (one.code, one.json[0]["retried"], one.json[0]["duplicate"]) == (0, True, False)
    everything = await run("quarantine", "retry", "--all", "--json", settings=settings)
    assert everything.code == 1
    assert [(result["id"], result["retried"]) for result in everything.json] == [(sent[0], False), (sent[1], True)]
    assert everything.json[0]["problem"]["status"] == 400
    assert everything.json[1]["position"] == one.json[0]["position"] + 1
    again = await run("quarantine", "retry", sent[1], settings=settings)
    assert again.code == 0
    assert str(everything.json[1]["position"]) in again.out
    retried = await run("quarantine", "list", "--state", "retried", "--json", settings=settings)
    assert {entry["id"] for entry in retried.json} == set(sent[1:])


async def test_another_ledger_has_another_quarantine(database_url: str, sent: list[str]) -> None:
    """Nothing of this one is listed, shown or retried there."""
    settings = {"database_url": database_url}
    elsewhere = ("--ledger", Ledger("elsewhere"))
    assert (await run("quarantine", "list", "--json", *elsewhere, settings=settings)).out == ""
    assert (await run("quarantine", "show", sent[0], *elsewhere, settings=settings)).code == 1
    assert (await run("quarantine", "retry", sent[0], *elsewhere, settings=settings)).code == 1
    assert (await run("quarantine", "retry", "--all", *elsewhere, settings=settings)).code == 0


@pytest.mark.parametrize("action", ["show", "retry"])
@pytest.mark.parametrize("quarantine_id", ["nonsense", "", "0198c0de-0000-7000-8000-000000000000"])
async def test_what_is_not_there_is_bad_news(database_url: str, action: str, quarantine_id: str) -> None:
    """The answer is that there is none."""
    ended = await run("quarantine", action, quarantine_id, settings={"database_url": database_url})
    assert (ended.code, ended.out) == (1, "")
    assert "in quarantine" in ended.complaint
    assert "Traceback" not in ended.complaint


@pytest.mark.parametrize(
    "arguments",
    [
        ["retry"],
        ["retry", "0198c0de-0000-7000-8000-000000000000", "--all"],
        ["show"],
        ["list", "--kind", "boredom"],
        ["list", "--limit", "0"],
        ["list", "--ledger", "My Ledger"],
        ["list", "--source", ""],
        ["list", "--source", "x" * 300],
        ["delete", "x"],
    ],
)
async def test_what_cannot_be_done_is_told(database_url: str, arguments: list[str]) -> None:
    """It ends with 2."""
    ended = await run("quarantine", *arguments, settings={"database_url": database_url})
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.complaint
