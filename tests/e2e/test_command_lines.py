"""A module reports many actions in one body, a line each."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from tests.builders import command_data
from tests.e2e.client import LINES, Client
from tests.patience import PATIENCE

LIMIT = 1024 * 1024


def as_lines(*lines: Any, end: bytes = b"\n") -> bytes:
    return b"".join((line if isinstance(line, bytes) else orjson.dumps(line)) + end for line in lines)


def kinds(lines: list[Any]) -> list[str]:
    """What came of each line: `ok`, or the problem's type."""
    return ["ok" if "event_id" in line else line["type"].rsplit(":", 1)[1] for line in lines]


async def test_good_lines_beside_bad_ones_are_kept(module: Client) -> None:
    """Each line has its own answer, in the order of the lines, whatever the others are."""
    known = command_data()
    first = await module.record(known)
    answer = await module.send(
        as_lines(
            command_data(),
            b"{",
            command_data(command="FlyToTheMoon"),
            known,
            known | {"channel": "cli"},
            b"[1]",
            command_data(details={"crl_reason": "boredom", "revocation_time": "2026-11-24T10:00:00Z"}),
            b'{"command":"\xff"}',
            command_data(),
        ),
        LINES,
    )
    assert answer.status == 200
    assert answer.headers["Content-Type"] == LINES
    assert kinds(answer.lines) == [
        "ok",
        "invalid-json",
        "invalid-command",
        "ok",
        "command-conflict",
        "invalid-json",
        "invalid-command",
        "invalid-json",
        "ok",
    ]
    assert [line["position"] - first["position"] for line in answer.lines if "position" in line] == [1, 0, 2]
    assert answer.lines[3]["duplicate"] is True
    assert answer.lines[4]["status"] == 409
    assert answer.lines[6]["errors"][0]["pointer"] == "/details/crl_reason"


async def test_a_command_that_stands_in_two_lines_is_recorded_once(module: Client) -> None:
    """The second line is a repetition of the first, or a conflict with it."""
    command = command_data()
    answer = await module.send(as_lines(command, command, command | {"correlation_id": "x"}), LINES)
    first, second, third = answer.lines
    assert second == first | {"duplicate": True}
    assert third["status"] == 409


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b"\n \t \r\n"])
async def test_blank_lines_and_either_line_end_are_fine(module: Client, end: bytes) -> None:
    """A blank line is no command and gets no answer."""
    answer = await module.send(end + as_lines(command_data(), command_data(), end=end), LINES)
    assert kinds(answer.lines) == ["ok", "ok"]


async def test_the_last_line_needs_no_end(module: Client) -> None:
    """A body may end with its last command."""
    answer = await module.send(as_lines(command_data(), command_data()).rstrip(b"\n"), LINES)
    assert kinds(answer.lines) == ["ok", "ok"]


@pytest.mark.parametrize("body", [b"", b"\n", b"\r\n \n"])
async def test_a_body_without_commands_has_no_answers(module: Client, body: bytes) -> None:
    """Nothing to record is no mistake of a sender of lines."""
    answer = await module.send(body, LINES)
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("length", [LIMIT + 1, 5 * LIMIT])
async def test_a_line_that_is_too_long_stops_none(module: Client, length: int) -> None:
    """It has its problem, and the lines around it are recorded."""
    answer = await module.send(as_lines(command_data(), b"x" * length, command_data()), LINES)
    assert kinds(answer.lines) == ["ok", "too-large", "ok"]


async def test_a_line_of_the_largest_size_is_taken(module: Client) -> None:
    """The limit itself is allowed."""
    line = orjson.dumps(command_data())
    answer = await module.send(as_lines(line + b" " * (LIMIT - len(line))), LINES)
    assert kinds(answer.lines) == ["ok"]


async def test_a_last_line_that_is_too_long_and_never_ends_is_answered(module: Client) -> None:
    """Its problem is the last answer."""
    answer = await module.send(as_lines(command_data()) + b"x" * (2 * LIMIT), LINES)
    assert kinds(answer.lines) == ["ok", "too-large"]


async def test_lines_may_be_cut_anywhere_on_their_way(module: Client) -> None:
    """How the network cuts the body into pieces means nothing."""
    body = as_lines(command_data(), command_data(actor={"id": "ü", "kind": "user"}), b"nonsense", end=b"\r\n")

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]
            await asyncio.sleep(0)

    answer = await module.send(pieces(), LINES)
    assert kinds(answer.lines) == ["ok", "ok", "invalid-json"]


async def test_a_sender_may_send_all_before_it_reads_anything(module: Client) -> None:
    """Answers wait for a sender whose own buffers are full, and it is never stuck."""
    address = urlsplit(module.address)
    lines = 30_000  # Their answers are more than the system keeps for a sender.
    body = as_lines(*(b"x" * 10 for _ in range(lines)))
    narrow = socket.create_connection((address.hostname, address.port))
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
    reader, writer = await asyncio.open_connection(sock=narrow, limit=2**16)
    writer.write(
        f"POST /v1/commands HTTP/1.0\r\nHost: {address.netloc}\r\nAuthorization: Bearer {module.key}\r\n"
        f"Content-Type: {LINES}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    async with asyncio.timeout(PATIENCE):
        for start in range(0, len(body), 10_000):
            writer.write(body[start : start + 10_000])
            await writer.drain()
        answer = await reader.read(-1)
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.0 200 ")
    assert answer.count(b'"urn:certinext-audit:problem:invalid-json"') == lines
