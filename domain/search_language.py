"""The language of the search box: `user:asha status:failure after:2026-01-01 "web server"`.

It knows terms only; what filters there are, and what their values may be, `domain.filters` says.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import NoReturn, cast

from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken

from domain.errors import AuditError

# What stands before a colon names a filter, but not in a value: `entity:certificate:c-42` is one term.
_GRAMMAR = r"""
start: (filter | free)*
filter: NAME _value
free: _value
_value: QUOTED | BARE

NAME.2: /[A-Za-z_]+:/
QUOTED: /"(\\.|[^"\\])*"/s
BARE: /[^\s"]+/
%ignore /\s+/
"""

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class NotUnderstood(AuditError):
    """Not of the language; says where."""

    def __init__(self, column: int, reason: str) -> None:
        super().__init__(f"column {column}: {reason}")


@dataclass(frozen=True)
class Term:
    """A value for a filter."""

    name: str | None
    """Of the filter as it was written; None for words on their own."""
    value: str
    column: int
    """Where the term begins, from 1."""


def terms(text: str) -> list[Term]:
    """The terms of a search, in their order. Raises NotUnderstood."""
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        _explain(text, error)
    return [_term(*cast("list[Token]", part.children)) for part in tree.children if isinstance(part, Tree)]


def _term(first: Token, value: Token | None = None) -> Term:
    assert first.start_pos is not None
    if value is None:
        return Term(None, _plain(first), first.start_pos + 1)
    if value.start_pos != first.end_pos:
        raise NotUnderstood(first.start_pos + 1, f"`{first}` has no value, which follows the colon at once")
    return Term(first.removesuffix(":").lower(), _plain(value), first.start_pos + 1)


def _plain(value: Token) -> str:
    if value.type == "BARE":
        return str(value)
    return _ESCAPED.sub(r"\1", value[1:-1])


def _explain(text: str, error: UnexpectedInput) -> NoReturn:
    place = error.pos_in_stream
    assert place is not None
    if isinstance(error, UnexpectedToken):  # The end, or the next filter, where a value should be.
        raise NotUnderstood(
            place + 1, f"`{text[place:].strip()}` has no value, which follows the colon at once"
        ) from None
    raise NotUnderstood(place + 1, 'the quotation mark has no end; write \\" for one inside a text') from None


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr")
