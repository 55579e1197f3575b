"""A server that validates commands as ours does and keeps nothing: `python -m benchmarks.bare WORKERS`."""

import asyncio
import signal
import socket
import sys
from datetime import UTC, datetime
from multiprocessing import get_context

import orjson
import uvloop
from aiohttp import web

from domain.catalogue import CATALOGUE
from domain.command import read_command

_BACKLOG = 256


def main() -> None:
    """Serve with so many processes until SIGTERM; print the address once all listen."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    sockets = [_socket(0)]
    port = sockets[0].getsockname()[1]
    sockets += [_socket(port) for _ in range(int(sys.argv[1]) - 1)]
    workers = [get_context("fork").Process(target=_work, args=(one,), daemon=True) for one in sockets]
    for worker in workers:
        worker.start()
    print(f"listening on http://127.0.0.1:{port}", flush=True)
    for worker in workers:
        worker.join()


def _socket(port: int) -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind(("127.0.0.1", port))
    one.listen(_BACKLOG)
    return one


def _work(listening: socket.socket) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    uvloop.run(_serve(listening))


async def _serve(listening: socket.socket) -> None:
    app = web.Application(client_max_size=0)
    app.router.add_post("/v1/commands", _validate)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    await asyncio.Event().wait()


async def _validate(request: web.Request) -> web.Response:
    body = await request.read()
    now = datetime.now(UTC)
    understood = [read_command(orjson.loads(line), CATALOGUE, now) for line in body.split(b"\n")]
    return web.Response(body=b"%d" % len(understood))


if __name__ == "__main__":
    main()
