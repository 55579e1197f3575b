"""Texts in cells, as Office Open XML has them (ECMA-376, part 1: ST_Xstring in 22.9.2.19)."""

import re

CELL_UNITS = 32_767
"""How much a cell holds, in UTF-16 units."""

_UNIT_BYTES = 2
# What XML 1.0 cannot hold (lone surrogates among it), a carriage return that its readers would change, and what looks
# like an escape already.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def escape(text: str) -> str:
    """The text as it stands in XML between tags that preserve space."""
    return fit(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fit(text: str) -> str:
    """The text in characters that XML can hold, before what XML gives a meaning of its own is seen to."""
    return _UNFIT.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescape(text: str) -> str:
    """The inverse, once the XML reader has replaced the entities."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def pieces(text: str) -> list[str]:
    """The text in parts that a cell can hold; a character is never torn apart."""
    if len(text) * _UNIT_BYTES <= CELL_UNITS:
        return [text]
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= CELL_UNITS * _UNIT_BYTES:
        return [text]
    found, begin = [], 0
    while begin < len(units):
        end = begin + CELL_UNITS * _UNIT_BYTES
        if end < len(units) and _tears(units, end):
            end -= _UNIT_BYTES
        found.append(units[begin:end].decode("utf-16-le", "surrogatepass"))
        begin = end
    return found


def _tears(units: bytes, at: int) -> bool:
    """Whether a cut here would part the halves of one character: the high one stands before, the low one after."""
    return units[at - 1] & 0xFC == 0xD8 and units[at + 1] & 0xFC == 0xDC
