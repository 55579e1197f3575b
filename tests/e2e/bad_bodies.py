"""Bodies that are no good command, each with the problem that it must get."""

from typing import Any

import orjson
import pytest

from tests.builders import command_data

DEEP = 2000


def body(**changes: Any) -> bytes:
    return orjson.dumps(command_data(**changes))


def raw(before: bytes, after: bytes, **changes: Any) -> bytes:
    """A command in which some bytes were replaced."""
    data = body(**changes)
    assert before in data
    return data.replace(before, after, 1)


def details(text: bytes) -> bytes:
    """A command with these details, as JSON text."""
    return raw(b'"DETAILS"', text, details="DETAILS")


def expiry(days_left: bytes) -> bytes:
    return raw(b'"DETAILS"', b'{"days_left":%b}' % days_left, command="NotifyCertificateExpiry", details="DETAILS")


def change(value: bytes) -> bytes:
    return raw(b'"VALUE"', value, changes=[{"path": "/p", "old": None, "new": "VALUE"}])


def actor(**changes: Any) -> bytes:
    return body(actor={"id": "u-1", "kind": "user", **changes})


def _row(name: str, sent: bytes, *pointers: str) -> Any:
    return pytest.param(sent, list(pointers), id=name)


NOT_JSON = [
    _row("nothing", b""),
    _row("white space", b" \n"),
    _row("a word", b"hello"),
    _row("an open object", b'{"command":'),
    _row("an array", b"[]"),
    _row("a text", b'"RevokeCertificate"'),
    _row("null", b"null"),
    _row("two objects", body() + body()),
    _row("NaN", change(b"NaN")),
    _row("Infinity", change(b"Infinity")),
    _row("-Infinity", change(b"-Infinity")),
    _row("1e400", change(b"1e400")),
    _row("invalid UTF-8", raw(b"Asha", b"Ash\xff")),
    _row("an overlong form", raw(b"Asha", b"Ash\xc0\x80")),
    _row("a surrogate in UTF-8", raw(b"Asha", b"\xed\xa0\x80")),
    _row("a lone high surrogate", raw(b"Asha", b"\\ud800")),
    _row("a lone low surrogate", raw(b"Asha", b"\\udc00")),
    _row("a raw line end in a text", raw(b"Asha", b"As\nha")),
    _row("UTF-16", body().decode().encode("utf-16")),
    _row("2000 arrays", details(b"[" * DEEP + b"]" * DEEP)),
    _row("2000 objects", details(b'{"a":' * DEEP + b"1" + b"}" * DEEP)),
]

DOES_NOT_FIT = [
    _row("no command", body(command=None), "/command"),
    _row("an unknown command", body(command="FlyToTheMoon"), "/command"),
    _row("an activity for a command", body(command="certificate.revoked"), "/command"),
    _row("a list for a command", body(command=["RevokeCertificate"]), "/command"),
    _row("nothing at all", b"{}", "/command"),
    _row("a field is missing", body(actor=None), "/actor"),
    _row("two fields are missing", body(actor=None, entity=None), "/actor", "/entity"),
    _row("a field of the details is missing", details(b'{"crl_reason":"superseded"}'), "/details/revocation_time"),
    _row("no details", body(details=None), "/details/crl_reason", "/details/revocation_time"),
    _row("null for details", details(b"null"), "/details"),
    _row("a list for details", details(b"[]"), "/details"),
    _row("one field too many", body(severity="high"), "/severity"),
    _row("a source", body(source="x"), "/source"),
    _row("a position", body(position=1), "/position"),
    _row("one too many in the actor", actor(height=180), "/actor/height"),
    _row("a name with a slash", body(**{"a/b~c": 1}), "/a~1b~0c"),
    _row("text for an integer", expiry(b'"5"'), "/details/days_left"),
    _row("true for an integer", expiry(b"true"), "/details/days_left"),
    _row("a fraction for an integer", expiry(b"1.5"), "/details/days_left"),
    _row("null for an integer", expiry(b"null"), "/details/days_left"),
    _row("a number for a text", body(command_id=7), "/command_id"),
    _row("a number for an id", actor(id=7), "/actor/id"),
    _row("a text for an object", body(actor="u-1"), "/actor"),
    _row("a text for a list", actor(roles="admin"), "/actor/roles"),
    _row("a number in a list of texts", actor(roles=["a", 1]), "/actor/roles/1"),
    _row("an object in a list", body(also_affected=[{"type": "x", "id": "1"}, {"type": "x"}]), "/also_affected/1/id"),
    _row("2^53 in the details", expiry(b"9007199254740992"), "/details/days_left"),
    _row("2^64 in the details", expiry(b"18446744073709551616"), "/details/days_left"),
    _row("-2^53 in the details", expiry(b"-9007199254740992"), "/details/days_left"),
    _row("2^53 in a change", change(b"9007199254740992"), "/changes/0/new"),
    _row("2^53 as a float", change(b"9007199254740992.0"), "/changes/0/new"),
    _row("1e300 in a change", change(b"1e300"), "/changes/0/new"),
    _row("2^53 deep in a change", change(b'{"a":[0,9007199254740993]}'), "/changes/0/new/a/1"),
    _row("a time without a zone", body(occurred_at="2026-11-24T10:00:00"), "/occurred_at"),
    _row("a date", body(occurred_at="2026-11-24"), "/occurred_at"),
    _row("a number for a time", body(occurred_at=1_795_000_000), "/occurred_at"),
    _row("the year 9999", body(occurred_at="9999-12-31T23:59:59Z"), "/occurred_at"),
    _row("a time before the year 1", body(occurred_at="0001-01-01T00:00:00+01:00"), "/occurred_at"),
    _row("a time after the year 9999", body(occurred_at="9999-12-31T23:59:59-01:00"), "/occurred_at"),
    _row("the year 0", body(occurred_at="0000-01-01T00:00:00Z"), "/occurred_at"),
    _row("the 30th of February", body(occurred_at="2026-02-30T00:00:00Z"), "/occurred_at"),
    _row("a zone of 99 hours", body(occurred_at="2026-02-01T00:00:00+99:00"), "/occurred_at"),
    _row("other digits", body(occurred_at="٢٠٢٦-11-24T10:00:00Z"), "/occurred_at"),
    _row("NUL in a name", actor(full_name="a\0b"), "/actor/full_name"),
    _row("NUL in an id", body(command_id="a\0b"), "/command_id"),
    _row("NUL in the command", body(command="Revoke\0"), "/command"),
    _row("NUL in a change", change(b'{"a":["\\u0000"]}'), "/changes/0/new/a/0"),
    _row("NUL in a key", change(b'{"a\\u0000":1}'), "/changes/0/new"),
    _row("NUL in a key of the command", body(**{"a\0": 1}), ""),
    _row("100 objects", change(b'{"a":' * 100 + b"1" + b"}" * 100), "/changes/0/new" + "/a" * 29),
    _row("an unknown status", body(status="pending"), "/status"),
    _row("a list for a status", body(status=["failure"]), "/status"),
    _row("no status", body(status=None), "/status"),
    _row("a failure without its reason", body(status="failure"), "/failure"),
    _row("a success with a failure", body(failure={"code": "denied", "reason": "x"}), "/failure"),
    _row("half a failure", body(status="failure", failure={"code": "denied"}), "/failure/reason"),
    _row("a code of two words", body(status="failure", failure={"code": "a b", "reason": "x"}), "/failure/code"),
    _row("an empty id", body(command_id=""), "/command_id"),
    _row("an id of 257 characters", body(command_id="x" * 257), "/command_id"),
    _row("an entity's empty id", body(entity={"type": "certificate", "id": ""}), "/entity/id"),
    _row("an entity's type in capitals", body(entity={"type": "Certificate", "id": "1"}), "/entity/type"),
    _row("no IP address", actor(ip="10.0.0.300"), "/actor/ip"),
    _row("a network for an address", actor(ip="10.0.0.0/8"), "/actor/ip"),
    _row("an unknown kind of actor", actor(kind="ghost"), "/actor/kind"),
    _row("an unknown channel", body(channel="pigeon"), "/channel"),
    _row(
        "a CRL number of another type",
        body(
            command="GenerateCrl",
            entity={"type": "ca", "id": "1"},
            details={"crl_number": [1], "this_update": "2026-11-24T10:00:00Z"},
        ),
        "/details/crl_number",
    ),
]
