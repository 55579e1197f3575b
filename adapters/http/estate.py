"""The estate: all entities of a type as they were at a moment, from the read table."""

from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import BaseModel, Field, TypeAdapter, create_model

from adapters.http.entity_schemas import EntitiesPage
from adapters.http.events import Fresh, link_next, origin
from adapters.http.moments import AsOf, href
from adapters.http.parameters import parse
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.services import SERVICES, Services
from application.reconstruct import TYPES, InvalidMoment, NothingKnown
from domain.entities.links import FILTERABLE, links_of
from domain.entities.moment import Moment
from domain.entities.state import state_of
from domain.values import LARGEST_INTEGER, JsonObject, Name, Timestamp, rfc3339
from domain.words import Role
from projections.entities_query import Found, Wanted

estate = Routes()

_AUDITORS = frozenset({Role.AUDITOR})
_JSON = "application/json"

_Place = Annotated[int, Field(strict=True, ge=0, le=LARGEST_INTEGER)]
_Id = Annotated[str, Field(strict=True, pattern=r"^[^\x00]+$")]
_BEFORE_TIME: TypeAdapter[tuple[Timestamp, Timestamp, _Id]] = TypeAdapter(tuple[Timestamp, Timestamp, _Id])
_BEFORE_POSITION: TypeAdapter[tuple[_Place, _Id]] = TypeAdapter(tuple[_Place, _Id])

EntityFilter = create_model(
    "EntityFilter",
    __base__=BaseModel,
    __doc__="Which entities are wanted: values of one filter are alternatives; different filters must all hold.",
    __config__=None,
    state=(tuple[Name, ...], Field((), description="The state that they were in, as `valid`.")),
    **{
        name: (tuple[Name, ...], Field((), description=f"What they had as their `{name}`."))
        for name in sorted(FILTERABLE)
    },  # type: ignore[call-overload]
)


class EstatePaging(AsOf, Fresh):
    """As of when, which page, and how fresh."""

    limit: Annotated[int, Field(ge=1, le=1000, description="How many entities at most.")] = 50
    cursor: Annotated[str | None, Field(min_length=1, max_length=4000, description="`next` of the page before.")] = None


@estate(
    "GET",
    "/v1/entities/{type}",
    "List the entities of a type as they were at a moment",
    {200: ("A page of entities, what came to be so last first.", Content(_JSON, EntitiesPage))},
    roles=_AUDITORS,
    query=(EntityFilter, EstatePaging),
    problems=(404, 422),
)
async def list_entities(request: web.Request) -> web.StreamResponse:
    """Read from the table of states, and recorded as a replay before it is answered."""
    services, caller = request.app[SERVICES], request[CALLER]
    wanted, paging = parse(request, EntityFilter, EstatePaging)
    entity_type = request.match_info["type"]
    filters: dict[str, Any] = {name: [*values] for name, values in wanted.model_dump().items() if values}
    asked: JsonObject = {
        "table": "entities",
        "type": entity_type,
        "ledger": caller.ledger,
        "caller": caller.id,
        "filters": filters,
        "as_of": paging.moment.as_json(),
    }
    moment, before = _page_of(services, paging, asked)
    attributes = {name: values for name, values in filters.items() if name != "state"}
    sought = Wanted(entity_type, filters.get("state", []), attributes)
    rows, freshness = await services.estate.entities(
        caller.ledger, sought, moment, before, paging.limit, paging.wait(services)
    )
    if not rows and before is None and entity_type not in TYPES:
        raise NothingKnown(f"there are no entities of the type {entity_type!r}; there are {', '.join(sorted(TYPES))}")
    await services.self_audit.replayed(caller, entity_type, moment, origin(request))
    following = _following(rows[-1], moment) if len(rows) == paging.limit else None
    cursor = services.cursors.encode(asked, following) if following else None
    body: JsonObject = {
        "type": entity_type,
        "as_of": moment.as_json(),
        "entities": [_shown(entity_type, row, moment) for row in rows],
        "next": cursor,
        "position": freshness.position,
        "set_aside": freshness.set_aside,
    }
    response = web.Response(body=orjson.dumps(body), content_type=_JSON)
    link_next(request, response, cursor)
    return response


def _page_of(services: Services, paging: EstatePaging, asked: JsonObject) -> tuple[Moment, Any]:
    """The moment and where the page goes on; who asks for now is shown the moment of the first page to the end."""
    if paging.position is not None:
        place = services.cursors.decode(asked, paging.cursor, _BEFORE_POSITION) if paging.cursor else None
        return paging.moment, place
    if paging.cursor:
        at, *found = services.cursors.decode(asked, paging.cursor, _BEFORE_TIME)
        return Moment(at), tuple(found)
    now = services.reconstruct.clock()
    if paging.at is not None and paging.at > now:
        raise InvalidMoment("at", "must not be in the future: nobody knows yet what will be so")
    return Moment(paging.at or now), None


def _following(last: Found, moment: Moment) -> list[Any]:
    since, entity_id = last.place
    if moment.at is None:
        return [since, entity_id]
    assert not isinstance(since, int)
    return [rfc3339(moment.at), rfc3339(since), entity_id]


def _shown(entity_type: str, row: Found, moment: Moment) -> JsonObject:
    state = state_of(row.life)
    return {
        "id": row.id,
        "name": row.name,
        **state,
        "since": {"position": row.from_position, "time": rfc3339(row.from_time)},
        "relations": [
            {"relation": link.relation, "type": link.type, "id": link.id, "href": href(link.type, link.id, moment)}
            for link in links_of(state)
        ],
        "href": href(entity_type, row.id, moment),
    }
