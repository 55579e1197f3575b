"""The audit of the audit: what is done to the trail is recorded in the trail."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from application.ports import Clock
from application.record_commands import RecordCommands
from domain.credential import Credential
from domain.entities.moment import Moment
from domain.receipt import Receipt
from domain.values import JsonObject, rfc3339
from domain.verdict import Verdict
from domain.words import ActorKind, Channel, Position, Role


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from."""

    ip: str | None
    user_agent: str | None


HERE = Origin(None, None)
"""The service's own machine."""


@dataclass(frozen=True)
class SelfAudit:
    """Records the service's own actions under the credential that asked for them."""

    commands: RecordCommands
    clock: Clock

    async def searched(self, caller: Credential, filters: JsonObject, rows: int, origin: Origin) -> None:
        """A search was answered. Raises StoreUnavailable: what cannot be recorded is not shown."""
        details: JsonObject = {"filters": filters, "rows": rows}
        await self._record(caller, "QueryAuditTrail", details, _ledger_of(caller), origin)

    async def replayed(self, caller: Credential, entity: str, moment: Moment, origin: Origin) -> None:
        """An entity, or all of a type, was put together. Raises StoreUnavailable, and it is then not shown."""
        details: JsonObject = {"entity": entity}
        if moment.at is not None:
            details["as_of"] = rfc3339(moment.at)
        if moment.position is not None:
            details["as_of_position"] = moment.position
        await self._record(caller, "ReplayAudit", details, _ledger_of(caller), origin)

    async def finding_acknowledged(
        self, caller: Credential, finding_id: str, rule: str, comment: str, origin: Origin
    ) -> Receipt:
        """Somebody looked into a finding. Raises StoreUnavailable."""
        details: JsonObject = {"comment": comment, "rule": rule}
        entity: JsonObject = {"type": "finding", "id": finding_id}
        return await self._record(caller, "AcknowledgeAuditFinding", details, entity, origin)

    async def exported(
        self,
        caller: Credential,
        export_id: str,
        details: JsonObject,
        origin: Origin,
        *,
        interrupted: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """A file of events was made, or not finished for the reason given; the export's id is its correlation id.

        Of an export there is one event, whoever records it first. Raises StoreUnavailable, and AlreadyRecorded.
        """
        more: JsonObject = {"correlation_id": export_id, "command_id": f"export-{export_id}"}
        if at is not None:
            more["occurred_at"] = rfc3339(at)
        if interrupted is not None:
            more |= {"status": "failure", "failure": {"code": "interrupted", "reason": interrupted}}
        await self._record(caller, "ExportAuditTrail", details, _ledger_of(caller), origin, more)

    async def subscribed(self, caller: Credential, filters: JsonObject, after: Position, origin: Origin) -> None:
        """Somebody follows the events after a position. Raises StoreUnavailable, as `searched` does."""
        details: JsonObject = {"filters": filters, "after": after}
        await self._record(caller, "SubscribeToAuditFeed", details, _ledger_of(caller), origin)

    async def credential_created(self, by: Credential, created: Credential) -> None:
        details: JsonObject = {"role": created.role, "modules": [*sorted(created.modules)]}
        if created.expires_at is not None:
            details["expires_at"] = rfc3339(created.expires_at)
        if created.actor_id is not None:
            details["user_id"] = created.actor_id
        await self._record(by, "CreateAuditCredential", details, _entity_of(created))

    async def credential_revoked(self, by: Credential, credential_id: str) -> None:
        await self._record(by, "RevokeAuditCredential", {}, {"type": "credential", "id": credential_id})

    async def signing_key_rotated(self, by: Credential, public_key: bytes, previous: bytes | None) -> None:
        details: JsonObject = {"public_key": public_key.hex()}
        if previous is not None:
            details["previous_public_key"] = previous.hex()
        await self._record(by, "RotateAuditSigningKey", details, {"type": "signing_key", "id": public_key.hex()})

    async def projection_rebuilt(self, by: Credential, projection: str, events: int) -> None:
        details: JsonObject = {"projection": projection, "rows": events}
        await self._record(by, "RebuildAuditProjection", details, {"type": "projection", "id": projection})

    async def verified(self, by: Credential, verdict: Verdict, verification_id: str) -> Position:
        """A verification has come to a verdict: what was found, at most so much, is recorded first.

        Returns the position of the last event about it.
        """
        for found in verdict.tampering[:_MOST_TAMPERING]:
            details: JsonObject = {"kind": found.kind, "message": found.text[:_MOST_TEXT]}
            if found.position > 0:
                details["position"] = found.position
            await self._record(by, "DetectAuditTampering", details, _ledger_of(by))
        details = {
            "from_position": verdict.from_position,
            "to_position": verdict.to_position,
            "verdict": verdict.word,
            "verification_id": verification_id,
        }
        return (await self._record(by, "VerifyAuditTrail", details, _ledger_of(by))).position

    async def _record(
        self,
        caller: Credential,
        command: str,
        details: JsonObject,
        entity: JsonObject,
        origin: Origin = HERE,
        more: JsonObject | None = None,
    ) -> Receipt:
        return await self.commands.record_own(
            caller,
            {
                "command": command,
                "command_id": str(uuid4()),
                "occurred_at": rfc3339(self.clock()),
                "actor": _actor_of(caller, origin),
                "entity": entity,
                "status": "success",
                "channel": _CHANNELS.get(caller.id, Channel.REST),
                "details": details,
                **(more or {}),
            },
        )


CONSOLE = "console"
"""The source of what is done at the command line, by who has the database itself."""

SELF_CHECK = "self-check"
"""The source of what the service does by itself, at its times."""

_CHANNELS = {CONSOLE: Channel.CLI, SELF_CHECK: Channel.SCHEDULER}
_MOST_TAMPERING = 20
_MOST_TEXT = 2000


def _actor_of(caller: Credential, origin: Origin) -> JsonObject:
    kind = ActorKind.USER if caller.role is Role.USER else ActorKind.SERVICE
    actor: JsonObject = {"id": caller.actor_id or caller.id, "kind": kind, "full_name": caller.name}
    if origin.ip:
        actor["ip"] = origin.ip
    if origin.user_agent:
        actor["user_agent"] = origin.user_agent[:1024]
    return actor


def _ledger_of(caller: Credential) -> JsonObject:
    return {"type": "ledger", "id": caller.ledger}


def _entity_of(credential: Credential) -> JsonObject:
    return {"type": "credential", "id": credential.id, "name": credential.name}
