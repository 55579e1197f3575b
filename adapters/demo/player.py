"""Plays commands through the HTTP API as CertiNext's modules would: each with its own credential."""

import asyncio
import random
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby

import aiohttp

from adapters.demo.errors import CommandRefused, ServiceUnavailable
from adapters.demo.traffic import Traffic
from domain import canonical
from domain.catalogue import CATALOGUE
from domain.errors import InvalidJson
from domain.values import JsonObject
from domain.words import Module

LINES_PER_REQUEST = 1000
REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=120)
TRIES = 8
"""Of one request while loading: about a minute, before the service is taken to be gone for good."""

LONGEST_PAUSE = 15.0
"""Between two tries, in seconds."""

_JSON, _NDJSON = "application/json", "application/x-ndjson"
_LETS_IN = frozenset({"EnableUser", "ActivateBot"})
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""Answers after which the same request is worth another try: a repeated `command_id` adds nothing."""


async def load(
    base_url: str,
    keys: Mapping[Module, str],
    commands: Iterable[JsonObject],
    on_progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Send commands that are in the order of time, a day of theirs at a time at most, the modules side by side.

    `on_progress` is told how many more were recorded, after each request. Raises CommandRefused with the text of
    the first problem, and ServiceUnavailable if the service does not answer for about a minute.
    """
    async with aiohttp.ClientSession(base_url, timeout=REQUEST_TIMEOUT) as session:
        for step in in_steps(commands):
            try:
                async with asyncio.TaskGroup() as modules:
                    for module, part in _by_module(step).items():
                        modules.create_task(_send_part(session, keys[module], part, on_progress))
            except* (CommandRefused, ServiceUnavailable) as refusals:
                raise _first(refusals) from None


async def live(base_url: str, keys: Mapping[Module, str], events_per_second: float = 3.0) -> None:
    """Send one command after another with the present time, for ever, until cancelled.

    An interruption of the service is outlasted: the command is sent again, with the same id. Raises CommandRefused.
    """
    traffic = Traffic(secrets.randbits(32))
    async with aiohttp.ClientSession(base_url, timeout=REQUEST_TIMEOUT) as session:
        while True:
            command = traffic.next_command(datetime.now(UTC))
            await _post(session, keys[module_of(command)], canonical.encode(command), _JSON, tries=None)
            await asyncio.sleep(random.expovariate(events_per_second))


def module_of(command: JsonObject) -> Module:
    activity = CATALOGUE.of_command(str(command["command"]))
    assert activity is not None, command["command"]
    return activity.module


def in_steps(commands: Iterable[JsonObject]) -> Iterator[list[JsonObject]]:
    """Those of a day, up to one that lets somebody in: what they do in other modules must come after it."""
    for _, day in groupby(commands, key=lambda command: str(command["occurred_at"])[:10]):
        some: list[JsonObject] = []
        for command in day:
            some.append(command)
            if command["command"] in _LETS_IN:
                yield some
                some = []
        yield some


def _by_module(commands: Iterable[JsonObject]) -> dict[Module, list[JsonObject]]:
    parts: dict[Module, list[JsonObject]] = {}
    for command in commands:
        parts.setdefault(module_of(command), []).append(command)
    return parts


async def _send_part(
    session: aiohttp.ClientSession, key: str, part: list[JsonObject], on_progress: Callable[[int], None]
) -> None:
    for begin in range(0, len(part), LINES_PER_REQUEST):
        batch = part[begin : begin + LINES_PER_REQUEST]
        body = b"".join(canonical.encode(command) + b"\n" for command in batch)
        answer = await _post(session, key, body, _NDJSON, tries=TRIES)
        recorded = sum(1 for _ in _receipts(answer))
        if recorded != len(batch):
            raise CommandRefused(f"{len(batch)} commands were answered by {recorded} receipts")
        on_progress(recorded)


def _receipts(answer: bytes) -> Iterator[JsonObject]:
    """Raises CommandRefused at the first line that is no receipt."""
    for line in answer.splitlines():
        if line.strip():
            result = canonical.decode_object(line)
            if "position" not in result:
                raise CommandRefused(_text_of(result))
            yield result


async def _post(
    session: aiohttp.ClientSession, key: str, body: bytes, content_type: str, *, tries: int | None
) -> bytes:
    """The body of a good answer. `tries` None stands for as many as it takes."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": content_type}
    tried, pause = 0, 0.25
    while True:
        try:
            async with session.post("/v1/commands", data=body, headers=headers) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            trouble = f"{type(error).__name__}: {error}"
        else:
            if response.ok:
                return answer
            trouble = f"{response.status}: {_problem(answer)}"
            if response.status not in _PASSING:
                raise CommandRefused(trouble)
        tried += 1
        if tried == tries:
            raise ServiceUnavailable(trouble)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _problem(answer: bytes) -> str:
    try:
        return _text_of(canonical.decode_object(answer))
    except InvalidJson:
        return answer[:200].decode(errors="replace")


def _text_of(problem: JsonObject) -> str:
    """Of a problem (RFC 9457), all that it says."""
    return canonical.encode(problem).decode()


def _first(refusals: BaseExceptionGroup[CommandRefused | ServiceUnavailable]) -> Exception:
    first: BaseException = refusals
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    assert isinstance(first, Exception)
    return first
