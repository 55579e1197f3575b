"""The command line: what it prints, and how it ends: 0 good, 1 bad news, 2 could not do it."""

import asyncio
import re
import socket
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiohttp import ClientSession

from adapters.embedded import EmbeddedDatabase
from adapters.postgres.schema import latest_version
from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.processes import Ended, run, serving

KEY = re.compile(r"cna_default_[a-z0-9-]+_[0-9a-f]{64}")


@pytest.fixture
def settings(database_url: str) -> dict[str, str]:
    return {"database_url": database_url}


def could_not(ended: Ended, *words: str) -> None:
    """It ended with 2, and with a complaint that holds these words and is for people."""
    assert ended.code == 2, ended
    assert ended.out == ""
    for word in words:
        assert word in ended.complaint
    assert "Traceback" not in ended.complaint


async def create(settings: dict[str, str], *more: str | bytes) -> Any:
    ended = await run("keys", "create", "--json", *more, settings=settings)
    assert ended.code == 0, ended
    (made,) = ended.json
    return made


async def test_keys_are_made_listed_and_revoked(settings: dict[str, str]) -> None:
    """A key is printed once; lists show all but it; a revoked key cannot be revoked again."""
    made = await create(
        settings, "--name", "Portal", "--role", "module", "--modules", "user_activity", "key_automation"
    )
    assert KEY.fullmatch(made["key"])
    assert made["key"].split("_")[2] == made["id"]
    assert (made["name"], made["role"], made["ledger"]) == ("Portal", "module", "default")
    assert made["modules"] == ["key_automation", "user_activity"]
    people = await create(settings, "--name", "Asha", "--role", "user", "--actor", "u-17", "--expires-in", "90d")
    assert people["actor_id"] == "u-17"
    assert people["expires_at"] > people["created_at"]

    listed = await run("keys", "list", "--json", settings=settings)
    assert listed.json == [{name: value for name, value in key.items() if name != "key"} for key in (made, people)]
    revoked = await run("keys", "revoke", made["id"], "--json", settings=settings)
    assert (revoked.code, revoked.json) == (0, [{"id": made["id"], "revoked": True}])
    again = await run("keys", "revoke", made["id"], settings=settings)
    assert (again.code, again.out) == (1, "")
    assert made["id"] in again.complaint
    listed = await run("keys", "list", settings=settings)
    for word in ("Portal", "Asha", "revoked", "valid until"):
        assert word in listed.out + listed.complaint
    assert made["key"] not in listed.out + listed.complaint


async def test_a_key_for_people_is_explained(settings: dict[str, str]) -> None:
    """Without --json the key is shown with a word of warning."""
    ended = await run("keys", "create", "--name", "A", "--role", "auditor", settings=settings)
    assert ended.code == 0
    assert KEY.search(ended.out)
    assert "not shown again" in ended.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--name", "A", "--role", "emperor"], ["role", "emperor"]),
        (["--name", "A"], ["role"]),
        (["--role", "auditor"], ["name"]),
        (["--name", "", "--role", "auditor"], ["name"]),
        (["--name", "x" * 101, "--role", "auditor"], ["name"]),
        (["--name", b"\xff", "--role", "auditor"], ["UTF-8"]),
        (["--name", "A", "--role", "module", "--modules", "marketing"], ["modules", "marketing"]),
        (["--name", "A", "--role", "auditor", "--modules", "user_activity"], ["modules"]),
        (["--name", "A", "--role", "user"], ["actor"]),
        (["--name", "A", "--role", "user", "--actor", ""], ["actor"]),
        (["--name", "A", "--role", "user", "--actor", "x" * 257], ["actor"]),
        (["--name", "A", "--role", "user", "--actor", b"\xff"], ["UTF-8"]),
        (["--name", "A", "--role", "auditor", "--actor", "u-1"], ["actor"]),
        (["--name", "A", "--role", "auditor", "--expires-in", "soon"], ["expires-in", "soon"]),
        (["--name", "A", "--role", "auditor", "--expires-in", "-1d"], ["expires-in"]),
        (["--name", "A", "--role", "auditor", "--expires-in", "0d"], ["expires-in"]),
        (["--name", "A", "--role", "auditor", "--ledger", "My Ledger"], ["ledger", "My Ledger"]),
        (["--name", "A", "--role", "auditor", "--ledger", "x" * 64], ["ledger"]),
        (["--name", "A", "--role", "auditor", "--colour", "red"], ["colour"]),
    ],
)
async def test_what_cannot_be_made_is_named(
    shared_database_url: str, arguments: list[str | bytes], words: list[str]
) -> None:
    """Nothing is made, and the field at fault is named."""
    settings = {"database_url": shared_database_url}
    could_not(await run("keys", "create", "--json", *arguments, settings=settings), *words)
    assert (await run("keys", "list", "--json", settings=settings)).json == []


@pytest.mark.parametrize("key_id", ["nobody", "", "x" * 5000])
async def test_a_key_that_is_not_there_is_bad_news(settings: dict[str, str], key_id: str) -> None:
    """There is nothing to revoke."""
    ended = await run("keys", "revoke", key_id, settings=settings)
    assert (ended.code, ended.out) == (1, "")
    assert "Traceback" not in ended.complaint


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", "eighty"), ("port", "70000"), ("log_level", "loud"), ("max_command_bytes", "1"), ("pool_size", "0")],
)
async def test_a_setting_that_does_not_fit_is_named(settings: dict[str, str], name: str, value: str) -> None:
    """By the name of its variable."""
    could_not(await run("serve", settings=settings | {name: value}), f"CERTINEXT_AUDIT_{name.upper()}")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=2",
        "postgresql:///nothing?host=/nonexistent",
        "nonsense",
        "mysql://127.0.0.1/x",
    ],
)
@pytest.mark.parametrize("command", [["serve"], ["migrate"]])
async def test_a_database_that_does_not_answer_is_told(command: list[str], url: str) -> None:
    """In one line, without a traceback and without a password."""
    ended = await run(*command, settings={"database_url": url})
    could_not(ended, "database")


async def test_a_password_is_never_told() -> None:
    """Not even when the database does not let us in."""
    ended = await run("migrate", settings={"database_url": "postgresql://u:hunter2@127.0.0.1:1/x"})
    could_not(ended)
    assert "hunter2" not in ended.complaint


async def test_a_database_is_migrated(server: EmbeddedDatabase) -> None:
    """Before that nothing else works, and it says what to do; doing it twice does no harm."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS e2e_empty WITH (FORCE)")
        connection.execute("CREATE DATABASE e2e_empty")
    settings = {"database_url": server.url("e2e_empty")}
    could_not(await run("serve", settings=settings), "certinext-audit migrate")
    could_not(await run("keys", "list", settings=settings), "certinext-audit migrate")
    for _ in range(2):
        ended = await run("migrate", "--json", settings=settings)
        assert (ended.code, ended.json) == (0, [{"schema_version": latest_version()}])
    assert (await run("keys", "list", settings=settings)).code == 0


async def test_a_projection_is_rebuilt(settings: dict[str, str]) -> None:
    """While the service runs, which then answers from the new table."""
    key = (await create(settings, "--name", "P", "--role", "module"))["key"]
    reader = (await create(settings, "--name", "A", "--role", "auditor"))["key"]
    async with serving(settings) as service, ClientSession() as session:
        module, auditor = (Client(session, service.address, key) for key in (key, reader))
        receipts = await module.record_all(command_data() for _ in range(20))
        await auditor.shown(receipts[-1])
        before = (await auditor.get("/v1/users")).json["users"]
        for projection in ("activity", "users", "modules", "statuses", "merkle"):
            ended = await run("rebuild", projection, "--json", settings=settings)
            assert (ended.code, ended.json[0]["projection"]) == (0, projection), ended
            assert ended.json[0]["events"] >= 20
        await auditor.shown(receipts[-1])
        users = {user["id"]: user for user in (await auditor.get("/v1/users")).json["users"]}
        assert {user["id"] for user in before} <= set(users)
        assert (await auditor.get("/v1/events", {"entity": "certificate:c-42"})).json["events"]
        assert (await service.stop()).code == 0
    could_not(await run("rebuild", "nonsense", settings=settings), "nonsense", "activity")


async def test_serve_stops_cleanly_when_told_to(settings: dict[str, str]) -> None:
    """With callers still connected, and with nothing lost for the next start."""
    key = (await create(settings, "--name", "P", "--role", "module"))["key"]
    command = command_data()
    async with serving(settings) as service, ClientSession() as session:
        receipt = await Client(session, service.address, key).record(command)
        async with asyncio.timeout(5):
            ended = await service.stop()
        assert ended.code == 0
        assert "Traceback" not in ended.complaint
    async with serving(settings) as service, ClientSession() as session:
        assert await Client(session, service.address, key).record(command) == receipt | {"duplicate": True}
        assert (await service.stop()).code == 0


async def test_a_port_in_use_is_told(settings: dict[str, str]) -> None:
    """With its number and the setting to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        could_not(await run("serve", settings=settings | {"port": port}), port, "CERTINEXT_AUDIT_PORT")
    could_not(await run("serve", settings=settings | {"port": "0", "host": "192.0.2.1"}), "192.0.2.1")


@pytest.mark.parametrize("arguments", [["fly"], ["keys", "eat"], ["migrate", "--colour"], ["rebuild"]])
async def test_what_is_no_command_is_told(arguments: list[str], tmp_path: Path) -> None:
    """Nothing is started for it."""
    ended = await run(*arguments, settings={"data_dir": str(tmp_path / "data")})
    assert ended.code == 2
    assert "Traceback" not in ended.complaint
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "arguments", [["keys", "list"], ["keys", "create", "--name", "A", "--role", "auditor"], ["rebuild", "users"]]
)
async def test_only_the_service_begins_a_database(arguments: list[str], tmp_path: Path) -> None:
    """A key that is made from another folder would be one of a second, empty trail: the command says what to set."""
    folder = tmp_path / "data"
    ended = await run(*arguments, settings={"data_dir": str(folder)})
    could_not(ended, str(folder), "CERTINEXT_AUDIT_DATA_DIR", "CERTINEXT_AUDIT_DATABASE_URL")
    assert not folder.exists()


async def test_a_database_that_is_begun_is_told_of(tmp_path: Path) -> None:
    """By the absolute path of its folder, and once; then all commands find it."""
    settings = {"data_dir": str(tmp_path / "x" / ".." / "data")}
    begun = f"certinext-audit: a new embedded database is begun in {tmp_path / 'data'}\n"
    ended = await run("migrate", settings=settings)
    assert (ended.code, ended.complaint) == (0, begun)
    async with serving(settings | {"log_level": "warning"}) as service:
        assert (await run("keys", "list", settings=settings)).code == 0
        ended = await service.stop()
    assert (ended.code, ended.complaint) == (0, "")
