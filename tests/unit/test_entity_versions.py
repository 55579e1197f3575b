"""What a process remembers of entities' versions holds only while nobody else has appended."""

from adapters.postgres.entity_versions import EntityVersions
from domain.words import DEFAULT_LEDGER, Ledger


def test_what_was_appended_is_known_at_that_end_only() -> None:
    """At the head that we left; not if another process has moved it, and not in another ledger."""
    versions = EntityVersions()
    versions.moved(DEFAULT_LEDGER, b"0", b"3", {"a": 2, "b": 1})
    assert versions.at(DEFAULT_LEDGER, b"3") == {"a": 2, "b": 1}
    assert versions.at(DEFAULT_LEDGER, b"4") == {}
    assert versions.at(Ledger("other"), b"3") == {}


def test_appends_one_behind_the_other_add_up() -> None:
    """As long as each begins where the last one ended."""
    versions = EntityVersions()
    versions.moved(DEFAULT_LEDGER, b"0", b"3", {"a": 2})
    versions.moved(DEFAULT_LEDGER, b"3", b"5", {"a": 3, "b": 1})
    assert versions.at(DEFAULT_LEDGER, b"5") == {"a": 3, "b": 1}


def test_what_another_process_may_have_changed_is_forgotten() -> None:
    """An append that begins elsewhere knows nothing of what came between."""
    versions = EntityVersions()
    versions.moved(DEFAULT_LEDGER, b"0", b"3", {"a": 2})
    versions.moved(DEFAULT_LEDGER, b"4", b"5", {"b": 1})
    assert versions.at(DEFAULT_LEDGER, b"5") == {"b": 1}


def test_late_news_of_an_earlier_append_does_no_harm() -> None:
    """Of two appends at once the later one may be told first: then nothing is known, and the database is asked."""
    versions = EntityVersions()
    versions.moved(DEFAULT_LEDGER, b"3", b"5", {"a": 3})
    versions.moved(DEFAULT_LEDGER, b"0", b"3", {"a": 2})
    assert versions.at(DEFAULT_LEDGER, b"5") == {}


def test_memory_is_bounded() -> None:
    """Whatever is appended, no more is kept than so many entities."""
    versions = EntityVersions()
    for number in range(6):
        many = {f"{number}:{one}": 1 for one in range(50_000)}
        versions.moved(Ledger(f"ledger-{number}"), b"0", b"1", many)
    kept = [len(versions.at(Ledger(f"ledger-{number}"), b"1")) for number in range(6)]
    assert sum(kept) <= 200_000
