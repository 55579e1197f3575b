"""Verifications: starting one, and following it."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from adapters.http.bodies import understood
from adapters.http.evidence import AUDITOR
from adapters.http.parameters import Nothing, parse
from adapters.http.problems import InvalidBody, NotFound
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.services import SERVICES
from application.kept_checkpoints import UnusableCheckpoint
from application.verification import Scope
from domain.errors import FieldError
from domain.signed_note import InvalidVerifierKey, VerifierKey
from domain.values import Timestamp
from domain.verification import KeptCheckpoint
from domain.verification_run import VerificationKind
from domain.words import Ledger

verifications = Routes()

_JSON = "application/json"
_MOST = 100

Note = Annotated[str, Field(max_length=100_000)]


class VerificationOptions(BaseModel):
    """How much is verified."""

    model_config = ConfigDict(frozen=True)

    tables: Annotated[bool, Field(description="Whether the read tables are compared with the ledger, too.")] = True


class KeptElsewhere(BaseModel):
    """What the ledger is compared with, beside what is kept here; the body may be left out."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    checkpoints: Annotated[
        list[Note],
        Field(max_length=_MOST, description="Signed checkpoints that you kept, each as one text."),
    ] = []
    keys: Annotated[
        list[str],
        Field(
            max_length=_MOST,
            description="The verifier keys of your checkpoints, as you noted them; without any, those that the "
            "service names are believed.",
        ),
    ] = []


class TamperingBody(BaseModel):
    """One thing that is wrong."""

    kind: Annotated[str, Field(description="A code that stays the same for ever.")]
    position: Annotated[int, Field(description="The first position that it is about; 0 if it is about none.")]
    last_position: int
    table: Annotated[str | None, Field(description="The read table that it is about; null for the ledger itself.")]
    message: str
    text: Annotated[str, Field(description="The place and what is wrong there, as one sentence.")]


class VerificationReport(BaseModel):
    """What came of it; of one that failed only the reason."""

    verdict: str | None = None
    from_position: int | None = None
    to_position: int | None = None
    tampering: list[TamperingBody] = []
    left_out: Annotated[int, Field(description="How much more was found than is listed.")] = 0
    checked: Annotated[list[str], Field(description="What was checked, in words.")] = []
    not_checked: Annotated[list[str], Field(description="What was not, in words.")] = []
    reason: str | None = None


class VerificationProgress(BaseModel):
    """What is being done, and how much of how much of it is."""

    stage: str
    done: int
    total: int


class VerificationBody(BaseModel):
    """A verification of the ledger."""

    id: str
    ledger: str
    kind: VerificationKind
    source: Annotated[str, Field(description="The id of the credential that asked for it.")]
    whole: Annotated[bool, Field(description="Whether it is of everything, the read tables among it.")]
    state: Literal["running", "finished", "interrupted"]
    started_at: Timestamp
    finished_at: Timestamp | None
    progress: VerificationProgress
    verdict: Annotated[str | None, Field(description="`intact`, `tampered`, or `failed` if it could not be done.")]
    report: VerificationReport | None


@verifications(
    "POST",
    "/v1/verifications",
    "Verify the ledger",
    {202: ("It has begun; follow it under its Location.", Content(_JSON, VerificationBody))},
    roles=AUDITOR,
    query=(VerificationOptions,),
    body=(Content(_JSON, KeptElsewhere, optional=True),),
    problems=(400, 409, 413, 415, 422),
)
async def start_verification(request: web.Request) -> web.StreamResponse:
    """Recompute and compare everything, in the background; one at a time for each ledger. Its end is recorded.

    Checkpoints that you kept elsewhere are compared, too: nothing else tells of a ledger that was rewritten with all
    that is kept beside it.
    """
    services, caller = request.app[SERVICES], request[CALLER]
    options, _ = parse(request, VerificationOptions, Nothing)
    given = await _opened(request, caller.ledger) if request.body_exists else ()
    scope = Scope(given, tables=options.tables, workers=services.limits.verification_workers)
    run = await services.verifications.start(caller, scope)
    return web.Response(
        body=orjson.dumps(run.as_json(services.verifications.clock())),
        status=HTTPStatus.ACCEPTED,
        content_type=_JSON,
        headers={"Location": f"/v1/verifications/{run.id}"},
    )


@verifications(
    "GET",
    "/v1/verifications/{verification_id}",
    "Follow a verification",
    {200: ("How far it is, and its verdict.", Content(_JSON, VerificationBody))},
    roles=AUDITOR,
    problems=(404,),
)
async def read_verification(request: web.Request) -> web.StreamResponse:
    """Whichever process runs it. Those of the command line and of the service itself are found by their ids, too."""
    services, ledger = request.app[SERVICES], request[CALLER].ledger
    verification_id = _id(request)
    run = await services.verifications.store.find(ledger, verification_id)
    if run is None:
        raise NotFound(f"there is no verification {verification_id} of the ledger {ledger}")
    return web.Response(body=orjson.dumps(run.as_json(services.verifications.clock())), content_type=_JSON)


async def _opened(request: web.Request, ledger: Ledger) -> Sequence[KeptCheckpoint]:
    """The checkpoints in the body. Raises InvalidBody that names what cannot be used, and what `understood` does."""
    services = request.app[SERVICES]
    kept = await understood(request, KeptElsewhere, services.limits.command_bytes, InvalidBody)
    keys, opened, wrong = [], [], []
    for number, text in enumerate(kept.keys):
        try:
            keys.append(VerifierKey.parse(text))
        except InvalidVerifierKey as error:
            wrong.append(FieldError(f"/keys/{number}", str(error)))
    if wrong:
        raise InvalidBody(wrong)
    for number, note in enumerate(kept.checkpoints):
        try:
            opened.append(await services.kept_checkpoints.given(ledger, note, f"the request ({number + 1})", keys))
        except UnusableCheckpoint as error:
            wrong.append(FieldError(f"/checkpoints/{number}", str(error)))
    if wrong:
        raise InvalidBody(wrong)
    return opened


def _id(request: web.Request) -> str:
    text = request.match_info["verification_id"]
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound(f"{text[:100]!r} is not the id of a verification, which is a UUID") from None
