"""Trust anchors: the authorities that are trusted for their own sake."""

from domain.activity import Declarations, Details
from domain.effect import begins, ends, keeps
from domain.values import Name, Sha256, Text
from domain.words import Module

trust_anchors = Declarations(Module.CERTIFICATE_AUTHORITY)


@trust_anchors(
    "AddTrustAnchor",
    "trust_anchor.added",
    "trust_anchor",
    "added trust anchor {entity}",
    begins("trusted", keeps("subject", "sha256_fingerprint")),
    clause="3.3",
)
class TrustAnchorAdded(Details):
    """An authority was taken among those that are trusted without another's word."""

    subject: Name | None = None
    sha256_fingerprint: Sha256 | None = None


@trust_anchors(
    "RemoveTrustAnchor",
    "trust_anchor.removed",
    "trust_anchor",
    "removed trust anchor {entity}",
    ends("removed"),
    clause="3.3",
)
class TrustAnchorRemoved(Details):
    """An authority was struck from those that are trusted without another's word."""

    reason: Text | None = None
    sha256_fingerprint: Sha256 | None = None
