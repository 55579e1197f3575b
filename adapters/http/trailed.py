"""Answers whose digest follows them, as a trailer field (RFC 9110, section 6.5; RFC 9530)."""

from base64 import b64encode
from collections.abc import Mapping

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter


class TrailedResponse(web.StreamResponse):
    """A streamed answer in chunks of our own making, since aiohttp sends no trailer fields."""

    # With this aiohttp leaves the framing to us, as it does for its own WebSocketResponse.
    _length_check = False

    def __init__(self, content_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(headers=headers)
        self.content_type = content_type
        self._in_chunks = False

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        self._in_chunks = request.version >= HttpVersion11
        if self._in_chunks:
            self.headers["Transfer-Encoding"] = "chunked"
            self.headers["Trailer"] = "Repr-Digest"
        else:
            self.force_close()  # The end of the connection is the end of the answer.
        return await super().prepare(request)

    async def send(self, data: bytes) -> None:
        """Raises ConnectionResetError if the caller is gone; waits while the caller does not take what was sent."""
        if data:
            await self.write(b"%x\r\n%b\r\n" % (len(data), data) if self._in_chunks else data)

    async def finish(self, sha256: bytes) -> None:
        """End the answer, with the digest of its bytes."""
        if self._in_chunks:
            await self.write(b"0\r\nRepr-Digest: sha-256=:%b:\r\n\r\n" % b64encode(sha256))
        await self.write_eof()
