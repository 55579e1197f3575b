"""Evidence: signed checkpoints, the keys that sign them, and proofs."""

import re
from collections.abc import Sequence
from typing import Annotated

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from adapters.http.events import READERS, Fresh, event_id_of, not_in_table
from adapters.http.parameters import Nothing, parse
from adapters.http.problems import NotFound
from adapters.http.routes import CALLER, Content, Routes
from adapters.http.services import SERVICES
from domain.checkpoint import SignedCheckpoint
from domain.credential import Credential
from domain.values import LARGEST_INTEGER, Sha256, Timestamp
from domain.words import Ledger, Position, Role
from projections.proofs import EvidenceDamaged, InclusionProof

evidence = Routes()

AUDITOR = frozenset({Role.AUDITOR})
_JSON = "application/json"
_NUMBER = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_NOTE = Content("text/plain")

log = structlog.get_logger()


class InclusionProofBody(BaseModel):
    """That an event is in the tree of a checkpoint; RFC 9162, section 2.1.3, says how to verify it."""

    event_id: str | None = None
    ledger: str
    position: Annotated[int, Field(description="The event's number in its ledger, from 1.")]
    index: Annotated[int, Field(description="The event's leaf in the tree, from 0: its position less 1.")]
    size: Annotated[int, Field(description="How many leaves the checkpoint's tree has.")]
    leaf_hash: Annotated[Sha256, Field(description="SHA-256(0x00 || record).")]
    path: Annotated[list[Sha256], Field(description="The hashes beside the way from the leaf up to the root.")]
    checkpoint: Annotated[str, Field(description="The signed note of the checkpoint, which holds the root.")]


class ConsistencyProofBody(BaseModel):
    """That the ledger was only added to; RFC 9162, section 2.1.4, says how to verify it."""

    ledger: str
    from_: Annotated[int, Field(alias="from", description="The smaller size.")]
    to: Annotated[int, Field(description="The larger size.")]
    path: list[Sha256]


class SigningKeyBody(BaseModel):
    """A public key that signs, or has signed, checkpoints."""

    name: Annotated[str, Field(description="The origin of the checkpoints that it signs.")]
    key_id: Annotated[str, Field(description="The 4 bytes, in hexadecimal, by which signature lines name it.")]
    algorithm: str
    public_key: Annotated[str, Field(description="The 32 bytes of RFC 8032, in hexadecimal.")]
    verifier_key: Annotated[str, Field(description="Name, id and key as C2SP signed-note writes them.")]
    first_used_at: Timestamp | None
    last_used_at: Timestamp | None
    current: Annotated[bool, Field(description="Whether it signs the next checkpoint.")]


class SigningKeysBody(BaseModel):
    """The public keys of one ledger's checkpoints, in the order of their first use; the current one is last."""

    keys: list[SigningKeyBody]


class Sizes(BaseModel):
    """Between which two sizes."""

    model_config = ConfigDict(frozen=True)

    from_: Annotated[int, Field(alias="from", ge=1, le=LARGEST_INTEGER, description="The smaller size.")]
    to: Annotated[
        int | None,
        Field(ge=1, le=LARGEST_INTEGER, description="The larger size; that of the latest checkpoint if absent."),
    ] = None


class OfLedger(BaseModel):
    """Whose keys."""

    model_config = ConfigDict(frozen=True)

    ledger: Annotated[
        str | None,
        Field(pattern="^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", description="That of the service's setting if absent."),
    ] = None


@evidence(
    "GET",
    "/v1/checkpoints/latest",
    "The latest checkpoint",
    {200: ("The signed note.", _NOTE)},
    roles=AUDITOR,
    problems=(404,),
)
async def latest_checkpoint(request: web.Request) -> web.StreamResponse:
    """A C2SP tlog-checkpoint: origin, size and root of the ledger's tree, signed. Keep it where we cannot reach it."""
    caller = request[CALLER]
    return _note(await request.app[SERVICES].proofs.latest(caller.ledger))


@evidence(
    "GET",
    "/v1/checkpoints/consistency",
    "Prove that the ledger was only added to",
    {200: ("The path between the two sizes.", Content(_JSON, ConsistencyProofBody))},
    roles=AUDITOR,
    query=(Sizes,),
    problems=(404, 422),
)
async def consistency_proof(request: web.Request) -> web.StreamResponse:
    """Between any two sizes up to that of the latest checkpoint, be they signed or not."""
    caller = request[CALLER]
    sizes, _ = parse(request, Sizes, Nothing)
    to, path = await request.app[SERVICES].proofs.consistency(caller.ledger, sizes.from_, sizes.to)
    return _json({"ledger": caller.ledger, "from": sizes.from_, "to": to, "path": _hex(path)})


@evidence(
    "GET",
    "/v1/checkpoints/{size}",
    "The checkpoint of a size",
    {200: ("The signed note.", _NOTE)},
    roles=AUDITOR,
    problems=(404,),
)
async def checkpoint_of_size(request: web.Request) -> web.StreamResponse:
    """Only what was signed: about one size a second while events arrive."""
    caller = request[CALLER]
    size = _number(request, "size", "the size of a checkpoint")
    return _note(await request.app[SERVICES].proofs.checkpoint(caller.ledger, size))


@evidence(
    "GET",
    "/v1/events/{event_id}/proof",
    "Prove that an event is in the ledger",
    {200: ("The path to the latest checkpoint.", Content(_JSON, InclusionProofBody))},
    roles=READERS,
    query=(Fresh,),
    problems=(404, 422),
)
async def event_proof(request: web.Request) -> web.StreamResponse:
    """A checkpoint covers an event about a second after it was recorded; until then the answer is 503.

    The proof shows nothing that the event says.
    """
    services, caller = request.app[SERVICES], request[CALLER]
    fresh, _ = parse(request, Fresh, Nothing)
    event_id = event_id_of(request)
    only_actor = caller.actor_id if caller.role is Role.USER else None
    position, freshness = await services.reads.position_of(caller.ledger, event_id, only_actor, fresh.wait(services))
    if position is None:
        raise not_in_table(event_id, caller.ledger, freshness)
    return await _proof(request, position, event_id)


@evidence(
    "GET",
    "/v1/proofs/{position}",
    "Prove what is at a position",
    {200: ("The path to the latest checkpoint.", Content(_JSON, InclusionProofBody))},
    roles=AUDITOR,
    problems=(404,),
)
async def position_proof(request: web.Request) -> web.StreamResponse:
    """As for an event by its id, also of one that no table shows: a receipt names the position and the leaf hash."""
    return await _proof(request, Position(_number(request, "position", "a position in the ledger")), None)


@evidence(
    "GET",
    "/.well-known/certinext-audit/keys",
    "The public keys of checkpoints",
    {200: ("The keys.", Content(_JSON, SigningKeysBody))},
    query=(OfLedger,),
    problems=(422, 503),
)
async def signing_keys(request: web.Request) -> web.StreamResponse:
    """Keep them where we cannot reach them; a key that was replaced stays here, for the checkpoints that it signed."""
    services = request.app[SERVICES]
    asked, _ = parse(request, OfLedger, Nothing)
    return _json({"keys": await services.signer.known_keys(Ledger(asked.ledger or services.ledger))})


async def _proof(request: web.Request, position: Position, event_id: str | None) -> web.Response:
    caller: Credential = request[CALLER]
    try:
        proof = await request.app[SERVICES].proofs.inclusion(caller.ledger, position)
    except EvidenceDamaged as error:
        log.error("evidence_damaged", ledger=caller.ledger, position=position, reason=str(error))  # noqa: TRY400
        raise
    if proof is None:
        raise NotFound(f"there is no position {position} in the ledger {caller.ledger}")
    return _json(_body(proof) | ({"event_id": event_id} if event_id else {}))


def _body(proof: InclusionProof) -> dict[str, object]:
    return {
        "ledger": proof.ledger,
        "position": proof.position,
        "index": proof.index,
        "size": proof.checkpoint.size,
        "leaf_hash": proof.leaf_hash.hex(),
        "path": _hex(proof.path),
        "checkpoint": proof.checkpoint.note,
    }


def _number(request: web.Request, name: str, meaning: str) -> int:
    text = request.match_info[name]
    if not _NUMBER.fullmatch(text):
        raise NotFound(f"{text[:100]!r} is not {meaning}, which is a number from 1")
    return int(text)


def _note(signed: SignedCheckpoint) -> web.Response:
    return web.Response(body=signed.note.encode(), content_type="text/plain", charset="utf-8")


def _json(body: object) -> web.Response:
    return web.Response(body=orjson.dumps(body), content_type=_JSON)


def _hex(hashes: Sequence[bytes]) -> list[str]:
    return [hash_.hex() for hash_ in hashes]
