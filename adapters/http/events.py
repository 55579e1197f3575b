"""Reading events: pages by filter, and one by its id."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from adapters.http.parameters import Nothing, parse
from adapters.http.problems import InvalidQuery, NotFound
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.schemas import Event, EventWithEvidence, Page
from adapters.http.services import SERVICES, Services
from application.self_audit import Origin
from domain.credential import Credential
from domain.errors import FieldError
from domain.filters import EventFilter
from domain.values import LARGEST_INTEGER, JsonObject, JsonValue, Timestamp, rfc3339
from domain.words import Ledger, Order, Position, Role
from projections.activity_query import Query, Row
from projections.reads import AT_ONCE, Freshness, Wait

events = Routes()

READERS = frozenset({Role.AUDITOR, Role.USER})
_JSON = "application/json"

_Place = Annotated[Position, Field(strict=True, ge=0, le=LARGEST_INTEGER)]
_BEFORE: TypeAdapter[tuple[Timestamp, _Place]] = TypeAdapter(tuple[Timestamp, _Place])
_AFTER: TypeAdapter[tuple[_Place]] = TypeAdapter(tuple[_Place])


class Fresh(BaseModel):
    """How fresh the answer must be."""

    model_config = ConfigDict(frozen=True)

    min_position: Annotated[
        int, Field(ge=0, le=2**53, description="Wait until the events up to this position are in the table.")
    ] = 0

    def wait(self, services: Services) -> Wait:
        return Wait(Position(self.min_position), services.limits.wait_seconds)


class Paging(Fresh):
    """Which page of the result, and how fresh."""

    order: Annotated[
        Order,
        Field(
            description="`occurred`: newest first, for people. `recorded`: by position, oldest first, for machines "
            "that poll: there is always a next page, and no event is ever missed."
        ),
    ] = Order.OCCURRED
    limit: Annotated[int, Field(ge=1, le=1000, description="How many events at most.")] = 50
    cursor: Annotated[str | None, Field(min_length=1, max_length=4000, description="`next` of the page before.")] = None
    poll_seconds: Annotated[
        int,
        Field(alias="wait", ge=0, le=60, description="With `order=recorded`: how many seconds to wait for an event."),
    ] = 0


class EventsPage(Page):
    """A page of events."""

    events: list[Event]


@events(
    "GET",
    "/v1/events",
    "Find events",
    {200: ("A page of events.", Content(_JSON, EventsPage))},
    roles=READERS,
    query=(EventFilter, Paging),
    problems=(422,),
)
async def find_events(request: web.Request) -> web.StreamResponse:
    """Values of one filter are alternatives; different filters must all hold.

    Each page that shows anything but the caller's own searches is itself recorded, before it is answered.
    """
    services, caller = request.app[SERVICES], request[CALLER]
    wanted, paging = parse(request, EventFilter, Paging)
    if paging.poll_seconds and paging.order is not Order.RECORDED:
        raise InvalidQuery([FieldError("wait", "needs `order=recorded`: only there what is new comes last")])
    asked = _asked(caller, wanted, paging.order)
    query = Query(wanted, caller.actor_id if caller.role is Role.USER else None)
    wait = paging.wait(services)
    following: list[JsonValue] | None
    if paging.order is Order.OCCURRED:
        before = services.cursors.decode(asked, paging.cursor, _BEFORE) if paging.cursor else None
        rows, freshness = await services.reads.newest_first(caller.ledger, query, before, paging.limit, wait)
        following = [rfc3339(rows[-1].occurred_at), rows[-1].position] if len(rows) == paging.limit else None
    else:
        (after,) = services.cursors.decode(asked, paging.cursor, _AFTER) if paging.cursor else (Position(0),)
        rows, goes_on, freshness = await _recorded(services, caller, query, after, paging)
        following = [goes_on]
    if paging.cursor is None or not all(_is_own_search(row, caller, paging.order) for row in rows):
        await services.self_audit.searched(caller, wanted.as_json(), len(rows), origin(request))
    return _page(request, rows, freshness, services.cursors.encode(asked, following) if following else None)


@events(
    "GET",
    "/v1/events/{event_id}",
    "Read one event with its evidence",
    {200: ("The event, its record and its hashes.", Content(_JSON, EventWithEvidence))},
    roles=READERS,
    query=(Fresh,),
    problems=(404, 422),
)
async def read_event(request: web.Request) -> web.StreamResponse:
    """The record is the text that is hashed: `leaf_hash` is SHA-256 of a zero byte and the record in UTF-8."""
    services, caller = request.app[SERVICES], request[CALLER]
    fresh, _ = parse(request, Fresh, Nothing)
    only_actor = caller.actor_id if caller.role is Role.USER else None
    event_id = event_id_of(request)
    found, freshness = await services.reads.event(caller.ledger, event_id, only_actor, fresh.wait(services))
    if found is None:
        raise not_in_table(event_id, caller.ledger, freshness)
    await services.self_audit.searched(caller, {"event_id": event_id}, 1, origin(request))
    row, evidence = found
    return web.Response(
        body=b'{"event":%b,"record":%b,"personal":%b,"leaf_hash":"%b","chain_hash":"%b","position":%d,"set_aside":%d}'
        % (
            row.event.encode(),
            _text(evidence["record"]),
            _text(evidence["personal"]),
            evidence["leaf_hash"].hex().encode(),
            evidence["chain_hash"].hex().encode(),
            freshness.position,
            freshness.set_aside,
        ),
        content_type=_JSON,
    )


def _text(data: bytes | None) -> bytes:
    """Bytes that were UTF-8 when they were recorded, as JSON; what was damaged since shows as damaged."""
    return orjson.dumps(None if data is None else data.decode(errors="replace"))


async def _recorded(
    services: Services, caller: Credential, query: Query, after: Position, paging: Paging
) -> tuple[list[Row], Position, Freshness]:
    """A page in the order of positions; if it would be empty it is waited for, as long as the caller wants."""
    reads, feed, ledger = services.reads, services.feed, caller.ledger
    page = await reads.by_position(ledger, query, after, paging.limit, paging.wait(services))
    if not paging.poll_seconds or page[0]:
        return page
    with services.feed_clients.admitted(caller):
        async with feed.opened(ledger) as broadcast:
            try:
                async with asyncio.timeout(paging.poll_seconds):
                    while not page[0] and not feed.is_ending:
                        await feed.something_new(broadcast, query, page[1])
                        page = await reads.by_position(ledger, query, page[1], paging.limit, AT_ONCE)
            except TimeoutError:
                page = await reads.by_position(ledger, query, page[1], paging.limit, AT_ONCE)
    return page


def _is_own_search(row: Row, caller: Credential, order: Order) -> bool:
    """Whether this only tells of reading: to record the reading of that would never come to an end.

    Of the caller's own; in recorded order of anybody's, since two who poll would else wake each other for ever.
    """
    # A quotation mark inside a text is escaped, so these members are those of the event itself.
    is_search = '"activity":"audit_trail.queried"' in row.event
    return is_search and (order is Order.RECORDED or f'"source":"{caller.id}"' in row.event)


def origin(request: web.Request) -> Origin:
    """Where a request comes from, as far as the connection tells."""
    return Origin(request.remote, request.headers.get("User-Agent"))


def not_in_table(event_id: str, ledger: Ledger, freshness: Freshness) -> NotFound:
    missing = f"; {freshness.set_aside} events are missing in this table" if freshness.set_aside else ""
    return NotFound(f"there is no event {event_id} in the ledger {ledger}{missing}")


def event_id_of(request: web.Request) -> str:
    """The id in the path. Raises NotFound if it is none."""
    text = request.match_info["event_id"]
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound(f"{text[:100]!r} is not the id of an event, which is a UUID") from None


def _asked(caller: Credential, wanted: EventFilter, order: Order) -> JsonObject:
    """What a cursor belongs to: it goes on in the same query of the same caller only."""
    return {"ledger": caller.ledger, "caller": caller.id, "order": order, "filters": wanted.as_json()}


def _page(request: web.Request, rows: Sequence[Row], freshness: Freshness, following: str | None) -> web.Response:
    body = b'{"events":[%b],"next":%b,"position":%d,"set_aside":%d}' % (
        b",".join(row.event.encode() for row in rows),
        orjson.dumps(following),
        freshness.position,
        freshness.set_aside,
    )
    response = web.Response(body=body, status=HTTPStatus.OK, content_type=_JSON)
    link_next(request, response, following)
    return response


def link_next(request: web.Request, response: web.Response, following: str | None) -> None:
    """Add RFC 8288 links to the first page and, if there is one, the next."""
    rest = [(name, value) for name, value in request.query.items() if name != "cursor"]
    targets = {"first": rest} | ({"next": [*rest, ("cursor", following)]} if following else {})
    for relation, parameters in targets.items():
        target = request.path + (f"?{urlencode(parameters)}" if parameters else "")
        response.headers.add("Link", f'<{target}>; rel="{relation}"')
