"""`serve --workers`: several processes on one port, of which any may die."""

import asyncio
import math
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from aiohttp import ClientError, ClientSession, TCPConnector

from adapters.workers import Supervisor, WorkersFailed, supervisor
from tests.builders import command_data
from tests.chaos.process_tree import children, is_alive, read, workers_of
from tests.e2e.client import Client
from tests.e2e.following import following
from tests.e2e.processes import Running, discard, run, start
from tests.patience import PATIENCE

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


class Service:
    """A service of two workers."""

    def __init__(self, running: Running, address: str) -> None:
        self.running = running
        self.address = address

    @property
    def parent(self) -> int:
        assert self.running.process.pid is not None
        return self.running.process.pid

    def workers(self) -> set[int]:
        return workers_of(self.parent)

    def figures_of(self, worker: int) -> bytes:
        """What this worker alone has counted, from its file."""
        variables = dict(pair.partition(b"=")[::2] for pair in read(worker, "environ").split(b"\0"))
        file = Path(os.fsdecode(variables[b"PROMETHEUS_MULTIPROC_DIR"])) / f"histogram_{worker}.db"
        return file.read_bytes() if file.exists() else b""


@asynccontextmanager
async def two_workers(settings: dict[str, str]) -> AsyncIterator[Service]:
    running = start("serve", "--workers", "2", settings={"port": "0", "log_level": "warning", **settings})
    try:
        line = await running.first_line()
        yield Service(running, line.split()[-1])
    finally:
        discard(running)


@pytest.fixture
def settings(database_url: str) -> dict[str, str]:
    return {"database_url": database_url}


@pytest.fixture
async def fresh_connections() -> AsyncIterator[ClientSession]:
    """A session that makes a connection for each request, so that either worker may get it."""
    async with ClientSession(connector=TCPConnector(force_close=True)) as session:
        yield session


async def _module_key(settings: dict[str, str]) -> str:
    ended = await run("keys", "create", "--json", "--name", "M", "--role", "module", settings=settings)
    return str(ended.json[0]["key"])


async def _until_two(service: Service, without: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(service.workers() - {without}) < 2:  # noqa: ASYNC110  # Processes have no event.
            await asyncio.sleep(0.02)


async def test_workers_share_a_port_and_their_figures(
    settings: dict[str, str], fresh_connections: ClientSession
) -> None:
    """It is said once where they listen; both get connections; whoever is asked for figures tells of both."""
    async with two_workers(settings) as service:
        client = Client(fresh_connections, service.address, None)
        asked = 0
        async with asyncio.timeout(PATIENCE):
            while not all(b"/healthz" in service.figures_of(worker) for worker in service.workers()):
                assert (await client.get("/healthz")).status == 200
                asked += 1
        count = f'certinext_audit_request_seconds_count{{method="GET",route="/healthz",status="200"}} {asked}.0'
        for _ in range(10):
            figures = (await client.get("/metrics")).body.decode()
            assert count in figures.splitlines()
            assert "certinext_audit_database_up 1.0" in figures.splitlines()
            assert 'certinext_audit_projector_lag_events{projection="users"} 0.0' in figures.splitlines()
        assert len(service.workers()) == 2
        service.running.process.terminate()
        ended = await service.running.end()
        assert (ended.code, ended.complaint) == (0, "")
        assert ended.out == f"The audit trail listens on {service.address}\n"


async def test_a_worker_that_dies_is_replaced(settings: dict[str, str], fresh_connections: ClientSession) -> None:
    """The other one serves meanwhile; what was counted stays counted."""
    async with two_workers(settings) as service:
        client = Client(fresh_connections, service.address, await _module_key(settings))
        receipts = [await client.record(command_data()) for _ in range(5)]
        victim, *_ = service.workers()
        os.kill(victim, signal.SIGKILL)
        await _until_two(service, without=victim)
        receipts += [await client.record(command_data()) for _ in range(5)]
        first = receipts[0]["position"]
        assert [receipt["position"] for receipt in receipts] == list(range(first, first + 10))
        assert 'certinext_audit_commands_total{outcome="recorded"} 10.0' in (await client.get("/metrics")).body.decode()
        service.running.process.terminate()
        ended = await service.running.end()
        assert ended.code == 0
        assert f'"process":{victim},"code":-9' in ended.complaint


async def test_followers_of_all_living_workers_are_counted(settings: dict[str, str]) -> None:
    """Whoever is asked; those of one that died are followers no more."""
    made = await run("keys", "create", "--json", "--name", "A", "--role", "auditor", settings=settings)
    async with two_workers(settings) as service, ClientSession(connector=TCPConnector(force_close=True)) as session:
        client = Client(session, service.address, str(made.json[0]["key"]))
        async with AsyncExitStack() as followers:
            for _ in range(12):
                await followers.enter_async_context(following(client))
            assert await _followers(client) == {12}
            os.kill(min(service.workers()), signal.SIGKILL)
            async with asyncio.timeout(PATIENCE):
                while await _most_told(client) >= 12:  # noqa: ASYNC110  # Processes have no event.
                    await asyncio.sleep(0.05)


async def _most_told(client: Client) -> float:
    """The most that either worker tells of; without end while connections go to the one that is being killed."""
    try:
        return max(await _followers(client))
    except ClientError:
        return math.inf


async def _followers(client: Client) -> set[float]:
    """How many there are by either worker's account."""
    figures = [(await client.get("/metrics")).body.decode() for _ in range(5)]
    lines = [line for one in figures for line in one.splitlines() if line.startswith("certinext_audit_feed_clients ")]
    assert len(lines) == len(figures)
    return {float(line.split()[1]) for line in lines}


async def test_what_is_in_flight_gets_its_receipt(settings: dict[str, str], fresh_connections: ClientSession) -> None:
    """After SIGTERM nobody new is let in, but who has sent a command is answered before the service ends."""
    key = await _module_key(settings)
    # Without background work only a command that was let in waits for the lock.
    async with two_workers({**settings, "background": "false"}) as service:
        client = Client(fresh_connections, service.address, key)
        first = await client.record(command_data())
        with psycopg.connect(settings["database_url"], autocommit=True) as owner:
            with owner.transaction():
                owner.execute("SELECT * FROM audit.heads FOR UPDATE")
                waiting = [asyncio.create_task(client.record(command_data())) for _ in range(10)]
                async with asyncio.timeout(PATIENCE):
                    while owner.execute(_WAITING).fetchone() == (0,):  # noqa: ASYNC110  # The others have no event.
                        await asyncio.sleep(0.02)
                service.running.process.terminate()
                await _closed(client)
                # Whose connection was not accepted yet has learned that; nobody else has heard anything.
                assert all(isinstance(task.exception(), ClientError) for task in waiting if task.done())
                let_in = [task for task in waiting if not task.done()]
            receipts = await asyncio.gather(*let_in)
        assert receipts
        assert sorted(receipt["position"] - first["position"] for receipt in receipts) == [*range(1, len(receipts) + 1)]
        assert (await service.running.end()).code == 0


async def test_nobody_is_left_when_the_parent_is_killed(
    settings: dict[str, str], fresh_connections: ClientSession
) -> None:
    """Its workers end by themselves, and the port is free again."""
    async with two_workers(settings) as service:
        workers = service.workers()
        assert len(workers) == 2
        os.kill(service.parent, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            while any(map(is_alive, workers)):  # noqa: ASYNC110  # Processes have no event.
                await asyncio.sleep(0.02)
        await _closed(Client(fresh_connections, service.address, None))


async def test_a_port_of_others_is_not_shared(settings: dict[str, str]) -> None:
    """Neither with a stranger nor with another service of ours, which would get half of our connections."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        await _refused(settings, str(taken.getsockname()[1]))
    async with two_workers(settings) as service:
        await _refused(settings, service.address.rpartition(":")[2])


async def test_the_number_of_workers_is_checked(settings: dict[str, str]) -> None:
    """It is one at least."""
    ended = await run("serve", "--workers", "0", settings=settings)
    assert ended.code == 2
    assert "Traceback" not in ended.complaint


async def test_workers_that_cannot_live_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are started again after growing pauses, but not for ever; nothing is announced."""
    monkeypatch.setattr(supervisor, "_PAUSES", (0.01, 0.02, 0.03))
    said: list[str] = []
    ended: list[int] = []
    dying = Supervisor([sys.executable, "-S", "-c", "raise SystemExit(3)"], os.environ, 2, ended.append)
    with pytest.raises(ExceptionGroup) as caught:
        await dying.run(asyncio.Event(), said.append)
    assert caught.group_contains(WorkersFailed, match="4 times soon after its start, with code 3")
    assert said == []
    assert len(set(ended)) >= 4


async def test_a_service_that_is_told_to_stop_while_it_starts_stops(settings: dict[str, str]) -> None:
    """It has accepted nothing yet."""
    running = start("serve", "--workers", "2", settings=settings | {"port": "0"})
    try:
        async with asyncio.timeout(PATIENCE):
            while not children(running.process.pid or 0):  # noqa: ASYNC110  # The others have no event.
                await asyncio.sleep(0.01)
        running.process.terminate()
        ended = await running.end()
        assert (ended.code, ended.out) == (0, "")
    finally:
        discard(running)


async def _closed(client: Client) -> None:
    """Wait until nobody can connect any more."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await client.get("/healthz")
            except ClientError:
                return
            await asyncio.sleep(0.02)


async def _refused(settings: dict[str, str], port: str) -> None:
    ended = await run("serve", "--workers", "2", settings=settings | {"port": port})
    assert ended.code == 2
    assert port in ended.complaint
    assert "CERTINEXT_AUDIT_PORT" in ended.complaint
