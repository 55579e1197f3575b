"""Following events live: who may, from where on, and with which filter."""

from functools import partial
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from yarl import URL

from adapters.http.events import READERS, origin
from adapters.http.feed.client import FeedClient
from adapters.http.feed.protocol import LARGEST_MESSAGE, AfterPosition, FeedFrame
from adapters.http.parameters import parse
from adapters.http.problems import InvalidQuery, OriginRefused, UpgradeNeeded
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.services import SERVICES, Services
from application.self_audit import Origin
from domain.credential import Credential
from domain.errors import FieldError, InvalidMessage
from domain.filters import EventFilter
from domain.words import Position
from projections.broadcast import Broadcast

feed = Routes()


class Following(BaseModel):
    """Where to begin."""

    model_config = ConfigDict(frozen=True)

    after: Annotated[
        AfterPosition | None, Field(description="Replay what follows this position first; without it, only new events.")
    ] = None


@feed(
    "GET",
    "/v1/feed",
    "Follow events live",
    {101: ("A WebSocket; each text frame holds one of these.", Content("application/json", FeedFrame))},
    roles=READERS,
    query=(EventFilter, Following),
    problems=(422, 426, 429),
)
async def follow_events(request: web.Request) -> web.StreamResponse:
    """Every event that matches, once, in the order of positions. docs/feed.md specifies frames and closing codes.

    That somebody follows is itself recorded, with the filter, before the connection is upgraded.
    """
    services, caller = request.app[SERVICES], request[CALLER]
    _check_origin(request, services.feed_clients.limits.origins)
    wanted, following = parse(request, EventFilter, Following)
    connection = web.WebSocketResponse(compress=False, autoping=False, max_msg_size=LARGEST_MESSAGE)
    if not connection.can_prepare(request):
        raise UpgradeNeeded("connect with a WebSocket (RFC 6455), or poll /v1/events?order=recorded&wait=30")
    with services.feed_clients.admitted(caller):
        async with services.feed.opened(caller.ledger) as broadcast:
            subscribe = partial(_subscribe, services, caller, origin(request), broadcast)
            try:
                after = await subscribe(wanted, following.after, broadcast.position)
            except InvalidMessage as error:
                raise InvalidQuery([FieldError(one.pointer.strip("/"), one.message) for one in error.errors]) from None
            client = FeedClient(caller, connection, services.feed, broadcast, subscribe)
            with services.feed_clients.tended(client):
                # It may have ended before we began to listen for that.
                await services.authenticate.check_again(caller)
                await client.serve(request, wanted, after)
    return connection


async def _subscribe(
    services: Services,
    caller: Credential,
    sent_from: Origin,
    broadcast: Broadcast,
    wanted: EventFilter,
    asked: Position | None,
    otherwise: Position,
) -> Position:
    """Record that the caller follows, and from which position on. Raises InvalidMessage if there is none such."""
    if asked is not None and asked > broadcast.position and asked > (head := await services.reads.head(caller.ledger)):
        raise InvalidMessage([FieldError("/after", f"must not be beyond the ledger's last position, which is {head}")])
    after = otherwise if asked is None else asked
    await services.self_audit.subscribed(caller, wanted.as_json(), after, sent_from)
    return after


def _check_origin(request: web.Request, allowed: frozenset[str]) -> None:
    """Browsers name the page's origin, and connect for any page: only ours, and those allowed, may."""
    name = request.headers.get("Origin")
    if name is None or name in allowed:
        return
    try:
        is_ours = URL(name).authority == URL(f"//{request.host}").authority
    except ValueError:
        is_ours = False
    if not is_ours:
        raise OriginRefused("only pages of this service may follow, and those of origins that an operator has allowed")
