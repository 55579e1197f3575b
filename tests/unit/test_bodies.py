"""Lines are cut where they end, however the network cuts the body, and long ones take no memory."""

import asyncio
from itertools import pairwise
from unittest.mock import Mock

from aiohttp import StreamReader
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.bodies import Excess, Sent, lines
from domain.quarantined import KEPT_OF_TOO_LARGE as KEPT


async def cut(pieces: list[bytes], limit: int) -> list[Sent]:
    content = StreamReader(Mock(_reading_paused=False), 2**16, loop=asyncio.get_running_loop())
    for piece in pieces:
        content.feed_data(piece)
    content.feed_eof()
    return [line async for ended in lines(content, limit) for line in ended]


def expected(body: bytes, limit: int) -> list[Sent]:
    found = [line for line in body.split(b"\n") if line.strip() or len(line) > limit]
    return [line if len(line) <= limit else Excess(line[:KEPT], len(line), limit) for line in found]


@given(
    st.lists(
        st.sampled_from([b"a", b"{}", b" ", b"\r", b"\n", b"\n\n", b"x" * 40, b"y" * KEPT, b" " * KEPT, b"z" * 3])
    ),
    st.lists(st.integers(0, 200_000)),
    st.sampled_from([1, 10, KEPT - 1, KEPT, KEPT + 1, 2 * KEPT]),
)
def test_lines_are_what_stands_between_line_ends(parts: list[bytes], cuts: list[int], limit: int) -> None:
    """Of one that is longer than the limit the beginning and the true size, whichever is larger, limit or beginning."""
    body = b"".join(parts)
    places = sorted({place for place in cuts if place < len(body)} | {0, len(body)})
    pieces = [body[start:end] for start, end in pairwise(places)]
    assert asyncio.run(cut(pieces, limit)) == expected(body, limit)
