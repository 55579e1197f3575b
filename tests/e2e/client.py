"""A caller of the service, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import orjson
from aiohttp import ClientSession
from yarl import URL

PROBLEM = "application/problem+json"
JSON = "application/json"
LINES = "application/x-ndjson"

Parameters = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What the service answered."""

    status: int
    headers: Mapping[str, str]
    links: Mapping[str, URL]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        return [orjson.loads(line) for line in self.body.splitlines()]

    @property
    def kind(self) -> str:
        """The type of the problem, without what all types begin with; the problem must be a whole one."""
        assert self.headers["Content-Type"] == PROBLEM, self
        problem = self.json
        assert problem["status"] == self.status
        assert problem["title"]
        assert problem["detail"]
        return str(problem["type"]).removeprefix("urn:certinext-audit:problem:")

    @property
    def pointers(self) -> list[str]:
        """The places in the body that the problem names."""
        return [error["pointer"] for error in self.json["errors"]]

    @property
    def parameters(self) -> list[str]:
        """The parameters of the query that the problem names."""
        return [error["parameter"] for error in self.json["errors"]]


@dataclass(frozen=True)
class Client:
    """Calls with one key."""

    session: ClientSession
    address: str
    key: str | None

    async def call(
        self, method: str, target: URL | str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """`target` is a path with its query, which is sent as it is."""
        all_headers = dict(headers or {})
        if self.key is not None:
            all_headers.setdefault("Authorization", f"Bearer {self.key}")
        url = URL(self.address + str(target), encoded=True)
        async with self.session.request(method, url, data=body, headers=all_headers) as response:
            links = {str(name): URL(str(link["url"])).relative() for name, link in response.links.items()}
            return Answer(response.status, response.headers, links, await response.read())

    async def get(self, path: str, parameters: Parameters = ()) -> Answer:
        return await self.call("GET", URL(path).with_query(parameters or None))

    async def send(self, body: Any, content_type: str = JSON, **headers: str) -> Answer:
        """Post to /v1/commands: bytes as they are, anything else as JSON."""
        data: Any = body if isinstance(body, bytes | AsyncIterator) else orjson.dumps(body)
        if isinstance(data, bytes):
            data = BytesIO(data)  # aiohttp warns of large bytes.
        return await self.call("POST", "/v1/commands", body=data, headers={"Content-Type": content_type, **headers})

    async def record(self, command: Mapping[str, Any]) -> Any:
        """The receipt of a command that must be taken."""
        answer = await self.send(command)
        assert answer.status == 201, answer.body
        return answer.json

    async def record_all(self, commands: Iterable[Mapping[str, Any]]) -> list[Any]:
        """The receipts of commands that must all be taken."""
        answer = await self.send(b"\n".join(orjson.dumps(command) for command in commands), LINES)
        assert answer.status == 200, answer.body
        assert all("event_id" in line for line in answer.lines), answer.body
        return answer.lines

    async def page(self, parameters: Parameters = ()) -> Any:
        """A page of events, which must be given."""
        answer = await self.get("/v1/events", parameters)
        assert answer.status == 200, answer.body
        return answer.json

    async def shown(self, receipt: Mapping[str, Any]) -> "Client":
        """Itself, once this receipt's event is in all read tables."""
        position = {"min_position": str(receipt["position"])}
        tables = ("/v1/events", "/v1/users", "/v1/modules", "/v1/statuses")
        for answer in await asyncio.gather(*(self.get(table, position) for table in tables)):
            assert answer.status == 200, answer.body
        return self
