"""Who may get at the embedded PostgreSQL and its files, and under which account it runs."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from adapters.embedded import EmbeddedPostgresError, embedded_postgres
from adapters.embedded.account import Account
from adapters.embedded.binaries import runnable, wheel_programs
from tests.integration.embedded.embedded_processes import PROJECT, Processes, StartClient, eventually, query

ROOT = os.geteuid() == 0


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_no_mode_outside_is_changed(tmp_path: Path) -> None:
    """Under a closed folder the data folder is made closed, and none above changes its mode or owner."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    parents = [closed, *closed.parents]
    before = [(mode(path), path.stat().st_uid) for path in parents]
    data = closed / "data"
    with embedded_postgres(data) as database:
        assert query(database.url(), "SELECT 1") == 1
        assert mode(Path(database.host)) == 0o700
        assert [(mode(path), path.stat().st_uid) for path in parents] == before
    assert mode(data) == mode(data / "postgres") == 0o700
    assert {mode(path) for path in data.iterdir() if path.is_file()} == {0o600}


def test_mode_of_an_existing_folder_is_kept(new_data: Path) -> None:
    """A data folder that its owner made keeps the mode that the owner gave it."""
    new_data.mkdir()
    new_data.chmod(0o751)
    with embedded_postgres(new_data):
        pass
    assert mode(new_data) == 0o751


def _python_for(uid: int) -> str | None:
    """An interpreter that this account may run."""
    question = "import sys; sys.exit(sys.version_info < (3, 11))"
    for python in (sys.executable, shutil.which("python3", path=os.defpath)):
        try:
            if python and subprocess.run([python, "-c", question], check=False, user=uid, cwd="/").returncode == 0:
                return python
        except PermissionError:
            continue
    return None


def test_ordinary_user(open_folder: Path, start_client: StartClient) -> None:
    """An ordinary user gets a server that runs under the user's own account."""
    account = pwd.getpwnam("nobody") if ROOT else pwd.getpwuid(os.geteuid())
    python, user = (_python_for(account.pw_uid), account.pw_uid) if ROOT else (sys.executable, None)
    if python is None or not mode(PROJECT) & 0o001:
        pytest.skip("no interpreter, or not this project, is open to the user nobody")
    data = open_folder / "data"
    data.mkdir(mode=0o700)
    os.chown(data, account.pw_uid, account.pw_gid)
    client = start_client(data, python, user)
    assert query(client.url(), "SELECT current_user") == "certinext_audit"
    processes = Processes.of(data)
    for pid in (processes.guardian, processes.postmaster):
        assert Path(f"/proc/{pid}").stat().st_uid == account.pw_uid
    assert client.leave() == 0
    eventually(processes.gone, 5)


@pytest.mark.skipif(not ROOT, reason="only root changes to another account")
def test_programs_out_of_reach_are_copied(tmp_path: Path, open_folder: Path) -> None:
    """Programs that PostgreSQL's account may not reach are copied once, and the copies run."""
    programs = next(wheel_programs())
    assert programs.root is not None
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    for part in programs.parts:
        shutil.copytree(part, hidden / part.relative_to(programs.root), symlinks=True)
    moved = replace(
        programs,
        bin=hidden / programs.bin.relative_to(programs.root),
        root=hidden,
        parts=tuple(hidden / part.relative_to(programs.root) for part in programs.parts),
    )
    nobody = pwd.getpwnam("nobody")
    account = Account(nobody.pw_uid, nobody.pw_gid, ())
    copy = runnable(moved, account, open_folder / "cache")
    assert copy.bin.is_relative_to(open_folder)
    assert runnable(moved, account, open_folder / "cache") == copy
    assert copy.version(account) == programs.version()
    initdb = subprocess.run([copy.bin / "initdb", "--version"], check=False, user=nobody.pw_uid, cwd="/")
    assert initdb.returncode == 0
    assert len(list((open_folder / "cache").iterdir())) == 1


def test_wrong_password_is_refused(data: Path) -> None:
    """The password is really asked for, on every database."""
    with embedded_postgres(data) as database:
        stranger = replace(database, password="guess")
        for name in ("certinext_audit", "postgres"):
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                query(stranger.url(name), "SELECT 1")
        assert database.password not in repr(database)


def test_missing_password_is_reported(data: Path) -> None:
    """Without the password file nobody can sign in, and the error says what to restore."""
    with embedded_postgres(data):
        pass
    (data / "postgres.password").unlink()
    with (
        pytest.raises(EmbeddedPostgresError, match=r"postgres\.password is missing"),
        embedded_postgres(data),
    ):
        pass
