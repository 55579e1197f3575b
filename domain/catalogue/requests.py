"""Requests for certificates, from the asking to the answer."""

from typing import Annotated

from domain.activity import Declarations, Details
from domain.effect import ACTOR, adds, becomes, begins, ends, keeps
from domain.values import PERSONAL, Code, Count, Identifier, Name, Names, Sha256, Text
from domain.words import Module

requests = Declarations(Module.CERTIFICATE_OPERATIONS)


@requests(
    "RequestCertificate",
    "certificate.requested",
    "certificate_request",
    "requested a certificate: {entity}",
    begins(
        "pending",
        keeps(
            "product",
            "subject",
            "sans",
            "key_algorithm",
            "key_size",
            "csr_sha256",
            profile="profile_id",
            requester=ACTOR,
        ),
    ),
    clause="2.1",
)
class CertificateRequested(Details):
    """Somebody asked for a certificate for the names and the public key of a signing request."""

    product: Name | None = None
    profile_id: Identifier | None = None
    subject: Name | None = None
    sans: Names | None = None
    key_algorithm: Code | None = None
    key_size: Count | None = None
    csr_sha256: Sha256 | None = None
    requester: Annotated[Name | None, PERSONAL] = None


@requests(
    "EditCertificateRequest",
    "certificate_request.edited",
    "certificate_request",
    "edited certificate request {entity}",
    clause="2.1",
)
class CertificateRequestEdited(Details):
    """What a request asks for was changed before it was decided upon."""


@requests(
    "ApproveCertificateRequest",
    "certificate_request.approved",
    "certificate_request",
    "approved certificate request {entity}",
    becomes("approved", keeps(policy="policy_id"), adds(approvers=ACTOR)),
    clause="2.3",
)
class CertificateRequestApproved(Details):
    """A person or a policy agreed that the requested certificate may be issued."""

    approver: Annotated[Name | None, PERSONAL] = None
    step: Name | None = None
    policy_id: Identifier | None = None
    comment: Text | None = None


@requests(
    "RejectCertificateRequest",
    "certificate_request.rejected",
    "certificate_request",
    "rejected certificate request {entity}",
    ends("rejected", keeps(policy="policy_id", rejected_by=ACTOR)),
    clause="2.3",
)
class CertificateRequestRejected(Details):
    """A person or a policy decided that the requested certificate must not be issued."""

    approver: Annotated[Name | None, PERSONAL] = None
    reason: Text | None = None
    step: Name | None = None
    policy_id: Identifier | None = None


@requests(
    "CancelCertificateRequest",
    "certificate_request.cancelled",
    "certificate_request",
    "cancelled certificate request {entity}",
    ends("cancelled"),
    clause="2.1",
)
class CertificateRequestCancelled(Details):
    """A request was withdrawn before a certificate came of it."""

    reason: Text | None = None
