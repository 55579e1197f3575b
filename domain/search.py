"""Free text, as the search knows it: how events and searches are cut into words, and what a search asks for."""

import re
from dataclasses import dataclass

from domain.values import JsonValue

_LONGEST = 100
_WORD = re.compile(rf"\w{{1,{_LONGEST}}}")
_ONLY_WORDS = "".join(chr(code) if _WORD.match(chr(code)) else " " for code in range(128))
_MOST_WORDS = 2000


@dataclass(frozen=True)
class Sought:
    """What a text asks for: these words as they are, and one that begins so."""

    whole: tuple[str, ...]
    begun: str

    @classmethod
    def by(cls, text: str) -> "Sought":
        """The last word may still be in the making; the text holds one at least."""
        *whole, begun = words(text)
        return cls(tuple(whole), begun)


def words(text: str) -> list[str]:
    """The words of a text, without regard to case; what is not a letter or digit parts them."""
    folded = text.casefold()
    if folded.isascii():
        # The same in a third of the time: every event is cut into words when it is projected.
        found = folded.translate(_ONLY_WORDS).split()
        if len(max(found, key=len, default="")) <= _LONGEST:
            return found
    return _WORD.findall(folded)


def searchable(description: str, details: JsonValue) -> list[str]:
    """The distinct words by which an event is found, in their order: of the description and the details."""
    found = dict.fromkeys(words("\n".join((description, *_texts(details)))))
    return list(found)[:_MOST_WORDS]


def _texts(value: JsonValue) -> list[str]:
    """All texts and numbers in a value, from whatever depth."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict | list):
        found: list[str] = []
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, str):
                found.append(item)
            else:
                found += _texts(item)
        return found
    return [] if value is None or isinstance(value, bool) else [str(value)]
