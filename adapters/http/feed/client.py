"""One client of the live feed."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from enum import Enum, auto

import structlog
from aiohttp import ClientConnectionError, WSMsgType, web
from aiohttp.abc import AbstractStreamWriter

from adapters.http import metrics
from adapters.http.feed import protocol
from adapters.http.feed.protocol import ChangeFilter, Close, Pause, Resume
from adapters.http.feed.pulse import Pace, Pulse
from adapters.http.problems import problem_of
from domain.credential import Credential
from domain.errors import AuditError
from domain.filters import EventFilter
from domain.words import Position, Role
from projections.activity_query import Query
from projections.broadcast import Broadcast, Membership
from projections.feed import Feed, answered

_MOST_BUFFERED = 256 * 1024
"""How much may wait to be read by the client before it is behind."""
_KERNEL_BYTES = 128 * 1024
_CLOSE_SECONDS = 5.0
"""How long a client has to answer the closing before it is cut off."""

_GONE = (ConnectionError, ClientConnectionError)

log = structlog.get_logger()


class _State(Enum):
    CONNECTING = auto()
    BEHIND = auto()
    """It reads from the table; one task serves it."""
    LIVE = auto()
    """It takes part in the broadcast."""
    PAUSED = auto()
    ENDED = auto()


class FeedClient:
    """Follows one ledger for one connection. Used in the loop that made it; `serve` owns its tasks."""

    def __init__(
        self,
        caller: Credential,
        connection: web.WebSocketResponse,
        feed: Feed,
        broadcast: Broadcast,
        subscribe: Callable[[EventFilter, Position | None, Position], Awaitable[Position]],
    ) -> None:
        """`subscribe` checks and records that the caller follows with a filter; it gives the position to start from.

        It is given the filter, the position asked for, and the one that holds if none is. Raises AuditError.
        """
        self.caller = caller
        self._connection = connection
        self._feed = feed
        self._broadcast = broadcast
        self._subscribe = subscribe
        self._loop = asyncio.get_running_loop()
        self._state = _State.CONNECTING
        self._to_end: tuple[Close, str | None] | None = None
        """What was asked for while it was connecting."""
        self._query = Query(EventFilter())
        self._seen = Position(0)
        self._membership: Membership | None = None
        self._pulse = Pulse(self._loop.time())

    @property
    def seen(self) -> Position:
        """All that matches up to here was sent."""
        return self._seen if self._membership is None else self._membership.seen

    @property
    def is_behind(self) -> bool:
        return self._state is _State.BEHIND

    async def serve(self, request: web.Request, wanted: EventFilter, after: Position) -> None:
        """Upgrade the connection and serve it until it ends."""
        self._writer: AbstractStreamWriter = await self._connection.prepare(request)
        assert request.transport is not None
        self._transport = request.transport
        # What waits in the kernel counts, too, and grows to megabytes by itself.
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BYTES)
        self._follow(wanted, after)
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._state = _State.PAUSED
            if self._to_end is None:
                self._start()
            else:
                self.end(*self._to_end)
            try:
                await self._obey()
            except _GONE:
                pass
            except Exception:
                log.exception("feed_client_failed", ledger=self._broadcast.ledger, source=self.caller.id)
                self.end(Close.FAILED)
            finally:
                self._leave(_State.ENDED)

    # What the client sends.

    async def _obey(self) -> None:
        while (message := await self._connection.receive()).type not in (
            WSMsgType.CLOSE,
            WSMsgType.CLOSING,
            WSMsgType.CLOSED,
            WSMsgType.ERROR,
        ):
            self._pulse.heard_at = self._loop.time()
            if self._state is _State.ENDED:
                continue  # It is being closed.
            if message.type is WSMsgType.TEXT:
                await self._answer(message.data)
            elif message.type is WSMsgType.PING:
                await self._connection.pong(message.data)
            elif message.type is WSMsgType.BINARY:
                self.end(Close.UNSUPPORTED, "send JSON in text frames")
            await self._writer.drain()

    async def _answer(self, text: str) -> None:
        try:
            await self._do(protocol.understood(text))
        except AuditError as error:
            self._write(protocol.problem_frame(problem_of(error)))

    async def _do(self, message: protocol.Message) -> None:
        match message:
            case ChangeFilter(filter=wanted, after=asked):
                after = await self._subscribe(wanted, asked, self.seen)
                state = self._state
                self._leave(_State.PAUSED)
                self._follow(wanted, self._seen if asked is None else after)
                if state is not _State.PAUSED:
                    self._start()
            case Pause():
                self._leave(_State.PAUSED)
            case Resume():
                if self._state is _State.PAUSED:
                    self._start()

    # What it is sent.

    def offer(self, frames: bytes, count: int) -> bool:
        if self._transport.is_closing() or self._transport.get_write_buffer_size() > _MOST_BUFFERED:
            return False
        self._write(frames)
        metrics.FEED_FRAMES.inc(count)
        return True

    def fell_behind(self, seen: Position) -> None:
        self._membership = None
        self._seen = seen
        self._start()

    def _follow(self, wanted: EventFilter, after: Position) -> None:
        self._query = Query(wanted, self.caller.actor_id if self.caller.role is Role.USER else None)
        self._seen = after
        self._write(protocol.subscribed_frame(after, wanted))

    def _start(self) -> None:
        """Go on from where it is: from the table, unless it can join the broadcast at once."""
        if self._state is not _State.ENDED and not self._joined():
            self._state = _State.BEHIND
            self._catching_up = self._tasks.create_task(self._catch_up())

    def _joined(self) -> bool:
        membership = self._broadcast.join(self._query, self, self._seen)
        if membership is None:
            return False
        self._state, self._membership = _State.LIVE, membership
        self._write(protocol.caught_up_frame(membership.seen))
        return True

    def _leave(self, state: _State) -> None:
        """Be sent no more; what was seen is known."""
        if self._membership is not None:
            self._seen = self._membership.seen
            self._broadcast.leave(self._membership)
            self._membership = None
        if self._state is _State.BEHIND:
            self._catching_up.cancel()
        if self._state is not _State.ENDED:
            self._state = state

    async def _catch_up(self) -> None:
        """Read page after page, at the pace of the client, until it can join the broadcast."""
        try:
            while not self._joined():
                page = await answered(lambda: self._feed.page(self._broadcast.ledger, self._query, self._seen))
                if page.count:
                    self._write(page.frames)
                    metrics.FEED_FRAMES.inc(page.count)
                self._seen = page.until
                await self._writer.drain()
        except _GONE:
            return  # `_obey` learns of it, too.
        except Exception:
            log.exception("feed_client_failed", ledger=self._broadcast.ledger, source=self.caller.id)
            self.end(Close.FAILED)

    def _write(self, frames: bytes) -> None:
        """To the transport, past the library: what is sent is the same for all, and waits for nobody here."""
        if self._transport.is_closing():
            return
        self._transport.write(frames)
        self._pulse.said(len(frames), self._loop.time())

    # What goes by the clock.

    def tend(self, now: float, pace: Pace) -> None:
        """Say something in silence, and end what does not move; to be called about each second."""
        if self._state in (_State.CONNECTING, _State.ENDED):
            return
        waiting = self._transport.get_write_buffer_size()
        pulse = self._pulse
        pulse.look(waiting, now)
        if pulse.is_stalled(now, pace):
            self.end(Close.STALLED)
            return
        if not waiting and now - pulse.heard_at > pace.patience:
            self._transport.abort()  # Nobody is there.
            return
        if now - pulse.said_at > pace.heartbeat:
            self._write(protocol.heartbeat_frame(self.seen))
        if now - pulse.pinged_at > pace.heartbeat:
            self._write(protocol.PING)
            pulse.pinged_at = now

    def end(self, code: Close, reason: str | None = None) -> None:
        """Close, with where to resume unless there is another reason; who does not answer is cut off."""
        if self._state is _State.CONNECTING:
            self._to_end = code, reason
        elif self._state is not _State.ENDED:
            self._leave(_State.ENDED)
            self._tasks.create_task(self._close(code, f"after={self._seen}" if reason is None else reason))

    async def _close(self, code: Close, reason: str) -> None:
        metrics.FEED_CLOSED.labels(code.name.lower()).inc()
        log.info("feed_closed", ledger=self._broadcast.ledger, source=self.caller.id, code=int(code), seen=self._seen)
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._connection.close(code=code, message=reason.encode(), drain=False)
        except TimeoutError:
            pass
        finally:
            self._transport.abort()
