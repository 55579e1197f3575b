"""What a page of events becomes, and what is counted meanwhile."""

from collections import Counter
from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from isal import isal_zlib

from domain.errors import AuditError, UnreadableEvent
from domain.evidence_page import EvidencePage
from domain.export_check import FINGERPRINT_BYTES
from domain.exported import Evidence, Words, facts_of, row_hash
from domain.values import JsonObject

_LEVEL = 1
_RAW = -15
"""Deflate without a header, as ZIP has it."""


class Counts(NamedTuple):
    """How many events a page has, by what people ask for."""

    kinds: Counter[str]
    modules: Counter[tuple[str, str]]
    """By module and status."""
    users: Counter[tuple[str, str, str]]
    """By id, full name and status."""
    days: Counter[tuple[str, str]]
    """By day and status."""


class Built(NamedTuple):
    """A page as bytes of the file."""

    data: bytes
    """Deflated where the format packs."""
    crc: int
    size: int
    """Before it was packed."""
    row_hashes: bytes
    fingerprints: bytes
    counts: Counts


def build(page: EvidencePage, words: Words, one: Callable[[Evidence, JsonObject], str]) -> tuple[str, Built]:
    """The text of a page, of which `one` makes each row, and the rest of what is to be known of it."""
    texts, told, hashes = [], [], []
    for evidence in page.rows():
        facts: Any = _facts(evidence, words)
        actor, status = facts["actor"], facts["status"]
        user = (actor["id"], actor.get("full_name") or "", status)
        told.append((facts["type"], (facts["module"], status), user, (facts["occurred_at"][:10], status)))
        hashes.append(row_hash(evidence.leaf_hash, evidence.chain_hash, shows_personal=evidence.personal is not None))
        texts.append(one(evidence, facts))
    counts = Counts(*(Counter(map(itemgetter(index), told)) for index in range(len(Counts._fields))))
    fingerprints = b"".join([one[:FINGERPRINT_BYTES] for one in hashes])
    return "".join(texts), Built(b"", 0, 0, b"".join(hashes), fingerprints, counts)


def _facts(evidence: Evidence, words: Words) -> JsonObject:
    """Raises UnreadableEvent for what is not as the service records it."""
    try:
        return facts_of(evidence.record, evidence.personal, words)[0]
    except (AuditError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableEvent(f"the event at position {evidence.position} cannot be read: {error!r}") from error


class Packed(NamedTuple):
    """A stretch of a deflated stream, which may follow any other."""

    data: bytes
    crc: int
    size: int


def pack(data: bytes, *, last: bool = False) -> Packed:
    """Deflate a stretch on its own, so that stretches can be made apart and put together."""
    deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _RAW)
    packed = deflate.compress(data) + deflate.flush(isal_zlib.Z_FINISH if last else isal_zlib.Z_FULL_FLUSH)
    return Packed(packed, isal_zlib.crc32(data), len(data))
