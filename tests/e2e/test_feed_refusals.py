"""What the live feed refuses: before the upgrade with a status, afterwards with a problem or a closing code."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from domain.words import Role
from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.conftest import Callers
from tests.e2e.following import following, refused
from tests.patience import PATIENCE

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def kind(problem: Any) -> str:
    return str(problem["type"]).removeprefix("urn:certinext-audit:problem:")


@pytest.mark.parametrize("key", [None, "", "x", f"cna_default_nobody_{'0' * 64}"])
async def test_without_a_good_key_nothing_is_upgraded(callers: Callers, key: str | None) -> None:
    """Missing, or only looking like one."""
    status, problem = await refused(callers.with_key(key))
    assert (status, kind(problem)) == (401, "not-authenticated")


@pytest.mark.parametrize("role", [Role.MODULE, Role.OPERATOR])
async def test_who_may_not_read_may_not_follow(callers: Callers, role: Role) -> None:
    """And is told who may."""
    status, problem = await refused(await callers.create(role))
    assert (status, kind(problem)) == (403, "not-permitted")


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"colour": "red"}, ["colour"]),
        ({"status": "perhaps"}, ["status"]),
        ({"user": "a\0"}, ["user"]),
        ({"from": "yesterday", "ip": "x"}, ["from", "ip"]),
        ({"from": "2026-11-24T10:00:00Z", "to": "2026-11-24T10:00:00Z"}, ["from"]),
        ({"after": "-1"}, ["after"]),
        ({"after": "1.5"}, ["after"]),
        ({"after": "now"}, ["after"]),
        ({"after": "1000000"}, ["after"]),
        ({"q": "status:odd"}, ["q"]),
        ({"after": str(2**63)}, ["after"]),
        ([("after", "0"), ("after", "0")], ["after"]),
        ({"limit": "5"}, ["limit"]),
    ],
)
async def test_a_parameter_that_does_not_fit_is_named(auditor: Client, parameters: Any, named: list[str]) -> None:
    """Before anything is upgraded or recorded: a position before the beginning or beyond the end is none."""
    status, problem = await refused(auditor, parameters)
    assert (status, kind(problem)) == (422, "invalid-query")
    assert [error["parameter"] for error in problem["errors"]] == named


async def test_a_position_that_is_recorded_and_not_yet_shown_is_none_beyond_the_end(
    module: Client, auditor: Client
) -> None:
    """A receipt's position will do at once."""
    for _ in range(5):
        receipt = await module.record(command_data())
        async with following(auditor, {"after": str(receipt["position"])}) as follower:
            assert follower.after == receipt["position"]


@pytest.mark.parametrize("left_out", [None, *HANDSHAKE])
async def test_a_plain_request_is_told_to_upgrade(auditor: Client, left_out: str | None) -> None:
    """Or one that only looks like a handshake."""
    headers = {} if left_out is None else {name: value for name, value in HANDSHAKE.items() if name != left_out}
    answer = await auditor.call("GET", "/v1/feed", headers=headers)
    assert (answer.status, answer.kind) == (426, "upgrade-required")
    assert answer.headers["Sec-WebSocket-Version"] == "13"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 101),
        ("ours", 101),
        ("https://audit.example.com", 101),
        ("https://evil.example", 403),
        ("http://127.0.0.1:1", 403),
        ("https://audit.example.com.evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
async def test_only_our_pages_may_follow(feed_service: Callers, origin: str | None, status: int) -> None:
    """Those of other origins if an operator has allowed them; who is no browser names none."""
    auditor = await feed_service.create(Role.AUDITOR)
    headers: Mapping[str, str] = {} if origin is None else {"Origin": auditor.address if origin == "ours" else origin}
    if status == 101:
        async with following(auditor, headers=headers):
            return
    found, problem = await refused(auditor, headers=headers)
    assert (found, kind(problem)) == (403, "origin-refused")


async def test_a_credential_has_so_many_connections(feed_service: Callers) -> None:
    """Another one has its own; one that ends makes room, and a poll that waits takes some."""
    auditor, other = await feed_service.create(Role.AUDITOR), await feed_service.create(Role.AUDITOR)
    async with following(auditor), following(auditor) as second, following(auditor):
        status, problem = await refused(auditor)
        assert (status, kind(problem)) == (429, "too-many-feeds")
        cursor = (await auditor.page({"order": "recorded", "limit": "1000", "source": "nobody"}))["next"]
        waiting = await auditor.get(
            "/v1/events", {"order": "recorded", "source": "nobody", "wait": "1", "cursor": cursor}
        )
        assert (waiting.status, waiting.kind) == (429, "too-many-feeds")
        assert int(waiting.headers["Retry-After"]) > 0
        async with following(other):
            pass
        await second.connection.close()
        poll = {"order": "recorded", "source": "nobody", "wait": "1"}
        async with asyncio.timeout(PATIENCE):
            while (await auditor.get("/v1/events", poll)).status == 429:  # noqa: ASYNC110  # It has no event.
                await asyncio.sleep(0.01)
        async with following(auditor):
            pass


@pytest.mark.parametrize(
    ("message", "said", "pointers"),
    [
        ("{", "invalid-json", []),
        ("", "invalid-json", []),
        ("[]", "invalid-json", []),
        ('"pause"', "invalid-json", []),
        ('{"type":"pause","x":NaN}', "invalid-json", []),
        ({}, "invalid-message", ["/type"]),
        ({"type": "explode"}, "invalid-message", ["/type"]),
        ({"type": 7}, "invalid-message", ["/type"]),
        ({"type": "pause", "for": 7}, "invalid-message", ["/for"]),
        ({"type": "filter", "filter": {"status": ["perhaps"]}}, "invalid-message", ["/filter/status/0"]),
        ({"type": "filter", "filter": {"colour": ["red"]}}, "invalid-message", ["/filter/colour"]),
        ({"type": "filter", "filter": {"user": ["a\0"]}}, "invalid-message", ["/filter/user/0"]),
        ({"type": "filter", "filter": {"ip": ["x", "::1", "y"]}}, "invalid-message", ["/filter/ip/0", "/filter/ip/2"]),
        ({"type": "filter", "filter": {"q": "usr:x"}}, "invalid-message", ["/filter/q"]),
        ({"type": "filter", "filter": "failures"}, "invalid-message", ["/filter"]),
        ({"type": "filter", "after": -1}, "invalid-message", ["/after"]),
        ({"type": "filter", "after": 10**6}, "invalid-message", ["/after"]),
        ({"type": "filter", "after": 2**60}, "invalid-message", ["/after"]),
    ],
)  # fmt: skip
async def test_a_message_that_does_not_fit_is_told_and_changes_nothing(
    module: Client, auditor: Client, message: Any, said: str, pointers: list[str]
) -> None:
    """The problem names the place; the connection and its filter stay."""
    async with following(auditor, {"activity": "certificate.revoked"}) as follower:
        await follower.send(message)
        problem = (await follower.frame_of("problem"))["problem"]
        assert kind(problem) == said
        assert problem["detail"]
        assert [error["pointer"] for error in problem.get("errors", [])] == pointers
        receipt = await module.record(command_data())
        assert [event["position"] for event in await follower.events(receipt["position"])] == [receipt["position"]]


async def test_binary_frames_are_not_understood(auditor: Client) -> None:
    """1003: to send the same again helps nothing."""
    async with following(auditor) as follower:
        await follower.send(b'{"type":"pause"}')
        assert (await follower.closed())[0] == 1003


@pytest.mark.parametrize("message", ["x" * 10_000_000, ["x" * 100_000] * 100], ids=["at once", "in fragments"])
async def test_a_frame_that_is_too_long_ends_the_connection(auditor: Client, message: str | list[str]) -> None:
    """1009, be it while it is still being sent; the code may be lost on who does not listen meanwhile."""
    async with following(auditor) as follower:
        with suppress(ConnectionClosed):
            await follower.connection.send(message)
        assert (await follower.closed())[0] in {1009, 1006}


async def test_text_that_is_not_utf_8_ends_the_connection(auditor: Client) -> None:
    """1007, as RFC 6455 has it."""
    async with following(auditor) as follower:
        await follower.connection.send(b"\xff\xfe", text=True)
        assert (await follower.closed())[0] == 1007
