"""JSON as it is hashed: one form for one meaning, and nothing that JSON readers disagree on."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import canonical
from domain.errors import InvalidJson
from domain.values import JsonValue
from tests.builders import json_values

LARGEST = 2**53 - 1


def pointers(value: JsonValue) -> list[str]:
    return [error.pointer for error in canonical.disputed(value)]


def nested(depth: int, innermost: JsonValue) -> JsonValue:
    """Lists in lists; `innermost` lies in `depth` of them."""
    for _ in range(depth):
        innermost = [innermost]
    return innermost


class TestEncoding:
    @given(json_values)
    def test_what_is_encoded_is_decoded_again(self, value: JsonValue) -> None:
        """Nothing is lost, and truth values stay apart from numbers."""
        assert repr(canonical.decode(canonical.encode(value))) == repr(in_order(value))

    @given(json_values)
    def test_the_form_is_that_of_another_encoder(self, value: JsonValue) -> None:
        """Encoding what the standard library reads, as sorted, tight UTF-8, gives the same bytes."""
        encoded = canonical.encode(value)
        assert canonical.encode(json.loads(encoded)) == encoded
        if not has_float(value):
            expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert encoded == expected.encode()

    @given(st.dictionaries(st.text(), st.integers(0, 9)))
    def test_the_order_of_members_does_not_matter(self, members: dict[str, int]) -> None:
        """One meaning has one form."""
        turned = dict(reversed(members.items()))
        assert canonical.encode(turned) == canonical.encode(dict(members))  # type: ignore[arg-type]

    def test_members_are_sorted_by_code_point(self) -> None:
        """Beyond the first plane, too, where an order by UTF-16 would differ."""
        assert canonical.encode({"\U0001f408": 1, "\uff5e": 2, "b": 3, "B": 4}) == (
            '{"B":4,"b":3,"\uff5e":2,"\U0001f408":1}'.encode()
        )


class TestDecoding:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"{",
            b"{} {}",
            b"{'a': 1}",
            b"NaN",
            b"[Infinity]",
            b"[-Infinity]",
            b'"\xff"',
            b'"\xed\xa0\x80"',
            rb'"\ud800"',
            b'"\n"',
            b"[01]",
            b"\xef\xbb\xbf{}",
            b"1e999",
            b"9" * 400,
        ],
    )
    def test_what_is_not_json_is_refused(self, data: bytes) -> None:
        """Numbers beyond all bounds, lone surrogates and broken UTF-8 among it."""
        with pytest.raises(InvalidJson):
            canonical.decode(data)

    def test_the_place_is_named(self) -> None:
        """Who sent it can find the character."""
        with pytest.raises(InvalidJson, match="line 2, column 7"):
            canonical.decode(b'{"a":\n  "b" "c"}')

    @pytest.mark.parametrize("data", [b"[]", b"1", b'"a"', b"null", b"true"])
    def test_what_is_no_object_is_refused_where_one_is_expected(self, data: bytes) -> None:
        """Valid JSON as it may be."""
        with pytest.raises(InvalidJson, match="a JSON object was expected"):
            canonical.decode_object(data)


class TestDisputed:
    @given(json_values)
    def test_what_all_readers_agree_on_is_not_disputed(self, value: JsonValue) -> None:
        """Ordinary JSON passes whole."""
        assert pointers(value) == []

    @pytest.mark.parametrize("number", [LARGEST, -LARGEST, 0, -0.0, 0.1, 1e15 + 0.5, float(LARGEST), 5e-324])
    def test_a_number_that_every_reader_keeps_is_kept(self, number: float) -> None:
        """Up to the largest integer that a double holds exactly."""
        assert pointers([number]) == []

    @pytest.mark.parametrize(
        "number",
        [LARGEST + 1, -LARGEST - 1, 2**64, 10**400, 2.0**53, -1e300, math.inf, -math.inf, math.nan],
    )
    def test_a_number_that_readers_change_is_disputed(self, number: float) -> None:
        """As is what JSON has no word for."""
        assert pointers({"a": [True, number]}) == ["/a/1"]

    @given(st.integers())
    def test_an_integer_is_disputed_if_a_double_may_change_it(self, number: int) -> None:
        """The bound is the same on both sides of zero."""
        assert bool(pointers(number)) == (abs(number) >= 2**53)

    def test_nul_is_disputed_wherever_it_stands(self) -> None:
        """In texts and in keys; a key is reported at its object, and what is below it, too."""
        assert pointers({"a": "x\0", "b": {"c\0": ["\0"]}}) == ["/a", "/b", "/b/c\0/0"]

    def test_nesting_is_bounded(self) -> None:
        """A value may lie in 32 objects or lists; what goes deeper is reported once and not walked through."""
        assert pointers(nested(32, 1)) == []
        assert pointers(nested(33, 1)) == ["/0" * 32]
        assert pointers(nested(900, "\0")) == ["/0" * 32]

    def test_every_place_is_named(self) -> None:
        """As JSON Pointers, escaped."""
        assert pointers({"a/b": {"c~d": [2**60]}, "": math.nan}) == ["/a~1b/c~0d/0", "/"]


def in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value


def has_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(has_float, value.values()))
    return any(map(has_float, value)) if isinstance(value, list) else isinstance(value, float)
