"""Running what is wired: the server, its background work, and its end."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiohttp import web

from adapters.bootstrap.wiring import DRAIN_SECONDS, Trail, trail
from adapters.http.app import build_app
from adapters.postgres import wake_ups
from adapters.postgres.connections import CLOSE_SECONDS
from adapters.postgres.credential_store import CHANGED
from adapters.settings import Settings
from domain.errors import AuditError
from projections.database import translated_errors


class CannotListen(AuditError):
    """The address to listen on is not free, or not ours."""


@asynccontextmanager
async def server(url: str, settings: Settings, *, shared_port: bool = False) -> AsyncIterator[tuple[Trail, str]]:
    """The running service and its address; on leaving it finishes what it has accepted."""
    async with trail(url, settings) as wired:
        with translated_errors():
            await wired.background.runner.make_tables()
        runner = web.AppRunner(build_app(wired.services), access_log=None, shutdown_timeout=DRAIN_SECONDS)
        await runner.setup()
        try:
            with listening(settings):
                await web.TCPSite(runner, settings.host, settings.port, reuse_port=shared_port).start()
            async with _at_work(wired, url):
                yield wired, _address(runner)
                await runner.cleanup()
                await _given_time(wired.background.signing.finish())
        finally:
            await runner.cleanup()


@asynccontextmanager
async def following(url: str, settings: Settings) -> AsyncIterator[Trail]:
    """The trail with its projectors at work and no server: what others append comes into the tables, and is heard of.

    Raises StoreUnavailable if the database does not answer at the start.
    """
    async with trail(url, settings) as wired:
        with translated_errors():
            await wired.background.runner.make_tables()
        async with _at_work(wired, url):
            yield wired


@contextmanager
def listening(settings: Settings) -> Iterator[None]:
    """Turn the error of a socket that cannot be bound into CannotListen."""
    try:
        yield
    except OSError as error:
        raise CannotListen(
            f"The service cannot listen on {settings.host}, port {settings.port}: {error.strerror}. "
            "Set CERTINEXT_AUDIT_HOST and CERTINEXT_AUDIT_PORT."
        ) from error


@asynccontextmanager
async def _at_work(wired: Trail, url: str) -> AsyncIterator[None]:
    """Projectors, signer, self-check, clients of the feed and wake-ups; they end with the block, and the block with
    them if they fail.

    Their last statements have seconds only: a lock or a database that hangs does not keep the service from ending.
    """
    background, services = wired.background, wired.services

    def appended(ledger: str) -> None:
        background.runner.wake(ledger)
        background.signing.wake()

    def credentials_changed(_: str) -> None:
        services.authenticate.forget()
        services.feed_clients.credentials_changed()

    heard: dict[str, Callable[[str], None]] = {
        wake_ups.APPENDED: appended,
        wake_ups.APPLIED: background.feed.wake,
        CHANGED: credentials_changed,
    }
    for_all = (
        (background.runner, background.signing, background.self_check, background.lost_exports)
        if wired.keeps_up
        else ()
    )
    works = (
        *(work.run() for work in for_all),
        background.builders.warm_up(),
        services.feed_clients.run(),
        wake_ups.listen(url, heard),
        *(announcer.run() for announcer in background.announcers),
    )
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_ended_in_time(work)) for work in works]
        yield
        for task in running:
            task.cancel()


async def _given_time(work: Coroutine[Any, Any, None]) -> None:
    """Wait for work for seconds, and leave it to the end of the loop after that."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait([task], timeout=CLOSE_SECONDS)
    if done:
        task.result()
    else:
        task.cancel()


async def _ended_in_time(work: Coroutine[Any, Any, None]) -> None:
    """Run work; once we are cancelled it has seconds to end, and is left to the end of the loop after that.

    To wait for it would be to wait for the database: a driver that has asked for a cancellation waits for its answer.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task], timeout=CLOSE_SECONDS)
        raise


async def serve(url: str, settings: Settings, on_ready: Callable[[str], None], *, shared_port: bool = False) -> None:
    """Run the service until the process is told to stop (SIGTERM or SIGINT)."""
    stop = stop_signal()
    async with server(url, settings, shared_port=shared_port) as (_, address):
        on_ready(address)
        await stop.wait()


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
