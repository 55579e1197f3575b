"""What a file says about itself, in plain words."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from domain.manifest import Manifest
from domain.values import JsonValue
from domain.words import Order

_FILTERS = {
    "user": "the user's id or full name begins with",
    "module": "the module is",
    "activity": "the activity is",
    "status": "the status is",
    "from": "occurred at or after",
    "to": "occurred before",
    "entity": "acted on, or also affected,",
    "source": "sent by the credential",
    "ip": "the user's IP address is",
    "correlation_id": "belongs to the story",
    "text": "holds words that begin with",
}


@dataclass(frozen=True)
class Facts:
    """What the sheets for people are made of, once all rows are written."""

    manifest: Manifest
    service: str
    checkpoint_note: str
    verifier_key: str
    modules: Counter[tuple[str, str]]
    users: Counter[tuple[str, str, str]]
    days: Counter[tuple[str, str]]


def filters_in_words(manifest: Manifest) -> str:
    """As `the status is failure; and the module is user_activity or administration`."""
    told = [f"{_FILTERS.get(name, name)} {_any_of(value)}" for name, value in sorted(manifest.filters.items())]
    if manifest.only_actor is not None:
        told.append(f"done by {manifest.only_actor}, since nothing else may be seen with this key")
    return "; and ".join(told) or "none: all events of the ledger"


def _any_of(value: JsonValue) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else str(value)


def about(facts: Facts) -> Iterator[tuple[str, str | int]]:
    """A label and what stands beside it."""
    manifest = facts.manifest
    asked_by = manifest.asked_by
    yield "Ledger", manifest.ledger
    yield "Service", facts.service
    yield "Made at (UTC)", manifest.made_at
    yield "Asked for by", asked_by["name"] + (f" ({asked_by['id']})" if asked_by["id"] != asked_by["name"] else "")
    yield "Filters", filters_in_words(manifest)
    yield "Order", "newest first" if manifest.order is Order.OCCURRED else "as recorded, oldest first"
    yield "Events in this file", manifest.rows
    yield "Positions covered", f"1 to {manifest.position}: every event up to there that fits the filters is here"
    if manifest.set_aside:
        yield "Missing", f"{manifest.set_aside} events could not be understood by the service and may be missing here"
    yield "Checkpoint", f"the signed tree of {manifest.checkpoint_size} events, root {manifest.checkpoint_root}"
    if manifest.checkpoint_size < manifest.position:
        behind = manifest.position - manifest.checkpoint_size
        yield "Not in the checkpoint", f"the last {behind} positions: for them the signed manifest vouches alone"
    yield "Export", manifest.export_id
    yield "Signed with", facts.verifier_key


def how_to_verify() -> Iterator[str]:
    """Sentences for an auditor."""
    yield "Every row of this file can be checked without the service and without a network:"
    yield "certinext-audit verify THIS-FILE --key KEY"
    yield (
        "KEY is the service's public key. Get it from the operator by a way of your own, not from this file: "
        "who can change a file can also put another key into it."
    )
    yield (
        "The check recomputes each row: its hash from its record, each column from the record and the personal data, "
        "the chain from row to row where no position is missing between them, and that all of them are in the signed "
        "tree. It names the row and the column of whatever was changed, and every row that was taken out or put in."
    )
    yield (
        "Sorting, filtering, colours and wider columns do no harm while the file is only looked at. Keep the file as "
        "it came if it is to serve as evidence."
    )
    yield (
        "Personal data stand in a column of their own, bound to the record by a digest. They may be erased one day "
        "where the law demands it; every other proof stays intact."
    )
