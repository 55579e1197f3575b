"""What a row of `activity` must hold for a filter, as conditions in SQL."""

from collections.abc import Iterable, Sequence

from domain.filters import EventFilter
from domain.search import Sought
from domain.words import Status
from projections.statement import Statement

_TELLING = 4
"""So many letters of a beginning leave few enough words to look for them in the index."""


def conditions_of(statement: Statement, wanted: EventFilter, driving: str | None) -> list[str]:
    """All that a row must hold, but for the filter that the driver sees to."""
    found: list[str] = []
    for column, values in (
        ("correlation_id", wanted.correlation_id),
        ("ip", wanted.ip),
        ("activity", wanted.activity),
        ("source", wanted.source),
        ("module", wanted.module),
    ):
        if values and column != driving:
            found.append(f"{column} = ANY({statement.add(list(values))}::text[])")
    if wanted.status and set(wanted.status) != set(Status):
        # Written out, so that the planner sees that the index of failures will do.
        found.append(f"status = '{Status(wanted.status[0]).value}'")
    if wanted.entity and driving != "entity":
        found.append(_of_entities(statement, wanted.entity))
    if wanted.user:
        prefixes = statement.add([_like(prefix) for prefix in wanted.user])
        found.append(f"(actor_id_fold LIKE ANY({prefixes}::text[]) OR actor_name_fold LIKE ANY({prefixes}))")
    if wanted.from_ is not None:
        found.append(f"occurred_at >= {statement.add(wanted.from_)}")
    if wanted.to is not None:
        found.append(f"occurred_at < {statement.add(wanted.to)}")
    if wanted.text:
        found += _of_words(statement, [Sought.by(text) for text in wanted.text])
    return found


def _of_entities(statement: Statement, keys: Sequence[str]) -> str:
    """Types stand apart from entities, so that the planner sees how rare a type is and may use its index."""
    types, named = [key for key in keys if ":" not in key], [key for key in keys if ":" in key]
    found = f"entity_type = ANY({statement.add(types)}::text[])"
    if named:
        place = statement.add(named)
        found += f" OR entity_type || ':' || entity_id = ANY({place}::text[]) OR also_affected && {place}"
    return f"({found})"


def _of_words(statement: Statement, texts: Sequence[Sought]) -> list[str]:
    """The index brings all words of a few letters' beginning together, which may be half of the ledger: such a
    beginning, as that of the top-level domain in `shop.example.c`, is tried on the rows that the other words find.
    """
    exact = _any_of(_all_of(text, text.begun) for text in texts)
    telling = _any_of(
        _all_of(text, None if text.whole and len(text.begun) < _TELLING else text.begun) for text in texts
    )
    found = [f"words @@ {statement.add(telling)}::text::tsquery"]
    if exact != telling:
        # No index can serve a condition of this form.
        found.append(f"(words @@ {statement.add(exact)}::text::tsquery) IS TRUE")
    return found


def _tells(text: Sought) -> bool:
    return not text.whole or len(text.begun) >= _TELLING


def _any_of(queries: Iterable[str]) -> str:
    return " | ".join(f"({query})" for query in queries)


def _all_of(text: Sought, begun: str | None) -> str:
    return " & ".join([f"'{word}'" for word in text.whole] + ([] if begun is None else [f"'{begun}':*"]))


def _like(prefix: str) -> str:
    escaped = prefix.casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%"
