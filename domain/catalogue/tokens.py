"""What machines prove themselves with, never the secret itself: tokens, ACME accounts, enrollment secrets."""

from domain.activity import Declarations, Details
from domain.catalogue.vocabulary import ApiType
from domain.effect import ACTOR, begins, ends, keeps, touches
from domain.values import Code, Count, Identifier, Name, Names, Text, Timestamp
from domain.words import Module

tokens = Declarations(Module.KEY_AUTOMATION)


@tokens(
    "IssueToken",
    "token.issued",
    "token",
    "issued token {entity}",
    begins("active", keeps("api_type", "scopes", "expires_at", "prefix", issued_by=ACTOR)),
    clause="3.2",
)
class TokenIssued(Details):
    """A token was made that lets a machine call one of the interfaces; its prefix tells it from others."""

    api_type: ApiType
    scopes: Names | None = None
    expires_at: Timestamp | None = None
    prefix: Name | None = None


@tokens("UseToken", "token.used", "token", "used token {entity}", clause="3.1")
class TokenUsed(Details):
    """A machine proved itself with a token."""

    api_type: ApiType | None = None
    operation: Name | None = None
    prefix: Name | None = None


@tokens(
    "RotateToken",
    "token.rotated",
    "token",
    "rotated token {entity}",
    touches(keeps("prefix", "expires_at")),
    clause="3.2",
)
class TokenRotated(Details):
    """A token's secret gave way to a new one, with the same rights."""

    prefix: Name | None = None
    expires_at: Timestamp | None = None


@tokens(
    "RevokeToken",
    "token.revoked",
    "token",
    "revoked token {entity}",
    ends("revoked", keeps(revoked_by=ACTOR)),
    clause="3.2",
)
class TokenRevoked(Details):
    """A token was made void before its time."""

    reason: Text | None = None


@tokens("ExpireToken", "token.expired", "token", "saw token {entity} expire", ends("expired"), clause="3.2")
class TokenExpired(Details):
    """A token reached the end of its time."""


@tokens(
    "RegisterAcmeAccount",
    "acme_account.registered",
    "acme_account",
    "registered ACME account {entity}",
    begins("valid", keeps("key_thumbprint", "external_account_id")),
    clause="3.2",
)
class AcmeAccountRegistered(Details):
    """An ACME client made itself known by its public key (RFC 8555)."""

    key_thumbprint: Identifier | None = None
    external_account_id: Identifier | None = None


@tokens(
    "DeactivateAcmeAccount",
    "acme_account.deactivated",
    "acme_account",
    "deactivated ACME account {entity}",
    ends("deactivated"),
    clause="3.2",
)
class AcmeAccountDeactivated(Details):
    """An ACME account was closed for good (RFC 8555, section 7.3.6)."""

    reason: Text | None = None


@tokens(
    "IssueEnrollmentSecret",
    "enrollment_secret.issued",
    "enrollment_secret",
    "issued enrollment secret {entity}",
    begins("issued", keeps("protocol", "uses", "expires_at")),
    clause="3.2",
)
class EnrollmentSecretIssued(Details):
    """A secret was made with which a device may ask for its certificate, such as a SCEP challenge."""

    protocol: Code | None = None
    uses: Count | None = None
    expires_at: Timestamp | None = None
