"""The certificates that CertiNext knows of: how they enter the inventory, who has them, how they leave it."""

from typing import Annotated

from domain.activity import Declarations, Details
from domain.effect import adds, becomes, begins, keeps, removes, touches
from domain.values import PERSONAL, Code, Identifier, Name, Names, Sha256, Text, Timestamp
from domain.words import Module

inventory = Declarations(Module.CERTIFICATE_OPERATIONS)


@inventory("DownloadCertificate", "certificate.downloaded", "certificate", "downloaded {entity}", clause="3.2")
class CertificateDownloaded(Details):
    """A copy of a certificate left CertiNext, alone or together with its private key."""

    format: Code | None = None
    with_private_key: bool | None = None


@inventory(
    "ImportCertificate",
    "certificate.imported",
    "certificate",
    "imported {entity}",
    begins("valid", keeps("serial", "issuer_dn", "sha256_fingerprint", "not_after")),
    clause="3.2",
)
class CertificateImported(Details):
    """A certificate issued elsewhere was taken into the inventory by hand or from a file."""

    serial: Identifier | None = None
    issuer_dn: Name | None = None
    sha256_fingerprint: Sha256 | None = None
    not_after: Timestamp | None = None
    with_private_key: bool | None = None


@inventory(
    "DiscoverCertificate",
    "certificate.discovered",
    "certificate",
    "discovered {entity}",
    begins(
        "discovered",
        keeps("discovery_source", "location", "serial", "sha256_fingerprint", "not_after", discovered_by="bot_id"),
    ),
    clause="3.2",
)
class CertificateDiscovered(Details):
    """A certificate that the inventory did not hold was found in use, whether valid or not."""

    discovery_source: Name | None = None
    bot_id: Identifier | None = None
    location: Name | None = None
    serial: Identifier | None = None
    sha256_fingerprint: Sha256 | None = None
    not_after: Timestamp | None = None


@inventory(
    "ChangeCertificateOwner",
    "certificate.owner_changed",
    "certificate",
    "changed the owner of {entity}",
    touches(keeps(owner="new_owner")),
    clause="3.2",
)
class CertificateOwnerChanged(Details):
    """Another person or group became answerable for a certificate."""

    old_owner: Annotated[Name | None, PERSONAL] = None
    new_owner: Annotated[Name | None, PERSONAL] = None


@inventory(
    "TagCertificate",
    "certificate.tagged",
    "certificate",
    "tagged {entity}",
    touches(adds(tags="added"), removes(tags="removed")),
    clause="3.2",
)
class CertificateTagged(Details):
    """The labels by which people group and find a certificate were changed."""

    added: Names | None = None
    removed: Names | None = None


@inventory(
    "ArchiveCertificate",
    "certificate.archived",
    "certificate",
    "archived {entity}",
    becomes("archived"),
    clause="3.2",
)
class CertificateArchived(Details):
    """A certificate was put away: kept for the record, no longer watched."""

    reason: Text | None = None
