"""The audit of the audit: who searched, exported, verified, reconstructed, and who was let in to do so."""

from typing import Annotated

from pydantic import Field

from domain.activity import Declarations, Details
from domain.effect import becomes, begins, ends, keeps
from domain.values import PERSONAL, Code, Count, Identifier, JsonObject, Name, Sha256, Text, Timestamp
from domain.words import Module, Role

audit = Declarations(Module.ADMINISTRATION)

AnyRole = Annotated[Role, Field(strict=False)]
AnyModule = Annotated[Module, Field(strict=False)]
Filters = Annotated[JsonObject, PERSONAL]
"""The parameters of a search, which may name a person."""
Modules = Annotated[tuple[AnyModule, ...], Field(strict=False)]


@audit("QueryAuditTrail", "audit_trail.queried", "ledger", "searched the audit trail {entity}", clause="3.2")
class AuditTrailQueried(Details):
    """Somebody read events by the filters given, and was shown this many."""

    filters: Filters
    rows: Count


@audit("ExportAuditTrail", "audit_trail.exported", "ledger", "exported the audit trail {entity}", clause="3.2")
class AuditTrailExported(Details):
    """Somebody took the events that match the filters out of the service, in a file with this digest."""

    filters: Filters
    rows: Count
    sha256: Sha256 | None = None
    format: Code | None = None
    order: Code | None = None
    to_position: Count | None = None


@audit("VerifyAuditTrail", "audit_trail.verified", "ledger", "verified the audit trail {entity}", clause="3.2")
class AuditTrailVerified(Details):
    """The hashes of the events between two positions were recomputed and compared, with this verdict."""

    from_position: Count
    to_position: Count
    verdict: Code
    verification_id: Identifier | None = None


@audit(
    "DetectAuditTampering",
    "audit_tampering.detected",
    "ledger",
    "detected tampering with the audit trail {entity}",
    clause="3.5",
)
class AuditTamperingDetected(Details):
    """The audit trail was found altered, first at the position given where one can be named."""

    kind: Code
    position: Count | None = None
    message: Text | None = None


@audit("ReplayAudit", "audit.replayed", "ledger", "replayed the audit trail {entity}", clause="3.2")
class AuditReplayed(Details):
    """Somebody had an entity, or all of a type, put together from events as it was at a time or position."""

    entity: Name | None = None
    as_of: Timestamp | None = None
    as_of_position: Count | None = None


@audit(
    "SubscribeToAuditFeed",
    "audit_feed.subscribed",
    "ledger",
    "followed the audit trail {entity} live",
    clause="3.2",
)
class AuditFeedSubscribed(Details):
    """Somebody began to receive events as they are recorded, from a position on where one is given."""

    filters: Filters
    after: Count | None = None


@audit(
    "CreateAuditCredential",
    "audit_credential.created",
    "credential",
    "created audit credential {entity}",
    begins("active", keeps("role", "modules", "expires_at", "credential_name", "user_id")),
    clause="3.3",
)
class AuditCredentialCreated(Details):
    """A key was made with which a service or a person may use the audit trail, in the role given."""

    role: AnyRole
    modules: Modules | None = None
    expires_at: Timestamp | None = None
    credential_name: Name | None = None
    user_id: Identifier | None = None


@audit(
    "RevokeAuditCredential",
    "audit_credential.revoked",
    "credential",
    "revoked audit credential {entity}",
    ends("revoked"),
    clause="3.3",
)
class AuditCredentialRevoked(Details):
    """A key to the audit trail was made void."""

    reason: Text | None = None


@audit(
    "RotateAuditSigningKey",
    "audit_signing_key.rotated",
    "signing_key",
    "rotated the audit signing key {entity}",
    clause="3.3",
)
class AuditSigningKeyRotated(Details):
    """Checkpoints are signed with another key from now on, of which this is the public half in hexadecimal."""

    public_key: Sha256
    previous_public_key: Sha256 | None = None


@audit(
    "RebuildAuditProjection",
    "audit_projection.rebuilt",
    "projection",
    "rebuilt the audit projection {entity}",
    clause="3.2",
)
class AuditProjectionRebuilt(Details):
    """A table that answers questions was filled anew from the events."""

    projection: Name | None = None
    to_position: Count | None = None
    rows: Count | None = None
    duration_ms: Count | None = None


@audit(
    "AcknowledgeAuditFinding",
    "audit_finding.acknowledged",
    "finding",
    "acknowledged finding {entity}",
    becomes("acknowledged", keeps("rule", "comment")),
    clause="3.2",
)
class AuditFindingAcknowledged(Details):
    """Somebody looked into what the rules found suspicious, and said what came of it."""

    comment: Text | None = None
    rule: Name | None = None
    position: Count | None = None
