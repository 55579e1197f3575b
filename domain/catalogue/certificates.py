"""The life of a certificate, from its issuance to its end."""

from typing import Annotated

from domain.activity import Declarations, Details
from domain.catalogue.vocabulary import CrlReason
from domain.effect import becomes, begins, keeps, touches
from domain.values import PERSONAL, Identifier, Integer, Name, Names, Sha256, Text, Timestamp
from domain.words import Module

certificates = Declarations(Module.CERTIFICATE_OPERATIONS)


@certificates(
    "IssueCertificate",
    "certificate.issued",
    "certificate",
    "issued {entity}",
    begins(
        "valid",
        keeps(
            "serial",
            "issuer_dn",
            "sha256_fingerprint",
            "not_before",
            "not_after",
            "subject",
            "sans",
            issuer="ca_id",
            request="request_id",
            profile="profile_id",
            key="key_id",
        ),
    ),
    "2.4",
)
class CertificateIssued(Details):
    """A certificate was signed by its authority."""

    serial: Identifier
    issuer_dn: Name
    sha256_fingerprint: Sha256
    not_before: Timestamp
    not_after: Timestamp
    ca_id: Identifier | None = None
    request_id: Identifier | None = None
    profile_id: Identifier | None = None
    key_id: Identifier | None = None
    subject: Name | None = None
    sans: Names | None = None


@certificates(
    "RequestCertificateRenewal",
    "certificate.renewal_requested",
    "certificate",
    "asked to renew {entity}",
    clause="2.1",
)
class CertificateRenewalRequested(Details):
    """Somebody, or a rule, asked for a successor to a certificate before it ends."""

    request_id: Identifier | None = None
    requester: Annotated[Name | None, PERSONAL] = None


@certificates(
    "RenewCertificate",
    "certificate.renewed",
    "certificate",
    "renewed {entity}",
    touches(keeps(successor_serial="new_serial")),
    clause="2.4",
)
class CertificateRenewed(Details):
    """A successor was issued to a certificate, with the same names and a later end."""

    old_serial: Identifier
    new_serial: Identifier
    not_after: Timestamp | None = None
    request_id: Identifier | None = None


@certificates(
    "RekeyCertificate",
    "certificate.rekeyed",
    "certificate",
    "rekeyed {entity}",
    touches(keeps(successor_serial="new_serial", successor_key="key_id")),
    clause="2.4",
)
class CertificateRekeyed(Details):
    """A successor was issued to a certificate, with the same names and a new key."""

    old_serial: Identifier | None = None
    new_serial: Identifier | None = None
    key_id: Identifier | None = None
    request_id: Identifier | None = None


@certificates(
    "ReissueCertificate",
    "certificate.reissued",
    "certificate",
    "reissued {entity}",
    touches(keeps(successor_serial="new_serial")),
    clause="2.4",
)
class CertificateReissued(Details):
    """A certificate was replaced within its paid term, with the same or other names."""

    old_serial: Identifier | None = None
    new_serial: Identifier | None = None
    reason: Text | None = None
    request_id: Identifier | None = None


@certificates("EditCertificate", "certificate.edited", "certificate", "edited {entity}", clause="3.2")
class CertificateEdited(Details):
    """What CertiNext keeps about a certificate was changed; the certificate itself was not."""


@certificates(
    "RequestCertificateRevocation",
    "certificate.revocation_requested",
    "certificate",
    "asked to revoke {entity}",
    clause="2.1",
)
class CertificateRevocationRequested(Details):
    """Somebody asked that a certificate be revoked."""

    reason: Text | None = None
    requester: Annotated[Name | None, PERSONAL] = None
    invalidity_date: Timestamp | None = None


@certificates(
    "RevokeCertificate",
    "certificate.revoked",
    "certificate",
    "revoked {entity}",
    becomes("revoked", keeps("crl_reason", "revocation_time", "invalidity_date")),
    "2.1",
)
class CertificateRevoked(Details):
    """A certificate was revoked before the end of its validity."""

    crl_reason: CrlReason
    revocation_time: Timestamp
    invalidity_date: Timestamp | None = None
    serial: Identifier | None = None


@certificates(
    "SuspendCertificate",
    "certificate.suspended",
    "certificate",
    "suspended {entity}",
    becomes("suspended"),
    clause="2.1",
)
class CertificateSuspended(Details):
    """A certificate was put on hold: not to be trusted until it is reinstated or revoked."""

    reason: Text | None = None


@certificates(
    "ReinstateCertificate",
    "certificate.reinstated",
    "certificate",
    "reinstated {entity}",
    becomes("valid", after=("suspended",)),
    clause="2.1",
)
class CertificateReinstated(Details):
    """A certificate that was on hold became valid again."""

    reason: Text | None = None


@certificates(
    "NotifyCertificateExpiry",
    "certificate.expiry_notified",
    "certificate",
    "gave notice that {entity} expires",
    clause="3.2",
)
class CertificateExpiryNotified(Details):
    """Those in charge of a certificate were told how many days it has left; none or fewer if it has ended."""

    days_left: Integer
    recipients: Annotated[Names | None, PERSONAL] = None
    notification_rule_id: Identifier | None = None


@certificates(
    "ExpireCertificate",
    "certificate.expired",
    "certificate",
    "saw {entity} expire",
    becomes("expired"),
    clause="3.2",
)
class CertificateExpired(Details):
    """A certificate reached the end of its validity."""

    not_after: Timestamp | None = None
