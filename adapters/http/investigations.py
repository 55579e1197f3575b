"""Investigations: from one clue to all that belongs to it."""

from typing import Annotated, Self

import orjson
from aiohttp import web
from pydantic import BaseModel, Field, TypeAdapter, model_validator

from adapters.http.entity_schemas import ChangedBody
from adapters.http.events import READERS, Fresh, link_next, origin
from adapters.http.findings import FindingBody
from adapters.http.parameters import parse
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.schemas import Event, Page
from adapters.http.services import SERVICES
from domain.credential import Credential
from domain.errors import NotPermitted
from domain.span import Span
from domain.values import LARGEST_INTEGER, Identifier, JsonObject, Timestamp
from domain.words import Position, Role
from projections.investigation import Clue, Question

investigations = Routes()

_JSON = "application/json"
_Place = Annotated[Position, Field(strict=True, ge=0, le=LARGEST_INTEGER)]
_AFTER: TypeAdapter[tuple[Timestamp, _Place]] = TypeAdapter(tuple[Timestamp, _Place])


class ClueQuery(Span):
    """From which clue to start: exactly one; and the span of time."""

    actor: Annotated[Identifier | None, Field(description="The id of an actor.")] = None
    session: Annotated[Identifier | None, Field(description="The id of a session.")] = None
    token: Annotated[Identifier | None, Field(description="The id of a token.")] = None
    ip: Annotated[Identifier | None, Field(description="An IP address.")] = None
    correlation: Annotated[Identifier | None, Field(description="The id of a story.")] = None
    from_: Annotated[
        Timestamp | None, Field(alias="from", description="Events that occurred at this time or later.")
    ] = None
    to: Annotated[Timestamp | None, Field(description="Events that occurred before this time.")] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len([clue for clue in Clue if getattr(self, clue) is not None]) != 1:
            raise ValueError(f"exactly one of {', '.join(Clue)} must be given")
        return self

    def question(self, caller: Credential) -> Question:
        clue = next(clue for clue in Clue if getattr(self, clue) is not None)
        only = caller.actor_id if caller.role is Role.USER else None
        return Question(clue, getattr(self, clue), self, only)


class InvestigationPaging(Fresh):
    """Which page of the events, and how fresh."""

    limit: Annotated[int, Field(ge=1, le=1000, description="How many events at most.")] = 200
    cursor: Annotated[str | None, Field(min_length=1, max_length=4000, description="`next` of the page before.")] = None


class InvestigatedEvent(Event):
    """An event, and what it changed of its entity."""

    changed: list[ChangedBody]


class TouchedBody(BaseModel):
    """An entity that the events were about, or also affected."""

    type: str
    id: str
    name: str | None = None
    events: int
    failures: int
    activities: dict[str, int]
    first_position: int
    last_position: int
    last_occurred_at: Timestamp


class ConsequenceBody(BaseModel):
    """An event that came of it."""

    because: Annotated[str, Field(description="Why it is thought to have come of it.")]
    event: Event


class InvestigationBody(Page):
    """A page of an investigation."""

    clue: Clue
    value: str
    events: Annotated[list[InvestigatedEvent], Field(description="In the order in which they occurred.")]
    entities: list[TouchedBody]
    consequences: Annotated[list[ConsequenceBody], Field(description="What came of the events of this page.")]
    findings: Annotated[list[FindingBody], Field(description="Findings that these events are evidence of.")]
    limits: Annotated[list[str], Field(description="What this does not tell.")]


@investigations(
    "GET",
    "/v1/investigations",
    "Gather all that belongs to an actor, a session, a token, an address or a story",
    {200: ("Events, entities, consequences and findings.", Content(_JSON, InvestigationBody))},
    roles=READERS,
    query=(ClueQuery, InvestigationPaging),
    problems=(422,),
)
async def investigate(request: web.Request) -> web.StreamResponse:
    """Each page is recorded as a search before it is answered. Who may read their own events only is shown those,
    and not what came of them."""
    services, caller = request.app[SERVICES], request[CALLER]
    clue, paging = parse(request, ClueQuery, InvestigationPaging)
    question = clue.question(caller)
    if question.only_actor is not None and question.clue is Clue.ACTOR and question.value != question.only_actor:
        raise NotPermitted(f"you may investigate yourself, {question.only_actor}, and nobody else")
    asked: JsonObject = {
        "investigation": clue.as_json(),
        "ledger": caller.ledger,
        "caller": caller.id,
    }
    after = services.cursors.decode(asked, paging.cursor, _AFTER) if paging.cursor else None
    found = await services.estate.investigate(caller.ledger, question, after, paging.limit, paging.wait(services))
    await services.self_audit.searched(
        caller, clue.as_json() | {"investigation": question.clue}, len(found.events), origin(request)
    )
    following = None
    if len(found.events) == paging.limit:
        last = found.events[-1]
        following = services.cursors.encode(asked, [last["occurred_at"], last["position"]])
    response = web.Response(body=orjson.dumps(found.as_json(question) | {"next": following}), content_type=_JSON)
    link_next(request, response, following)
    return response
