"""Senders that send a command until they have its receipt, and keep what they were promised."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from domain.values import JsonObject
from tests.builders import command_data, login_data

_TIMEOUT = ClientTimeout(total=20)
_AGAIN_SECONDS = 0.2
_LINES = 100


@dataclass
class Book:
    """What senders were told; shared by all of one event loop."""

    receipts: dict[str, Any] = field(default_factory=dict)
    """The first receipt of each command, by command id."""
    trouble: Counter[str] = field(default_factory=Counter)
    """Answers that ask to try again, and connections that broke."""
    wrong: list[str] = field(default_factory=list)
    """What must not be: another answer, or a second receipt that is not the first."""

    def keep(self, command_id: str, receipt: Any) -> None:
        said = {name: value for name, value in receipt.items() if name != "duplicate"}
        if self.receipts.setdefault(command_id, said) != said:
            self.wrong.append(f"{command_id} has the receipts {self.receipts[command_id]} and {said}")

    async def grow(self, by: int, seconds: float = 60) -> None:
        """Wait until that many more commands are acknowledged."""
        wanted = len(self.receipts) + by
        async with asyncio.timeout(seconds):
            while len(self.receipts) < wanted:  # noqa: ASYNC110  # Nothing is wrong with looking.
                await asyncio.sleep(0.005)

    async def until_trouble(self) -> None:
        """Wait until senders are told to try again."""
        before = self.trouble.total()
        async with asyncio.timeout(60):
            while self.trouble.total() == before:  # noqa: ASYNC110  # Nothing is wrong with looking.
                await asyncio.sleep(0.01)


class Sender:
    """Sends commands with ids of its own, one after the other or many together, over one connection."""

    def __init__(self, session: ClientSession, url: str, book: Book, name: str, lines: int, pause: float) -> None:
        self._session = session
        self._url = url
        self._book = book
        self._name = name
        self._lines = lines
        self._pause = pause
        self._random = Random(name)
        self._sent = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop; what was begun is brought to its end."""
        while not stop.is_set():
            commands = [self._next() for _ in range(self._lines)]
            await self._deliver(commands)
            if self._random.random() < 0.1:
                await self._deliver(commands)  # As who has lost the answer.
            await asyncio.sleep(self._random.uniform(0, 2 * self._pause))

    def _next(self) -> JsonObject:
        self._sent += 1
        build = self._random.choice((command_data, login_data))
        number = self._random.randrange(50)
        changes: dict[str, Any] = {
            "command_id": f"{self._name}-{self._sent}",
            "actor": {"id": f"u-{number}", "full_name": f"User {number}", "kind": "user", "ip": "10.1.2.3"},
        }
        if build is command_data:
            changes["entity"] = {"type": "certificate", "id": f"c-{self._random.randrange(200)}"}
        if self._random.random() < 0.2:
            changes |= {"status": "failure", "failure": {"code": "denied", "reason": "Not today."}}
        return build(**changes)

    async def _deliver(self, commands: Sequence[JsonObject]) -> None:
        waiting = list(commands)
        while waiting:
            answers = await self._answers(waiting)
            waiting = [
                command for command, answer in zip(waiting, answers, strict=True) if self._again(command, answer)
            ]
            if waiting:
                await asyncio.sleep(_AGAIN_SECONDS)

    def _again(self, command: JsonObject, answer: Any) -> bool:
        """Whether the command must be sent again."""
        if "event_id" in answer:
            self._book.keep(str(command["command_id"]), answer)
            return False
        self._book.trouble[answer["type"]] += 1
        if answer["status"] != 503:
            self._book.wrong.append(f"{command} got {answer}")
        return bool(answer["status"] == 503)

    async def _answers(self, commands: Sequence[JsonObject]) -> list[Any]:
        """An answer for each command; that nothing came is a problem too, of status 503."""
        kind = "application/json" if self._lines == 1 else "application/x-ndjson"
        body = b"\n".join(orjson.dumps(command) for command in commands)
        try:
            async with self._session.post(self._url, data=body, headers={"Content-Type": kind}) as response:
                answers = [orjson.loads(line) for line in (await response.read()).splitlines()]
        except (ClientError, TimeoutError) as error:
            return [{"status": 503, "type": type(error).__name__}] * len(commands)
        return answers if response.status in {200, 201} else answers * len(commands)


@asynccontextmanager
async def load(
    address: str, key: str, *, singles: int = 8, streams: int = 2, pause: float = 0.02
) -> AsyncIterator[Book]:
    """Senders at work during the block; after it each command has its receipt."""
    book, stop = Book(), asyncio.Event()
    async with ClientSession(
        connector=TCPConnector(limit=0), timeout=_TIMEOUT, headers={"Authorization": f"Bearer {key}"}
    ) as session:
        sizes = [1] * singles + [_LINES] * streams
        senders = [
            Sender(session, f"{address}/v1/commands", book, f"sender-{number}", lines, pause * lines**0.5)
            for number, lines in enumerate(sizes)
        ]
        async with asyncio.timeout(600), asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(sender.run(stop)) for sender in senders]
            yield book
            stop.set()
            await asyncio.wait(running, timeout=120)
    assert book.wrong == []
