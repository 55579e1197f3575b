"""Certificate authorities: their life, their place in the hierarchy, and their own certificates."""

from domain.activity import Declarations, Details
from domain.catalogue.vocabulary import CrlReason
from domain.effect import becomes, begins, keeps, touches
from domain.values import Code, Identifier, Name, Sha256, Text, Timestamp
from domain.words import Module

authorities = Declarations(Module.CERTIFICATE_AUTHORITY)


@authorities(
    "CreateCertificateAuthority",
    "certificate_authority.created",
    "certificate_authority",
    "created authority {entity}",
    begins("created", keeps("ca_type", "subject", "signature_algorithm", parent="parent_ca_id", key="key_id")),
    clause="1.1",
)
class CertificateAuthorityCreated(Details):
    """A certificate authority was set up, with a name and a key to sign with."""

    ca_type: Code | None = None
    subject: Name | None = None
    parent_ca_id: Identifier | None = None
    key_id: Identifier | None = None
    signature_algorithm: Identifier | None = None


@authorities(
    "ConfigureCertificateAuthority",
    "certificate_authority.configured",
    "certificate_authority",
    "configured authority {entity}",
    clause="3.3",
)
class CertificateAuthorityConfigured(Details):
    """The settings by which an authority issues were changed."""


@authorities(
    "RenewCertificateAuthority",
    "certificate_authority.renewed",
    "certificate_authority",
    "renewed authority {entity}",
    touches(keeps("not_after", serial="new_serial", key="key_id")),
    clause="1.2",
)
class CertificateAuthorityRenewed(Details):
    """An authority was given a new certificate of its own, and a new key where one is named."""

    old_serial: Identifier | None = None
    new_serial: Identifier | None = None
    key_id: Identifier | None = None
    not_after: Timestamp | None = None


@authorities(
    "ActivateCertificateAuthority",
    "certificate_authority.activated",
    "certificate_authority",
    "activated authority {entity}",
    becomes("active"),
    clause="3.2",
)
class CertificateAuthorityActivated(Details):
    """An authority was opened for issuance."""


@authorities(
    "SuspendCertificateAuthority",
    "certificate_authority.suspended",
    "certificate_authority",
    "suspended authority {entity}",
    becomes("suspended"),
    clause="3.2",
)
class CertificateAuthoritySuspended(Details):
    """An authority was kept from issuing, for the time being."""

    reason: Text | None = None


@authorities(
    "ResumeCertificateAuthority",
    "certificate_authority.resumed",
    "certificate_authority",
    "resumed authority {entity}",
    becomes("active", after=("suspended",)),
    clause="3.2",
)
class CertificateAuthorityResumed(Details):
    """A suspended authority was opened for issuance again."""

    reason: Text | None = None


@authorities(
    "RevokeCertificateAuthority",
    "certificate_authority.revoked",
    "certificate_authority",
    "revoked authority {entity}",
    becomes("revoked", keeps("crl_reason", "revocation_time")),
    clause="1.2",
)
class CertificateAuthorityRevoked(Details):
    """The trust in an authority was withdrawn, and with it that in whatever it had issued."""

    crl_reason: CrlReason | None = None
    revocation_time: Timestamp | None = None
    reason: Text | None = None


@authorities(
    "RetireCertificateAuthority",
    "certificate_authority.retired",
    "certificate_authority",
    "retired authority {entity}",
    becomes("retired"),
    clause="3.2",
)
class CertificateAuthorityRetired(Details):
    """An authority was closed to issuance for good."""

    reason: Text | None = None


@authorities(
    "AddSubordinateAuthority",
    "subordinate_authority.added",
    "certificate_authority",
    "added subordinate authority {entity}",
    touches(keeps(parent="parent_ca_id")),
    clause="1.2",
)
class SubordinateAuthorityAdded(Details):
    """An authority was placed under another one, which vouches for it."""

    parent_ca_id: Identifier | None = None


@authorities(
    "ChangeAuthorityHierarchy",
    "authority_hierarchy.changed",
    "certificate_authority",
    "changed the place of authority {entity} in the hierarchy",
    clause="3.3",
)
class AuthorityHierarchyChanged(Details):
    """It was changed which authority stands under which."""


@authorities(
    "IssueCrossCertificate",
    "cross_certificate.issued",
    "certificate",
    "issued cross-certificate {entity}",
    begins(
        "valid",
        keeps("serial", "issuer_dn", "subject", "sha256_fingerprint", "not_before", "not_after", issuer="ca_id"),
    ),
    clause="1.2",
)
class CrossCertificateIssued(Details):
    """An authority vouched for one of another hierarchy, so that those who trust the first trust both."""

    serial: Identifier | None = None
    issuer_dn: Name | None = None
    subject: Name | None = None
    sha256_fingerprint: Sha256 | None = None
    not_before: Timestamp | None = None
    not_after: Timestamp | None = None
    ca_id: Identifier | None = None


@authorities(
    "IssueCaCertificate",
    "ca_certificate.issued",
    "certificate",
    "issued authority certificate {entity}",
    begins(
        "valid",
        keeps("serial", "issuer_dn", "subject", "sha256_fingerprint", "not_before", "not_after", issuer="ca_id"),
    ),
    clause="1.2",
)
class CaCertificateIssued(Details):
    """A certificate was signed that makes its subject an authority, a root's signed by itself included."""

    serial: Identifier | None = None
    issuer_dn: Name | None = None
    subject: Name | None = None
    sha256_fingerprint: Sha256 | None = None
    not_before: Timestamp | None = None
    not_after: Timestamp | None = None
    ca_id: Identifier | None = None


@authorities(
    "RevokeCaCertificate",
    "ca_certificate.revoked",
    "certificate",
    "revoked authority certificate {entity}",
    becomes("revoked", keeps("crl_reason", "revocation_time")),
    clause="1.2",
)
class CaCertificateRevoked(Details):
    """An authority's own certificate was revoked before the end of its validity."""

    crl_reason: CrlReason | None = None
    revocation_time: Timestamp | None = None
    serial: Identifier | None = None
