"""Certificate profiles: the rules for what a certificate may hold."""

from domain.activity import Declarations, Details
from domain.effect import begins, ends, keeps, touches
from domain.values import Identifier, Text
from domain.words import Module

profiles = Declarations(Module.CERTIFICATE_AUTHORITY)


@profiles(
    "IntroduceCertificateProfile",
    "certificate_profile.introduced",
    "certificate_profile",
    "introduced certificate profile {entity}",
    begins("active", keeps("profile_version", issuer="ca_id")),
    clause="1.7",
)
class CertificateProfileIntroduced(Details):
    """A new set of rules for certificates came into use."""

    ca_id: Identifier | None = None
    profile_version: Identifier | None = None


@profiles(
    "ChangeCertificateProfile",
    "certificate_profile.changed",
    "certificate_profile",
    "changed certificate profile {entity}",
    touches(keeps("profile_version")),
    clause="1.7",
)
class CertificateProfileChanged(Details):
    """The rules of a certificate profile were changed for what is issued from then on."""

    profile_version: Identifier | None = None


@profiles(
    "RetireCertificateProfile",
    "certificate_profile.retired",
    "certificate_profile",
    "retired certificate profile {entity}",
    ends("retired"),
    clause="1.7",
)
class CertificateProfileRetired(Details):
    """A certificate profile was taken out of use."""

    reason: Text | None = None
