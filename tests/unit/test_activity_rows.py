"""What a row of `activity` holds: the event as people see it, the words to find it by, its actor's names."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain import canonical, search
from domain.catalogue import CATALOGUE
from domain.event import AuditEvent
from domain.ledger import Head, link
from domain.mapper import RecordMapper
from domain.search import searchable, words
from domain.words import DEFAULT_LEDGER
from projections import activity
from projections.activity import document
from tests.builders import draft, json_values, login_data


def event_of(**changes: Any) -> AuditEvent:
    [event] = link(Head.empty(DEFAULT_LEDGER), [(draft(**changes), 1)], datetime(2026, 11, 24, 12, tzinfo=UTC))
    return RecordMapper(CATALOGUE).to_domain_event(event)


def test_a_document_is_the_event_with_a_sentence_about_it() -> None:
    """The personal fields stand in their places; the digest that covers them is left out."""
    event = event_of()
    shown = document(event)
    assert shown["description"] == "Asha Rao revoked www.example.com"
    assert shown["actor"] == {
        "id": "u-17",
        "full_name": "Asha Rao",
        "kind": "user",
        "ip": "10.1.2.3",
        "session_id": "s-9",
    }
    assert "personal" not in shown
    assert shown.keys() - {"description"} == event.facts.keys() - {"personal"}
    assert activity._row(DEFAULT_LEDGER, event).endswith(canonical.encode(shown))


def test_words_come_from_the_description_and_the_details() -> None:
    """Each once, however often it is said, and from whatever depth; the words of keys are not said."""
    found = lexemes(
        event_of(
            **{
                **login_data(status="failure", failure={"code": "denied", "reason": "Asha's account is LOCKED"}),
                "command_id": "once",
            }
        )
    )
    assert set(found) == set(
        words("Asha Rao failed to log in user Asha Rao: Asha's account is LOCKED (denied) password")
    )
    assert len(found) == len(set(found))


def test_very_many_words_are_cut_off() -> None:
    """The database keeps a megabyte of them at most; the event itself is whole."""
    reason = " ".join(f"w{number}" for number in range(5000))
    found = lexemes(event_of(status="failure", failure={"code": "denied", "reason": reason}))
    assert len(found) == search._MOST_WORDS


def test_a_long_line_among_short_ones_is_cut() -> None:
    """Whether any is long is seen before lines are joined."""
    assert searchable("short", {"note": f"short {'x' * 250}"}) == ["short", "x" * 100, "x" * 50]


@given(json_values)
def test_all_texts_and_numbers_of_the_details_are_found(value: Any) -> None:
    """True, false and null are no words."""
    found = searchable("", {"details": value})

    def leaves(part: Any) -> list[str]:
        if isinstance(part, dict):
            return [leaf for item in part.values() for leaf in leaves(item)]
        if isinstance(part, list):
            return [leaf for item in part for leaf in leaves(item)]
        return [] if part is None or part is True or part is False else [str(part)]

    assert found == list(dict.fromkeys(word for leaf in leaves(value) for word in words(leaf)))[: search._MOST_WORDS]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=256))
def test_an_actor_is_found_by_the_beginning_of_each_name(name: str) -> None:
    """Folded, and cut so that the index can hold it."""
    aliases = activity._aliases({("U-17", name)})
    assert aliases == {("u-17", "U-17"), (name.casefold()[: activity.ALIAS_LENGTH], "U-17")}
    assert max(len(alias.encode()) for alias, _ in aliases) <= 4 * activity.ALIAS_LENGTH


def test_an_actor_without_a_name_has_one_alias() -> None:
    """Its id."""
    assert activity._aliases({("b-1", None)}) == {("b-1", "b-1")}


def lexemes(event: AuditEvent) -> list[str]:
    return searchable(event.description, event.facts["details"])
