"""What helps to ask: counts over time, and completions of filters."""

from typing import Annotated

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from adapters.http.events import READERS, Fresh, origin
from adapters.http.parameters import Nothing, parse
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.services import SERVICES
from domain.credential import Credential
from domain.filters import EventFilter
from domain.values import JsonObject, Timestamp, rfc3339
from domain.words import Role
from projections.activity_query import Query
from projections.exploring_query import Bar, Suggested

exploring = Routes()

_JSON = "application/json"


class Bars(Fresh):
    """How fine the counts are."""

    bars: Annotated[int, Field(ge=2, le=400, description="How many bars at most.")] = 90


class BarBody(BaseModel):
    """How many events occurred in one span."""

    begin: Timestamp
    success: int
    failure: int


class HistogramBody(BaseModel):
    """Counts over time; spans without events are left out."""

    begin: Annotated[Timestamp | None, Field(description="null if there are no events.")]
    end: Timestamp | None
    seconds: Annotated[int, Field(description="How long the span of each bar is.")]
    bars: list[BarBody]
    position: Annotated[int, Field(description="The table says all about the events up to this position.")]
    set_aside: Annotated[int, Field(description="How many events could not be applied and are missing.")]


class Beginning(BaseModel):
    """What is to be completed."""

    model_config = ConfigDict(frozen=True)

    filter: Annotated[Suggested, Field(description="The filter.")]
    beginning: Annotated[str, Field(max_length=256, description="What its value begins with.")] = ""
    limit: Annotated[int, Field(ge=1, le=50, description="How many values at most.")] = 10


class SuggestionBody(BaseModel):
    """A value of a filter, and what people call it."""

    value: str
    label: str | None


class SuggestionsBody(BaseModel):
    """Values in order."""

    suggestions: list[SuggestionBody]


@exploring(
    "GET",
    "/v1/events/histogram",
    "Count events over time",
    {200: ("The counts, by status.", Content(_JSON, HistogramBody))},
    roles=READERS,
    query=(EventFilter, Bars),
    problems=(422,),
)
async def count_events(request: web.Request) -> web.StreamResponse:
    """By `occurred_at`, with the filters of `/v1/events`; spans begin at full seconds, hours or days in UTC."""
    services, caller = request.app[SERVICES], request[CALLER]
    wanted, how = parse(request, EventFilter, Bars)
    query = Query(wanted, _only_actor(caller))
    counted, freshness = await services.reads.histogram(caller.ledger, query, how.bars, how.wait(services))
    await services.self_audit.searched(caller, wanted.as_json() | {"table": "histogram"}, 0, origin(request))
    body = {
        "begin": counted.begin and rfc3339(counted.begin),
        "end": counted.end and rfc3339(counted.end),
        "seconds": int(counted.width.total_seconds()),
        "bars": [_bar(bar) for bar in counted.bars],
        "position": freshness.position,
        "set_aside": freshness.set_aside,
    }
    return web.Response(body=orjson.dumps(body), content_type=_JSON)


@exploring(
    "GET",
    "/v1/suggest",
    "Complete a filter",
    {200: ("Values that begin so.", Content(_JSON, SuggestionsBody))},
    roles=READERS,
    query=(Beginning,),
    problems=(422,),
)
async def suggest(request: web.Request) -> web.StreamResponse:
    """Values that occur in the events that the caller may read; entities by their key, as `certificate:c-4`."""
    services, caller = request.app[SERVICES], request[CALLER]
    asked, _ = parse(request, Beginning, Nothing)
    found = await services.reads.suggestions(
        caller.ledger, asked.filter, asked.beginning, _only_actor(caller), asked.limit
    )
    filters: JsonObject = {"table": "suggest", str(asked.filter): asked.beginning}
    await services.self_audit.searched(caller, filters, len(found), origin(request))
    body = {"suggestions": [{"value": one.value, "label": one.label} for one in found]}
    return web.Response(body=orjson.dumps(body), content_type=_JSON)


def _only_actor(caller: Credential) -> str | None:
    return caller.actor_id if caller.role is Role.USER else None


def _bar(bar: Bar) -> dict[str, str | int]:
    return {"begin": rfc3339(bar.begin), "success": bar.success, "failure": bar.failure}
