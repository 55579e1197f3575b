"""The embedded PostgreSQL through joining, leaving, crashes and refusals, on a real server each time."""

import asyncio
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from adapters.embedded import EmbeddedPostgresError, embedded_postgres
from adapters.embedded.account import OURS, Account
from adapters.embedded.database import Readiness
from adapters.embedded.runtime import retaken
from tests.integration.embedded.embedded_processes import Processes, StartClient, eventually, guardian_of, query


def test_data_is_kept_between_runs(data: Path) -> None:
    """What one run commits, the next run reads."""
    with embedded_postgres(data) as database:
        query(database.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
    with embedded_postgres(data) as database:
        assert query(database.url(), "SELECT answer FROM kept") == 42


def test_clean_stop_leaves_nothing(data: Path) -> None:
    """After the last client has left there is no process, no runtime folder, and the shutdown was clean."""
    with embedded_postgres(data):
        processes = Processes.of(data)
        assert not processes.gone()
    eventually(processes.gone, 5)
    assert not processes.runtime.exists()
    assert not (data / "postgres.json").exists()
    assert "database system is shut down" in (data / "postgres.log").read_text()


async def _ask_with_asyncpg(url: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT current_database() || ' ' || current_setting('timezone')")
    finally:
        await connection.close()


def test_one_url_serves_both_drivers(data: Path) -> None:
    """The same URL opens the database in asyncpg and in psycopg, and another database on demand."""
    with embedded_postgres(data) as database:
        assert asyncio.run(_ask_with_asyncpg(database.url())) == "certinext_audit UTC"
        assert query(database.url("postgres"), "SELECT current_database()") == "postgres"


def test_settings_reach_the_server(data: Path) -> None:
    """Our settings hold, a caller's settings override them, and durability stays on."""
    with embedded_postgres(data, {"work_mem": "5MB"}) as database:
        for name, value in {
            "work_mem": "5MB",
            "max_wal_size": "4GB",
            "fsync": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "listen_addresses": "",
        }.items():
            assert query(database.url(), f"SHOW {name}") == value


def test_clients_share_one_server(new_data: Path, start_client: StartClient) -> None:
    """Two processes get the same server, and it goes on for the second when the first has left."""
    first, second = start_client(new_data), start_client(new_data)
    url = first.url()
    assert second.url() == url
    assert first.leave() == 0
    assert query(url, "SELECT 1") == 1
    processes = Processes.of(new_data)
    assert second.leave() == 0
    eventually(processes.gone, 5)


def test_coming_and_going_at_once(new_data: Path) -> None:
    """Clients that come while others leave always find a server, be it the old one or a new one."""

    def join_and_ask(number: int) -> object:
        with embedded_postgres(new_data) as database:
            return query(database.url(), f"SELECT {number}")

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(join_and_ask, range(40))) == list(range(40))
    assert not (new_data / "postgres.json").exists()


def test_killed_client_leaves_no_server(data: Path, start_client: StartClient) -> None:
    """When the only client is killed, the guardian stops the server and ends."""
    client = start_client(data)
    client.url()
    processes = Processes.of(data)
    client.kill()
    eventually(processes.gone)
    eventually(lambda: not processes.runtime.exists())


def test_killed_guardian_is_succeeded_at_the_same_place(data: Path) -> None:
    """When the guardian is killed the server ends too; its client starts another one, which has the data."""
    with embedded_postgres(data) as database:
        query(database.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
        processes = Processes.of(data)
        os.kill(processes.guardian, signal.SIGKILL)
        eventually(processes.gone)
        eventually(lambda: database.readiness() is Readiness.READY)
        assert query(database.url(), "SELECT answer FROM kept") == 42
        assert guardian_of(data) not in {None, processes.guardian}
        with embedded_postgres(data) as joined:
            assert joined == database
    assert not processes.runtime.exists()
    assert not any(data.glob("*.json"))


def test_guardian_that_is_told_to_stop_is_succeeded(data: Path) -> None:
    """As long as somebody uses the database; afterwards nothing is left of either."""
    with embedded_postgres(data) as database:
        processes = Processes.of(data)
        os.kill(processes.guardian, signal.SIGTERM)
        eventually(processes.gone)
        eventually(lambda: database.readiness() is Readiness.READY)
        assert query(database.url(), "SELECT 1") == 1
    assert not processes.runtime.exists()


def test_a_place_that_was_taken_away_is_made_again(data: Path) -> None:
    """As by somebody who tidies up in the folder for temporary files."""
    with embedded_postgres(data) as database:
        processes = Processes.of(data)
        shutil.rmtree(processes.runtime)
        os.kill(processes.guardian, signal.SIGKILL)
        eventually(lambda: database.readiness() is Readiness.READY)
        assert query(database.url(), "SELECT 1") == 1


def test_a_place_of_somebody_else_is_not_retaken(tmp_path: Path) -> None:
    """Whoever could enter it could answer in the server's name: links, and what others may enter, are refused."""
    own, link, open_to_all = (tmp_path / name for name in ("own", "link", "open"))
    own.mkdir(mode=0o700)
    (own / "socket").touch()
    link.symlink_to(own)
    open_to_all.mkdir()
    open_to_all.chmod(0o755)
    assert retaken(None, OURS) is None
    assert retaken(link, OURS) is None
    assert (own / "socket").exists()
    assert retaken(open_to_all, OURS) is None
    assert retaken(tmp_path / "nowhere" / "new", OURS) is None
    assert retaken(own, OURS) == own
    assert not any(own.iterdir())
    assert retaken(own, Account(os.geteuid() + 1, None, ())) is None


def test_surviving_server_is_stopped_first(data: Path, start_client: StartClient) -> None:
    """A server that outlives its killed guardian is stopped by the next one, which then serves the data."""
    with embedded_postgres(data) as database:
        query(database.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
        processes = Processes.of(data)
        os.kill(processes.postmaster, signal.SIGSTOP)
        os.kill(processes.guardian, signal.SIGKILL)
        client = start_client(data)
        eventually(lambda: guardian_of(data) not in (None, processes.guardian))
        assert not processes.gone()
        os.kill(processes.postmaster, signal.SIGCONT)
        assert query(client.url(), "SELECT answer FROM kept") == 42
        assert Processes.of(data).postmaster != processes.postmaster


def test_killed_server_is_restarted(data: Path) -> None:
    """When postgres itself is killed it comes back at the same place, with what was committed."""
    with embedded_postgres(data) as database:
        query(database.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
        processes = Processes.of(data)
        os.kill(processes.postmaster, signal.SIGKILL)
        with embedded_postgres(data) as joined:
            assert joined == database
            assert query(joined.url(), "SELECT answer FROM kept") == 42
        assert Processes.of(data).guardian == processes.guardian


def test_interrupted_initialisation_is_done_again(new_data: Path, start_client: StartClient) -> None:
    """A cluster whose making was cut off is thrown away, and a new one made."""
    client = start_client(new_data)
    eventually(lambda: any(new_data.glob("postgres.new-*/base")))
    guardian = guardian_of(new_data)
    assert guardian is not None
    os.kill(guardian, signal.SIGKILL)
    assert client.leave() != 0
    assert not (new_data / "postgres").exists()
    with embedded_postgres(new_data) as database:
        assert query(database.url(), "SELECT 1") == 1
    assert not any(new_data.glob("postgres.new-*"))


def test_long_paths(tmp_path: Path) -> None:
    """A data folder whose path is longer than the name of a socket may be works as any other."""
    data = tmp_path / ("long" * 20) / ("path with spaces" * 5) / "data"
    assert len(bytes(data)) > 107
    with embedded_postgres(data) as database:
        assert query(database.url(), "SELECT 1") == 1


def test_other_major_version_is_named(data: Path) -> None:
    """Data of a PostgreSQL that is not here is left alone, with an error that names both versions."""
    with embedded_postgres(data):
        version = (data / "postgres" / "PG_VERSION").read_text().strip()
    (data / "postgres" / "PG_VERSION").write_text("9\n")
    with (
        pytest.raises(EmbeddedPostgresError, match=rf"PostgreSQL 9, but .* PostgreSQL .*{version}"),
        embedded_postgres(data),
    ):
        pass
    assert (data / "postgres" / "global" / "pg_control").exists()


def test_impossible_setting_is_reported(data: Path) -> None:
    """A server that cannot start is given up after a few trials, with PostgreSQL's own words."""
    with (
        pytest.raises(EmbeddedPostgresError, match="no_such_setting"),
        embedded_postgres(data, {"no_such_setting": "1"}),
    ):
        pass
