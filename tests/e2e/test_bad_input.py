"""Whatever is sent, the answer is a precise problem, never a failure of the service, and the service goes on."""

import asyncio
import gzip
from urllib.parse import urlsplit

import orjson
import pytest

from tests.builders import command_data
from tests.e2e.bad_bodies import DOES_NOT_FIT, NOT_JSON, body
from tests.e2e.client import JSON, LINES, Answer, Client


async def refused(module: Client, answer: Answer, status: int, kind: str) -> None:
    """The answer is this problem, and a good command is recorded afterwards."""
    assert (answer.status, answer.kind) == (status, kind), answer.body
    await module.record(command_data())


@pytest.mark.parametrize(("sent", "pointers"), NOT_JSON)
async def test_what_is_not_json_is_a_bad_request(module: Client, sent: bytes, pointers: list[str]) -> None:
    """It has no fields that could be named."""
    answer = await module.send(sent)
    await refused(module, answer, 400, "invalid-json")
    assert answer.json.get("errors", []) == pointers


@pytest.mark.parametrize(("sent", "pointers"), DOES_NOT_FIT)
async def test_what_does_not_fit_is_named(module: Client, sent: bytes, pointers: list[str]) -> None:
    """Each field that does not fit is named by its JSON Pointer."""
    answer = await module.send(sent)
    await refused(module, answer, 422, "invalid-command")
    assert answer.pointers == pointers


async def test_a_line_gets_the_problem_that_it_would_get_alone(module: Client) -> None:
    """All of them in one body, with a good line after each: every good one is kept, in its place."""
    bad = [row.values for row in NOT_JSON + DOES_NOT_FIT if row.values[0].strip() and b"\n" not in row.values[0]]
    answer = await module.send(b"\n".join(line for sent, _ in bad for line in (sent, body())), LINES)
    assert answer.status == 200
    good = answer.lines[1::2]
    assert [line["position"] - good[0]["position"] for line in good] == list(range(len(bad)))
    for (sent, pointers), line in zip(bad, answer.lines[::2], strict=True):
        assert line["status"] == (422 if pointers else 400), sent
        assert [error["pointer"] for error in line.get("errors", [])] == pointers, sent


async def test_two_megabytes_of_details_are_too_much(module: Client) -> None:
    """The limit is one mebibyte, and the sender is told that."""
    answer = await module.send(command_data(details={"reason": "x" * 2_000_000}))
    await refused(module, answer, 413, "too-large")
    assert "1048576" in answer.json["detail"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense", ""],
)
async def test_another_type_is_not_accepted(module: Client, content_type: str) -> None:
    """The types that are accepted are named."""
    answer = await module.send(body(), content_type)
    await refused(module, answer, 415, "unsupported-media-type")
    assert JSON in answer.json["detail"]
    assert LINES in answer.json["detail"]


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "nonsense", "latin1"])
@pytest.mark.parametrize("media_type", [JSON, LINES])
async def test_another_charset_is_not_accepted(module: Client, media_type: str, charset: str) -> None:
    """JSON is UTF-8 (RFC 8259, section 8.1); what says that it is not would be misread."""
    await refused(module, await module.send(body(), f"{media_type}; charset={charset}"), 415, "unsupported-media-type")


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8"])
async def test_utf_8_may_be_named(module: Client, charset: str) -> None:
    """Many clients add the charset to every type."""
    assert (await module.send(body(), f"{JSON}; charset={charset}")).status == 201


async def test_a_compressed_body_is_taken(module: Client) -> None:
    """What is compressed is taken out of its compression."""
    answer = await module.send(gzip.compress(body()), **{"Content-Encoding": "gzip"})
    assert answer.status == 201


@pytest.mark.parametrize("media_type", [JSON, LINES])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_garbage_that_says_it_is_compressed_is_a_bad_request(
    module: Client, media_type: str, encoding: str
) -> None:
    """It cannot even be unpacked."""
    answer = await module.send(b"\x1f\x8b not compressed at all", media_type, **{"Content-Encoding": encoding})
    await refused(module, answer, 400, "invalid-encoding")


async def test_a_small_body_that_unpacks_to_a_huge_one_is_too_large(module: Client) -> None:
    """The limit counts what comes out."""
    answer = await module.send(gzip.compress(b" " * 50_000_000), **{"Content-Encoding": "gzip"})
    await refused(module, answer, 413, "too-large")


@pytest.mark.parametrize("media_type", [JSON, LINES])
@pytest.mark.parametrize("framing", ["Transfer-Encoding: chunked", "Content-Length: 5000"])
async def test_a_body_that_is_cut_off_disturbs_nobody(
    module: Client, nobody: Client, media_type: str, framing: str
) -> None:
    """The sender is gone: the rest of the service goes on, and counts no failure of its own."""
    address = urlsplit(module.address)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    part = body() + b"\n"
    piece = b"%x\r\n%b\r\n" % (len(part), part) if framing.endswith("chunked") else part
    writer.write(
        f"POST /v1/commands HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {module.key}\r\n"
        f"Content-Type: {media_type}\r\n{framing}\r\n\r\n".encode()
        + piece
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await module.record(command_data())
    figures = (await nobody.get("/metrics")).body.decode()
    assert 'status="500"' not in figures


async def test_malformed_chunks_are_a_bad_request(module: Client) -> None:
    """What is no HTTP is refused by the server's own parser."""
    address = urlsplit(module.address)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        f"POST /v1/commands HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {module.key}\r\n"
        f"Content-Type: {JSON}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\nhello\r\n".encode()
    )
    answer = await reader.read(-1)
    writer.close()
    await writer.wait_closed()
    assert answer.partition(b" ")[2].startswith(b"400 ")
    await module.record(command_data())


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00Z", "0001-01-01T00:30:00Z", "0001-01-02T00:00:00Z", "1969-12-31T23:59:60Z",
     "1969-07-20T20:17:40.123456789Z", "2026-11-24t10:00:00z"],
)  # fmt: skip
async def test_an_odd_time_is_refused_or_can_be_read(module: Client, auditor: Client, text: str) -> None:
    """What is taken is shown by every read table; what is not, as a leap second, is named."""
    answer = await module.send(command_data(occurred_at=text))
    if answer.status != 201:
        await refused(module, answer, 422, "invalid-command")
        assert answer.pointers == ["/occurred_at"]
        return
    await auditor.shown(answer.json)
    found = await auditor.page({"to": "2026-11-24T10:00:00.000001Z"})
    assert answer.json["event_id"] in [event["event_id"] for event in found["events"]]


async def test_the_largest_numbers_are_kept_exactly(module: Client, auditor: Client) -> None:
    """2^53 - 1 is within what every JSON reader keeps."""
    value = {"large": 2**53 - 1, "small": -(2**53) + 1, "fraction": 0.1}
    receipt = await module.record(command_data(changes=[{"path": "/p", "new": value}]))
    await auditor.shown(receipt)
    answer = await auditor.get(f"/v1/events/{receipt['event_id']}")
    assert answer.json["event"]["changes"][0]["new"] == value
    assert orjson.loads(answer.json["record"])["changes"][0]["new"] == value
