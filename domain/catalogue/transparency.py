"""Certificate Transparency: the public logs in which certificates must appear, and what turns up there."""

from domain.activity import Declarations, Details
from domain.values import Identifier, Name, Sha256, Text
from domain.words import Module

transparency = Declarations(Module.CERTIFICATE_OPERATIONS)


@transparency(
    "SubmitPrecertificate",
    "precertificate.submitted",
    "certificate",
    "submitted the precertificate of {entity} to a transparency log",
    clause="2.4",
)
class PrecertificateSubmitted(Details):
    """A public log took in the forerunner of a certificate and promised, by an SCT, to show it (RFC 6962)."""

    ct_log: Name | None = None
    sct: Text | None = None
    serial: Identifier | None = None


@transparency(
    "DetectUnexpectedCertificate",
    "unexpected_certificate.detected",
    "certificate",
    "detected the unexpected certificate {entity}",
    clause="3.5",
)
class UnexpectedCertificateDetected(Details):
    """A public log showed a certificate for a watched domain that CertiNext did not ask for."""

    ct_log: Name | None = None
    domain: Name | None = None
    issuer_dn: Name | None = None
    serial: Identifier | None = None
    sha256_fingerprint: Sha256 | None = None
