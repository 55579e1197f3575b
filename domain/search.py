"""Free text, as the search knows it."""

import re

_LONGEST = 100
_WORD = re.compile(rf"\w{{1,{_LONGEST}}}")
_ONLY_WORDS = "".join(chr(code) if _WORD.match(chr(code)) else " " for code in range(128))


def words(text: str) -> list[str]:
    """The words of a text, without regard to case; what is not a letter or digit parts them."""
    folded = text.casefold()
    if folded.isascii():
        # The same in a third of the time: every event is cut into words when it is projected.
        found = folded.translate(_ONLY_WORDS).split()
        if len(max(found, key=len, default="")) <= _LONGEST:
            return found
    return _WORD.findall(folded)
