"""The proofs that precede issuance: control of a domain, leave to issue for it, who the organization is."""

from domain.activity import Declarations, Details
from domain.effect import becomes, begins, ends, keeps
from domain.values import Code, Identifier, Name, Text, Timestamp
from domain.words import Module

validation = Declarations(Module.CERTIFICATE_OPERATIONS)


@validation("CheckCaa", "caa.checked", "domain", "checked the CAA records of {entity}", clause="2.2")
class CaaChecked(Details):
    """The domain's DNS records that say which authorities may issue for it were read (RFC 8659)."""

    result: Name
    domain: Name | None = None
    issuer_domain: Name | None = None
    request_id: Identifier | None = None


@validation(
    "AddDomain",
    "domain.added",
    "domain",
    "added domain {entity}",
    begins("unvalidated", keeps(organization="organization_id")),
    clause="2.2",
)
class DomainAdded(Details):
    """A domain was entered, to be validated and have certificates issued for it."""

    organization_id: Identifier | None = None


@validation(
    "StartDomainValidation",
    "domain_validation.started",
    "domain",
    "started to validate domain {entity}",
    clause="2.2",
)
class DomainValidationStarted(Details):
    """A challenge was set by which the applicant may prove control of a domain."""

    method: Name | None = None
    request_id: Identifier | None = None


@validation(
    "CheckDomainValidationPerspective",
    "domain_validation.perspective_checked",
    "domain",
    "checked domain {entity} from one network perspective",
    clause="2.7",
)
class DomainValidationPerspectiveChecked(Details):
    """A domain's challenge or CAA records were looked up from one place in the network, with this result."""

    perspective: Identifier
    result: Name
    domain: Name | None = None
    method: Name | None = None


@validation(
    "ReachDomainValidationQuorum",
    "domain_validation.quorum_reached",
    "domain",
    "reached a quorum of network perspectives on domain {entity}",
    clause="2.8",
)
class DomainValidationQuorumReached(Details):
    """Enough network perspectives corroborated the result for a domain, for instance 3/4 of them."""

    quorum: Name
    domain: Name | None = None


@validation(
    "ValidateDomain",
    "domain.validated",
    "domain",
    "validated domain {entity}",
    becomes("validated", keeps("method", "valid_until")),
    "2.2",
)
class DomainValidated(Details):
    """The applicant's control of a domain was proved by one of the methods that the Requirements allow."""

    method: Name
    valid_until: Timestamp | None = None
    request_id: Identifier | None = None


@validation(
    "ReuseDomainValidation",
    "domain_validation.reused",
    "domain",
    "reused the validation of domain {entity}",
    clause="2.2",
)
class DomainValidationReused(Details):
    """An earlier proof of control, still fresh enough, served for another request."""

    method: Name | None = None
    validated_at: Timestamp | None = None
    valid_until: Timestamp | None = None
    request_id: Identifier | None = None


@validation("RemoveDomain", "domain.removed", "domain", "removed domain {entity}", ends("removed"), clause="2.2")
class DomainRemoved(Details):
    """A domain was taken out, so that no more certificates are issued for it."""

    reason: Text | None = None


@validation(
    "VerifyOrganization",
    "organization.verified",
    "organization",
    "verified organization {entity}",
    becomes("verified", keeps("method", "validation_level", "valid_until")),
    clause="2.2",
)
class OrganizationVerified(Details):
    """The legal existence and address of an organization were checked, so that certificates may name it."""

    method: Name | None = None
    validation_level: Code | None = None
    valid_until: Timestamp | None = None
