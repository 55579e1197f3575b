"""The live feed: how soon a frame comes, how many go out, and what a client costs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import median
from urllib.parse import urlencode

from aiohttp import web

from adapters.bootstrap import Trail
from application.credentials import console
from benchmarks.bench import Bench
from benchmarks.data import END, Estate, drafts_of
from benchmarks.figures import Figure, latencies
from benchmarks.followers import Followed, follow, stall
from benchmarks.load import in_process
from benchmarks.served import served
from domain.filters import EventFilter
from domain.words import DEFAULT_LEDGER, Module, Position, Role
from projections.activity_query import Query
from projections.reads import AT_ONCE

_RATE, _BATCH = 1000, 20
_MOST_DELAY_MS = 150
_BROADCAST_CLIENTS = 500
_ROUNDS = 3
_MOST_IDLE_KB, _MOST_STALLED_KB = 40, 1000
_STALLED = 20
_HOLD_SECONDS, _SETTLE_SECONDS = 40.0, 3.0


async def run(bench: Bench) -> Sequence[Figure]:
    """One server; the clients are processes of their own, and the projectors run meanwhile."""
    with bench.database("feeding") as url:
        async with bench.server(url) as (wired, address):
            caller = console(DEFAULT_LEDGER, END, "benchmarks")
            _, key = await wired.create_credential.create(caller, "benchmarks", Role.AUDITOR)
            feeding = _Feeding(bench, wired, f"{address}/v1/feed", key)
            return [
                await feeding.idle_client(url),
                await feeding.stalled_client(url),
                await feeding.delay(),
                await feeding.broadcast(),
            ]


class _Feeding:
    def __init__(self, bench: Bench, wired: Trail, url: str, key: str) -> None:
        self._bench = bench
        self._wired = wired
        self._url = url
        self._key = key
        self._estate = Estate(bench.large)
        self._drafts = iter(drafts_of(list(self._estate.commands(100_000))))

    async def delay(self) -> Figure:
        """1,000 events/s, and clients with filters of all kinds; every twentieth follows everything."""
        seconds = self._bench.size(30, 8)
        self._bench.tell(f"200 clients follow {_RATE} events/s for {seconds} s")
        users = [("user", str(user["full_name"])) for user in self._estate.users[:60]]
        filters = [*users, *(("module", module) for module in Module), ("status", "failure")]
        urls = [
            self._url if number % 20 == 0 else f"{self._url}?{urlencode([filters[number % len(filters)]])}"
            for number in range(200)
        ]
        async with self._followed(urls, measure_delays=True) as following:
            await self._append(seconds * _RATE)
        followed = await following
        measures = {**latencies(followed.delays), "frames/s": followed.frames / followed.seconds}
        return Figure(
            "feed, commit to frame at the client, 200 clients, 1,000 events/s",
            measures,
            "the delay that is asked for",
            {"p99 ms": _MOST_DELAY_MS},
            _MOST_DELAY_MS / measures["p99 ms"],
            1,
        )

    async def broadcast(self) -> Figure:
        """A burst of events to clients without a filter, and the same bytes by a loop that sends; they take turns."""
        events = self._bench.size(500, 100)
        ours: list[float] = []
        theirs: list[float] = []
        for number in range(_ROUNDS):
            self._bench.tell(f"{events} events to {_BROADCAST_CLIENTS} clients, round {number + 1} of {_ROUNDS}")
            start = await self._wired.services.reads.head(DEFAULT_LEDGER)
            async with self._followed([self._url] * _BROADCAST_CLIENTS, measure_delays=False) as following:
                await self._append(events, at_once=True)
            ours.append(_rate(await following))
            rows, _, _ = await self._wired.services.reads.by_position(
                DEFAULT_LEDGER, Query(EventFilter()), Position(start), events, AT_ONCE
            )
            frames = [f'{{"type":"event","position":{row.position},"event":{row.event}}}' for row in rows]
            theirs.append(_rate(await _bare_broadcast(frames, self._key)))
        ratio = median(ours) / median(theirs)
        return Figure(
            f"feed, events to {_BROADCAST_CLIENTS} clients",
            {"frames/s": median(ours)},
            "a bare aiohttp broadcast of the same bytes",
            {"frames/s": median(theirs)},
            ratio,
            0.6,
        )

    async def idle_client(self, url: str) -> Figure:
        """Resident memory of a process before and after many connect, after a few that warm it up."""
        count = self._bench.size(1000, 300)
        self._bench.tell(f"{count} idle clients")
        async with served(url) as service:
            idle = f"{service.address}/v1/feed?source=nobody"
            waiting = [asyncio.create_task(in_process(follow, [idle] * 50, self._key, measure_delays=False))]
            await service.until_followed(50)
            before = service.resident_kb()
            waiting.append(asyncio.create_task(in_process(follow, [idle] * count, self._key, measure_delays=False)))
            await service.until_followed(50 + count)
            more = (service.resident_kb() - before) / count
        await asyncio.gather(*waiting)  # They end with the service.
        return _memory("feed, memory of an idle client", more, _MOST_IDLE_KB)

    async def stalled_client(self, url: str) -> Figure:
        """Twenty read nothing while 20 MB pass by; what passing by costs was paid by one who reads the same before."""
        self._bench.tell(f"{_STALLED} stalled clients")
        async with served(url) as service:
            everything = f"{service.address}/v1/feed"
            stalling = asyncio.create_task(in_process(stall, [everything], self._key, _HOLD_SECONDS))
            await service.until_followed(1)
            await self._append(20_000, at_once=True)
            await stalling
            before = service.resident_kb()
            stalling = asyncio.create_task(in_process(stall, [everything] * _STALLED, self._key, _HOLD_SECONDS))
            await service.until_followed(_STALLED)
            await self._append(20_000, at_once=True)
            await asyncio.sleep(_SETTLE_SECONDS)
            more = (service.resident_kb() - before) / _STALLED
            await stalling
        return _memory("feed, memory of a stalled client", more, _MOST_STALLED_KB)

    @asynccontextmanager
    async def _followed(self, urls: Sequence[str], *, measure_delays: bool) -> AsyncIterator["asyncio.Task[Followed]"]:
        """Clients that are connected in the block, and are closed after it once all that was recorded was sent."""
        following = asyncio.create_task(in_process(follow, urls, self._key, measure_delays=measure_delays))
        while len(list(self._wired.services.feed_clients)) < len(urls):
            if following.done():
                following.result()  # It says why they do not come.
            await asyncio.sleep(0.02)
        yield following
        clients = self._wired.services.feed_clients
        end = await self._wired.services.reads.head(DEFAULT_LEDGER)
        while any(client.seen < end for client in clients):  # noqa: ASYNC110  # They have no common event.
            await asyncio.sleep(0.02)
        clients.end_all()

    async def _append(self, events: int, *, at_once: bool = False) -> None:
        """So many events, as fast as can be or at the steady rate."""
        store = self._wired.services.record_commands.store
        loop = asyncio.get_running_loop()
        started = loop.time()
        batch = 500 if at_once else _BATCH
        for sent in range(0, events, batch):
            await store.append(DEFAULT_LEDGER, [next(self._drafts) for _ in range(min(batch, events - sent))])
            if not at_once:
                await asyncio.sleep(max(0.0, started + sent / _RATE - loop.time()))


def _rate(followed: Followed) -> float:
    return followed.frames / followed.seconds


def _memory(work: str, found: float, most: float) -> Figure:
    return Figure(work, {"kB": found}, "what is asked for at most", {"kB": most}, most / max(found, 0.1), 1)


async def _bare_broadcast(frames: Sequence[str], key: str) -> Followed:
    """What the clients received from a server that sends each frame to each of them, one after the other."""
    sockets: list[web.WebSocketResponse] = []

    async def accept(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        sockets.append(socket)
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/", accept)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        urls = [f"http://127.0.0.1:{runner.addresses[0][1]}/"] * _BROADCAST_CLIENTS
        following = asyncio.create_task(in_process(follow, urls, key, measure_delays=False))
        while len(sockets) < _BROADCAST_CLIENTS:  # noqa: ASYNC110  # They have no common event.
            await asyncio.sleep(0.02)
        for frame in frames:
            for socket in sockets:
                await socket.send_str(frame)
        await asyncio.gather(*(socket.close() for socket in sockets))
        return await following
    finally:
        await runner.cleanup()
