"""`certinext-audit export` and `verify FILE`, as people and machines run them."""

import asyncio
import hashlib
import os
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from aiohttp import ClientSession

from domain.words import DEFAULT_LEDGER, Role
from tests.e2e.client import Client
from tests.e2e.processes import run
from tests.e2e.running import running
from tests.e2e.seeding import varied_commands
from tests.unit.exports.test_workbooks import by_ourselves


@pytest.fixture(scope="module")
def settings(shared_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a database with events that a service has recorded, read and signed."""
    data_dir = Path(tmp_path_factory.mktemp("data"))
    asyncio.run(_seed(shared_database_url, data_dir))
    return {"database_url": shared_database_url, "data_dir": str(data_dir)}


async def _seed(database_url: str, data_dir: Path) -> None:
    with running(database_url, data_dir=data_dir) as service:
        async with ClientSession() as session:
            _, key = await service.create_key(DEFAULT_LEDGER, Role.MODULE)
            receipts = await Client(session, service.address, key).record_all(varied_commands(30))
            _, key = await service.create_key(DEFAULT_LEDGER, Role.AUDITOR)
            await Client(session, service.address, key).shown({"position": receipts[-1]["position"] + 1})


def with_edit(data: bytes) -> bytes:
    """The workbook with another outcome in its second row of events."""
    changed = BytesIO()
    with ZipFile(BytesIO(data)) as before, ZipFile(changed, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            if name.endswith("sheet1.xml"):
                content = content.replace(b">failure<", b">success<", 1)
            after.writestr(name, content)
    return changed.getvalue()


async def test_a_file_is_made_and_checked(settings: dict[str, str], tmp_path: Path) -> None:
    """Straight from the database; then with neither database nor service."""
    path = tmp_path / "some events.xlsx"
    made = await run(
        "export", "--output", str(path), "--status", "failure", "--user", "asha", "u-1", "--json", settings=settings
    )
    assert made.code == 0, made
    (summary,) = made.json
    assert summary["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    _, *rows = by_ourselves(path.read_bytes())
    assert len(rows) == summary["rows"] > 0
    assert not any(name.endswith(".part") for name in os.listdir(tmp_path))  # noqa: PTH208 - quick enough here.

    loud = await run("verify", str(path), settings={})
    assert loud.code == 0, loud
    assert "is as it was exported" in loud.out
    assert "ATTENTION: the key was taken from the file itself" in loud.complaint
    key = loud.out.split("Signed with ")[1].strip().rstrip(".")
    quiet = await run("verify", str(path), "--key", key, "--json", settings={})
    assert (quiet.code, quiet.complaint) == (0, "")
    assert quiet.json[0]["good"] is True
    assert quiet.json[0]["rows"] == summary["rows"]

    path.write_bytes(with_edit(path.read_bytes()))
    bad = await run("verify", str(path), "--key", key, settings={})
    assert bad.code == 1
    assert bad.out.startswith("Events, row 2, column Status: says 'success', and the record says 'failure'")
    assert bad.out.rstrip().endswith("is NOT as it was exported.")


async def test_a_bar_and_a_telling_name(settings: dict[str, str], tmp_path: Path) -> None:
    """For people: how far it is, where it went, and its digest."""
    path = tmp_path / "all.jsonl"
    made = await run("export", "--format", "jsonl", "--order", "recorded", "--output", str(path), settings=settings)
    assert made.code == 0, made
    assert f"SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}" in made.out
    assert "Exporting" in made.complaint
    assert "rows/s" in made.complaint
    out = await run("export", "--format", "csv", "--output", "-", "--q", "status:failure", settings=settings)
    title, *lines = out.out.splitlines()
    assert title.startswith("User,User id,")
    assert lines
    assert all(",failure," in line for line in lines)
    assert "SHA-256" in out.complaint


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "--activity", "nonsense"], "--activity: "),
        (["export", "--from", "yesterday"], "--from: "),
        (["export", "--q", "user:asha nobody:knows"], "--q: "),
        (["export", "--output", "/nowhere/at/all.xlsx"], "--output: "),
        (["verify", "/nowhere/at/all.xlsx"], "No such file"),
        (["verify", "/etc/hostname"], "neither a workbook nor JSON Lines"),
        (["verify", "/etc/hostname", "--key", "nonsense"], "nonsense"),
    ],
)
async def test_what_cannot_be_done_is_said(settings: dict[str, str], arguments: list[str], said: str) -> None:
    """With 2, and in one line."""
    ended = await run(*arguments, settings=settings)
    assert ended.code == 2, ended
    assert said in ended.complaint
    assert "Traceback" not in ended.complaint
