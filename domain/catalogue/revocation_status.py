"""How the world learns what is revoked: revocation lists (CRLs) and signed answers (OCSP)."""

from domain.activity import Declarations, Details
from domain.catalogue.vocabulary import CrlNumber
from domain.effect import becomes, keeps, touches
from domain.values import Count, Identifier, Name, Sha256, Timestamp
from domain.words import Module

revocation_status = Declarations(Module.CERTIFICATE_AUTHORITY)


@revocation_status(
    "GenerateCrl",
    "crl.generated",
    "crl",
    "generated CRL {entity}",
    becomes("generated", keeps("crl_number", "this_update", "next_update", "entries", "sha256", issuer="ca_id")),
    "1.5, 2.5",
)
class CrlGenerated(Details):
    """An authority signed a new list of the certificates that it has revoked (RFC 5280)."""

    crl_number: CrlNumber
    this_update: Timestamp
    next_update: Timestamp | None = None
    entries: Count | None = None
    sha256: Sha256 | None = None
    ca_id: Identifier | None = None


@revocation_status(
    "PublishCrl", "crl.published", "crl", "published CRL {entity}", becomes("published", keeps("location")), "1.5, 2.5"
)
class CrlPublished(Details):
    """A revocation list was put where its readers fetch it."""

    crl_number: CrlNumber | None = None
    location: Name | None = None
    sha256: Sha256 | None = None
    ca_id: Identifier | None = None


@revocation_status(
    "SignOcspResponses",
    "ocsp_responses.signed",
    "ocsp_responder",
    "signed OCSP responses of {entity}",
    touches(keeps("this_update", "next_update", issuer="ca_id")),
    clause="1.6, 2.6",
)
class OcspResponsesSigned(Details):
    """A batch of answers on the status of certificates was signed (RFC 6960), told by number and digest."""

    count: Count
    digest: Identifier | None = None
    ca_id: Identifier | None = None
    this_update: Timestamp | None = None
    next_update: Timestamp | None = None


@revocation_status(
    "ChangeOcspResponder",
    "ocsp_responder.changed",
    "ocsp_responder",
    "changed OCSP responder {entity}",
    clause="1.6, 2.6",
)
class OcspResponderChanged(Details):
    """The service that answers on the status of certificates got other settings or another signing key."""
