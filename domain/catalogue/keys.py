"""The life of a cryptographic key, in the states of NIST SP 800-57; never the key itself."""

from typing import Annotated

from domain.activity import Declarations, Details
from domain.effect import adds, becomes, begins, ends, keeps, touches
from domain.values import PERSONAL, Code, Count, Identifier, Name, Names, Text, Timestamp
from domain.words import Module

keys = Declarations(Module.KEY_AUTOMATION)


@keys(
    "GenerateKey",
    "key.generated",
    "key",
    "generated key {entity}",
    begins("pre-active", keeps("algorithm", "size", "exportable", store="store_id")),
    clause="1.1",
)
class KeyGenerated(Details):
    """A key was made inside a key store or a device, and not yet used."""

    algorithm: Code
    size: Count | None = None
    store_id: Identifier | None = None
    exportable: bool | None = None


@keys(
    "ImportKey",
    "key.imported",
    "key",
    "imported key {entity}",
    begins("active", keeps("algorithm", "size", "exportable", "origin", store="store_id")),
    clause="1.1",
)
class KeyImported(Details):
    """A key made elsewhere was taken into a key store, ready for use."""

    algorithm: Code | None = None
    size: Count | None = None
    store_id: Identifier | None = None
    exportable: bool | None = None
    origin: Name | None = None


@keys(
    "ActivateKey", "key.activated", "key", "activated key {entity}", becomes("active", keeps("purpose")), clause="1.1"
)
class KeyActivated(Details):
    """A key was put into use, to sign or to decrypt."""

    purpose: Name | None = None


@keys(
    "DeactivateKey",
    "key.deactivated",
    "key",
    "deactivated key {entity}",
    becomes("deactivated"),
    clause="1.1",
)
class KeyDeactivated(Details):
    """A key was put out of use; what it protected before may still be read or checked."""

    reason: Text | None = None


@keys("BackUpKey", "key.backed_up", "key", "backed up key {entity}", touches(adds(backups="destination")), clause="1.1")
class KeyBackedUp(Details):
    """A protected copy of a key was made, in shares of which a threshold is needed to recover it."""

    shares: Count | None = None
    threshold: Count | None = None
    destination: Name | None = None
    custodians: Annotated[Names | None, PERSONAL] = None


@keys("RecoverKey", "key.recovered", "key", "recovered key {entity}", touches(keeps(store="store_id")), clause="1.1")
class KeyRecovered(Details):
    """A key was brought back from its protected copy by those who hold the shares."""

    custodians: Annotated[Names | None, PERSONAL] = None
    store_id: Identifier | None = None
    reason: Text | None = None


@keys(
    "ArchiveKey",
    "key.archived",
    "key",
    "archived key {entity}",
    touches(keeps("retain_until", archive="destination")),
    clause="1.1",
)
class KeyArchived(Details):
    """A key was put into long-term keeping, to read or check what it once protected."""

    destination: Name | None = None
    retain_until: Timestamp | None = None


@keys(
    "ExportKey",
    "key.exported",
    "key",
    "exported key {entity}",
    touches(keeps(exported_wrapped="wrapped"), adds(exported_to="destination")),
    clause="1.1",
)
class KeyExported(Details):
    """A key left its store, encrypted under another key where `wrapped` says so."""

    wrapped: bool | None = None
    destination: Name | None = None
    reason: Text | None = None


@keys(
    "RotateKey", "key.rotated", "key", "rotated key {entity}", touches(keeps(successor_key="new_key_id")), clause="1.1"
)
class KeyRotated(Details):
    """A key gave way to a new one for the same purpose."""

    new_key_id: Identifier | None = None
    reason: Text | None = None


@keys(
    "ReportKeyCompromise",
    "key.compromise_reported",
    "key",
    "reported that key {entity} is compromised",
    becomes("compromised", keeps("compromised_since")),
    clause="1.1",
)
class KeyCompromiseReported(Details):
    """Somebody reported that a key is, or may be, known to those who must not have it."""

    reporter: Annotated[Name | None, PERSONAL] = None
    evidence: Text | None = None
    compromised_since: Timestamp | None = None


@keys("DestroyKey", "key.destroyed", "key", "destroyed key {entity}", ends("destroyed"), clause="1.1")
class KeyDestroyed(Details):
    """A key was erased with all its copies, so that nobody can use it again."""

    method: Name | None = None
    witnesses: Annotated[Names | None, PERSONAL] = None


@keys("AccessKey", "key.accessed", "key", "accessed key {entity}", clause="1.1")
class KeyAccessed(Details):
    """A key was used, or its record was opened."""

    operation: Name | None = None
    purpose: Name | None = None


@keys("ChangeKeyProfile", "key_profile.changed", "key_profile", "changed key profile {entity}", clause="3.3")
class KeyProfileChanged(Details):
    """The rules by which keys are made, such as algorithm, size and lifetime, were changed."""
