"""Words are found alike in what is stored and in what is asked."""

from hypothesis import example, given
from hypothesis import strategies as st

from domain.search import words
from tests.builders import texts


def test_words_are_parted_by_what_is_no_letter_or_digit() -> None:
    """Case does not count; marks and spaces part."""
    assert words("Revoked WWW.Example.com: key-17 of Zürich, straße_9!") == [
        "revoked",
        "www",
        "example",
        "com",
        "key",
        "17",
        "of",
        "zürich",
        "strasse_9",
    ]
    assert words(" -- !?\n") == []


def test_a_word_without_end_is_cut_into_pieces() -> None:
    """So that every piece can be kept in an index."""
    assert [len(word) for word in words("x" * 250)] == [100, 100, 50]


@given(st.text(st.characters(max_codepoint=127), max_size=300))
@example("a" * 250)
@example("one\x1ctwo\x0bthree\x85four")
def test_plain_letters_are_cut_as_all_others(text: str) -> None:
    """The quicker way for them gives the same words."""
    assert words(text) == words(f"{text} ẞ")[:-1]


@given(texts)
@example("İstanbul ẞ ΐ ŉ")
@example("a" * 101)
def test_words_of_words_are_the_same_words(text: str) -> None:
    """What was found can be asked for."""
    found = words(text)
    assert words(" ".join(found)) == found


@given(texts)
def test_case_does_not_count(text: str) -> None:
    """However it is folded."""
    assert words(text) == words(text.casefold())
    assert all(word == word.casefold() for word in words(text))


@given(texts, texts)
def test_texts_that_are_parted_keep_their_words(one: str, other: str) -> None:
    """Nothing is joined across a space."""
    assert words(f"{one} {other}") == words(one) + words(other)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_words_need_no_quoting_in_a_query(text: str) -> None:
    """They hold nothing that means something to the database."""
    for word in words(text):
        assert 0 < len(word) <= 100
        assert not set(word) & set("'\\\0 &|!():*<>")
