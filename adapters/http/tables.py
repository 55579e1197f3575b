"""Reading the read tables of users, modules and statuses."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import orjson
from aiohttp import web
from asyncpg import Record
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from adapters.http.events import Fresh, link_next, origin
from adapters.http.parameters import parse
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.schemas import Activity, Page, StatusCount, User
from adapters.http.services import SERVICES
from domain.credential import Credential
from domain.filters import ActivityName
from domain.span import Span
from domain.values import Identifier, JsonObject, Timestamp, rfc3339
from domain.words import ActorKind, Module, Role, Status
from projections.reads import Freshness

tables = Routes()

_AUDITORS = frozenset({Role.AUDITOR})
_JSON = "application/json"

_Id = Annotated[str, Field(strict=True, pattern=r"^[^\x00]+$")]
_AFTER_ID: TypeAdapter[tuple[_Id]] = TypeAdapter(tuple[_Id])
_AFTER_COUNT: TypeAdapter[tuple[Timestamp, Status]] = TypeAdapter(tuple[Timestamp, Status])


class UserFilter(Span):
    """Which actors are wanted."""

    user: Annotated[tuple[Identifier, ...], Field(description="The beginning of an id or full name, in any case.")] = ()
    kind: tuple[ActorKind, ...] = ()
    from_: Annotated[
        Timestamp | None, Field(alias="from", description="Actors who acted last at this time or later.")
    ] = None
    to: Annotated[Timestamp | None, Field(description="Actors who acted first before this time.")] = None


class ModuleFilter(BaseModel):
    """Which activities are wanted."""

    model_config = ConfigDict(frozen=True)

    module: tuple[Module, ...] = ()
    activity: Annotated[tuple[ActivityName, ...], Field(description="As `certificate.revoked`.")] = ()


class StatusFilter(Span):
    """Which counts are wanted."""

    bucket: Annotated[Literal["hour", "day"], Field(description="How long each span of time is, in UTC.")] = "day"
    status: tuple[Status, ...] = ()
    module: tuple[Module, ...] = ()
    from_: Annotated[Timestamp | None, Field(alias="from", description="From this time on; its whole hour counts.")] = (
        None
    )
    to: Annotated[Timestamp | None, Field(description="Up to this time; its whole hour counts.")] = None


class TablePaging(Fresh):
    """Which page of the result, and how fresh."""

    limit: Annotated[int, Field(ge=1, le=1000, description="How many rows at most.")] = 100
    cursor: Annotated[str | None, Field(min_length=1, max_length=4000, description="`next` of the page before.")] = None


class UsersPage(Page):
    """A page of actors, by id."""

    users: list[User]


class ModulesPage(Page):
    """All activities that happened."""

    modules: list[Activity]


class StatusesPage(Page):
    """A page of counts, oldest first."""

    statuses: list[StatusCount]


@tables(
    "GET",
    "/v1/users",
    "List actors and what they did, in sum",
    {200: ("A page of actors.", Content(_JSON, UsersPage))},
    roles=_AUDITORS,
    query=(UserFilter, TablePaging),
    problems=(422,),
)
async def list_users(request: web.Request) -> web.StreamResponse:
    """Actors of every kind, by id."""
    services, caller = request.app[SERVICES], request[CALLER]
    wanted, paging = parse(request, UserFilter, TablePaging)
    asked = _asked("users", caller, wanted)
    (after,) = services.cursors.decode(asked, paging.cursor, _AFTER_ID) if paging.cursor else (None,)
    rows, freshness = await services.reads.users(
        caller.ledger,
        wanted.user,
        wanted.kind,
        (wanted.from_, wanted.to),
        after,
        paging.limit,
        paging.wait(services),
    )
    if rows or paging.cursor is None:
        await services.self_audit.searched(caller, wanted.as_json() | {"table": "users"}, len(rows), origin(request))
    following = services.cursors.encode(asked, [rows[-1]["id"]]) if len(rows) == paging.limit else None
    return _page(request, "users", rows, freshness, following)


@tables(
    "GET",
    "/v1/modules",
    "List modules and their activities, in sum",
    {200: ("All activities that happened, by module.", Content(_JSON, ModulesPage))},
    roles=_AUDITORS,
    query=(ModuleFilter, Fresh),
    problems=(422,),
)
async def list_modules(request: web.Request) -> web.StreamResponse:
    """How often each activity happened, how often it failed, and when it did first and last."""
    services, caller = request.app[SERVICES], request[CALLER]
    wanted, fresh = parse(request, ModuleFilter, Fresh)
    rows, freshness = await services.reads.modules(caller.ledger, wanted.module, wanted.activity, fresh.wait(services))
    return _page(request, "modules", rows, freshness, None)


@tables(
    "GET",
    "/v1/statuses",
    "Count events by status over time",
    {200: ("A page of counts.", Content(_JSON, StatusesPage))},
    roles=_AUDITORS,
    query=(StatusFilter, TablePaging),
    problems=(422,),
)
async def list_statuses(request: web.Request) -> web.StreamResponse:
    """By span and then by status; spans without events are left out."""
    services, caller = request.app[SERVICES], request[CALLER]
    wanted, paging = parse(request, StatusFilter, TablePaging)
    asked = _asked("statuses", caller, wanted)
    after = services.cursors.decode(asked, paging.cursor, _AFTER_COUNT) if paging.cursor else None
    rows, freshness = await services.reads.statuses(
        caller.ledger,
        wanted.bucket,
        wanted.status,
        wanted.module,
        (wanted.from_, wanted.to),
        after and after[0],
        paging.limit + len(Status) + 1,  # The span that the page before ended in comes again, whole.
        paging.wait(services),
    )
    rows = [row for row in rows if after is None or (row["bucket"], row["status"]) > after]
    shown = rows[: paging.limit]
    following = None
    if len(rows) > paging.limit:
        following = services.cursors.encode(asked, [rfc3339(shown[-1]["bucket"]), shown[-1]["status"]])
    return _page(request, "statuses", shown, freshness, following)


def _asked(table: str, caller: Credential, wanted: Span) -> JsonObject:
    return {"table": table, "ledger": caller.ledger, "caller": caller.id, "filters": wanted.as_json()}


def _page(
    request: web.Request, name: str, rows: Sequence[Record], freshness: Freshness, following: str | None
) -> web.Response:
    body: dict[str, Any] = {
        name: [dict(row) for row in rows],
        "next": following,
        "position": freshness.position,
        "set_aside": freshness.set_aside,
    }
    response = web.Response(
        body=orjson.dumps(body, default=rfc3339, option=orjson.OPT_PASSTHROUGH_DATETIME), content_type=_JSON
    )
    link_next(request, response, following)
    return response
