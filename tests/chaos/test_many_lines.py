"""A module sends all that it has in one body."""

import resource

import orjson
from aiohttp import ClientSession

from domain.words import DEFAULT_LEDGER, Role
from tests.e2e.client import LINES, Client
from tests.e2e.running import running


async def test_a_hundred_thousand_lines_are_taken(database_url: str, rounds: int) -> None:
    """Each has its answer, in order, and the service grows by little: this process holds both sides."""
    lines, before = min(100_000, 20_000 * rounds), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    template = orjson.dumps(
        {
            "command": "LogInUser",
            "command_id": "#",
            "occurred_at": "2026-11-24T10:00:00Z",
            "actor": {"id": "u-1", "kind": "user"},
            "entity": {"type": "user", "id": "u-1"},
            "status": "success",
        }
    )
    head, tail = template.split(b"#")
    with running(database_url) as service:
        async with ClientSession() as session:
            _, key = await service.create_key(DEFAULT_LEDGER, Role.MODULE)
            module = Client(session, service.address, key)
            answer = await module.send(b"".join(b"%b%d%b\n" % (head, number, tail) for number in range(lines)), LINES)
    answers = answer.body.splitlines()
    assert len(answers) == lines
    first = orjson.loads(answers[0])["position"]
    assert [orjson.loads(line)["position"] for line in answers] == list(range(first, first + lines))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # The request and its answer, once as sent and once as received, are 1 KiB a line.
    assert grown < 200 * 1024 + 2 * lines, "KiB"
