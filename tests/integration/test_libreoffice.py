"""LibreOffice opens what we export, and reads in it what the ledger says."""

import csv
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from domain.exported import EVENT_COLUMNS
from tests.unit.exports.files import exported
from tests.unit.exports.test_workbooks import HOSTILE, hostile_events

_INSTALL = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "libreoffice-calc")
_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,1"
"""Commas, quotes, UTF-8, all columns as they are shown, of the first sheet."""


@pytest.fixture(scope="session")
def office() -> str:
    """The program, installed where that is possible."""
    if shutil.which("soffice") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(_INSTALL, check=False, timeout=300, capture_output=True)
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not here and cannot be installed: apt-get install libreoffice-calc")
    return program


def by_libreoffice(office: str, folder: Path, data: bytes) -> list[list[str]]:
    """The first sheet, as LibreOffice shows it."""
    (folder / "file.xlsx").write_bytes(data)
    command = [office, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", _CSV]
    subprocess.run([*command, "--outdir", str(folder), str(folder / "file.xlsx")], check=True, timeout=240)
    (found,) = folder.glob("file*.csv")
    with found.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def test_libreoffice_reads_10_000_rows_and_hostile_texts(office: str, tmp_path: Path) -> None:
    """Rows, columns, times and texts: no formula ran, and no digits became a number."""
    hostile = hostile_events()
    rows = hostile.rows()
    many = rows * (10_000 // len(rows) + 1)
    head, *body = by_libreoffice(office, tmp_path, exported(hostile, many[:10_000], page=1000))
    assert head[: len(EVENT_COLUMNS)] == EVENT_COLUMNS.titles
    assert len(body) == 10_000
    user, occurred, position = (EVENT_COLUMNS.index(title) for title in ("User id", "Occurred (UTC)", "Position"))
    for number, cells in enumerate(body):
        assert cells[user] == _shown(HOSTILE[number % len(HOSTILE)])
        assert cells[occurred] == "2026-11-24 10:00:00.000"
        assert cells[position] == str(number % len(HOSTILE) + 1)
        assert cells[len(EVENT_COLUMNS)] == rows[number % len(rows)].record.decode()


def _shown(text: str) -> str:
    """As LibreOffice has it in a cell, where there is one kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
