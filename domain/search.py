"""Free text, as the search knows it."""

import re

_WORD = re.compile(r"\w{1,100}")


def words(text: str) -> list[str]:
    """The words of a text, without regard to case; what is not a letter or digit parts them."""
    return _WORD.findall(text.casefold())
