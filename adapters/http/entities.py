"""Single entities as they were, by replay of the ledger."""

from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from aiohttp import web
from pydantic import BaseModel, Field, TypeAdapter

from adapters.http.entity_schemas import Diff, EntityState, Timeline
from adapters.http.events import link_next, origin
from adapters.http.moments import AsOf, href
from adapters.http.parameters import parse
from adapters.http.problems import InvalidQuery
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.services import SERVICES, Services
from domain.credential import Credential
from domain.entities.moment import Moment
from domain.entities.reconstruction import Reconstruction, place
from domain.errors import FieldError
from domain.values import LARGEST_INTEGER, Identifier, JsonObject
from domain.words import Role

entities = Routes()

_AUDITORS = frozenset({Role.AUDITOR})
_JSON = "application/json"

_Place = Annotated[int, Field(strict=True, ge=0, le=LARGEST_INTEGER)]
_AFTER_VERSION: TypeAdapter[tuple[_Place]] = TypeAdapter(tuple[_Place])


class TimelinePaging(BaseModel):
    """Which page."""

    limit: Annotated[int, Field(ge=1, le=1000, description="How many events at most.")] = 100
    cursor: Annotated[str | None, Field(min_length=1, max_length=4000, description="`next` of the page before.")] = None


class Between(BaseModel):
    """Two moments, each an RFC 3339 time or a position."""

    from_: Annotated[Identifier, Field(alias="from", description="An RFC 3339 time, or a position.")]
    to: Annotated[Identifier | None, Field(description="An RFC 3339 time, or a position; now if left out.")] = None


class Nothing(BaseModel):
    """No further parameters."""


@entities(
    "GET",
    "/v1/entities/{type}/{id}",
    "Reconstruct an entity as it was at a moment",
    {200: ("What was known of it, and what was not.", Content(_JSON, EntityState))},
    roles=_AUDITORS,
    query=(AsOf,),
    problems=(404, 409, 422),
)
async def read_entity(request: web.Request) -> web.StreamResponse:
    """Replayed from the ledger, each record checked against its hashes. If one does not hold, the answer is 409 and
    names its position."""
    services, caller = request.app[SERVICES], request[CALLER]
    as_of, _ = parse(request, AsOf, Nothing)
    kind, id_ = request.match_info["type"], request.match_info["id"]
    found = await services.reconstruct.entity(caller.ledger, kind, id_, as_of.moment)
    await _record(request, services, caller, as_of.moment)
    return web.Response(body=orjson.dumps(_linked(found)), content_type=_JSON)


@entities(
    "GET",
    "/v1/entities/{type}/{id}/timeline",
    "List the events of an entity, each with what it changed",
    {200: ("Events in the order of recording.", Content(_JSON, Timeline))},
    roles=_AUDITORS,
    query=(AsOf, TimelinePaging),
    problems=(404, 409, 422),
)
async def read_timeline(request: web.Request) -> web.StreamResponse:
    """Replayed from the ledger. Events that only name it among what they also affected are found by
    `GET /v1/events?entity=`."""
    services, caller = request.app[SERVICES], request[CALLER]
    as_of, paging = parse(request, AsOf, TimelinePaging)
    kind, id_ = request.match_info["type"], request.match_info["id"]
    asked: JsonObject = {"timeline": [kind, id_], "caller": caller.id, "as_of": as_of.moment.as_json()}
    (after,) = services.cursors.decode(asked, paging.cursor, _AFTER_VERSION) if paging.cursor else (0,)
    found = await services.reconstruct.timeline(caller.ledger, kind, id_, as_of.moment, after, paging.limit)
    await _record(request, services, caller, as_of.moment)
    following = None if found.following is None else services.cursors.encode(asked, [found.following])
    body: JsonObject = {
        "type": kind,
        "id": id_,
        "events": [step.as_json() for step in found.steps],
        "also_named_by": f"/v1/events?{urlencode({'entity': f'{kind}:{id_}'})}",
        "next": following,
        "replayed_to": place(found.replayed_to),
    }
    response = web.Response(body=orjson.dumps(body), content_type=_JSON)
    link_next(request, response, following)
    return response


@entities(
    "GET",
    "/v1/entities/{type}/{id}/diff",
    "Compare an entity at two moments",
    {200: ("What changed, from what to what.", Content(_JSON, Diff))},
    roles=_AUDITORS,
    query=(Between,),
    problems=(404, 409, 422),
)
async def read_diff(request: web.Request) -> web.StreamResponse:
    """Before its first event nothing was known of an entity: then everything is new."""
    services, caller = request.app[SERVICES], request[CALLER]
    between, _ = parse(request, Between, Nothing)
    kind, id_ = request.match_info["type"], request.match_info["id"]
    begin, end = _moments(between)
    found = await services.reconstruct.comparison(caller.ledger, kind, id_, begin, end)
    await _record(request, services, caller, end)
    body: JsonObject = {
        "type": kind,
        "id": id_,
        "from": begin.as_json(),
        "to": end.as_json(),
        "before": None if found.before is None else found.before.state,
        "after": found.after.state,
        "changes": [change.as_json() for change in found.changes],
        "replayed_to": place(found.after.replayed_to),
    }
    return web.Response(body=orjson.dumps(body), content_type=_JSON)


def _moments(between: Between) -> tuple[Moment, Moment]:
    begin = _moment("from", between.from_)
    end = Moment() if between.to is None else _moment("to", between.to)
    if between.to is not None and (begin.at is None) != (end.at is None):
        raise InvalidQuery([FieldError("to", "must be a time if `from` is one, and a position if that is one")])
    if begin.at is not None and end.at is not None and begin.at > end.at:
        raise InvalidQuery([FieldError("from", "must not be after `to`")])
    if begin.position is not None and end.position is not None and begin.position > end.position:
        raise InvalidQuery([FieldError("from", "must not be after `to`")])
    return begin, end


def _moment(parameter: str, text: str) -> Moment:
    try:
        if text.isascii() and text.isdigit():
            return AsOf.model_validate({"position": int(text)}).moment
        return AsOf.model_validate({"at": text}).moment
    except ValueError:
        raise InvalidQuery(
            [FieldError(parameter, "must be an RFC 3339 time, as 2026-11-24T10:00:00Z, or a position from 1")]
        ) from None


async def _record(request: web.Request, services: Services, caller: Credential, moment: Moment) -> None:
    entity = f"{request.match_info['type']}:{request.match_info['id']}"[:1024]
    await services.self_audit.replayed(caller, entity, moment, origin(request))


def _linked(found: Reconstruction) -> JsonObject:
    """The reconstruction, its relations as links that keep the moment."""
    shown: dict[str, Any] = found.as_json()
    for relation in shown["relations"]:
        relation["href"] = href(relation["type"], relation["id"], found.moment)
    return shown
