"""The first page of `GET /v1/events` for each single filter, through the server and by its query alone."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from urllib.parse import urlencode

from adapters.bootstrap import Trail
from application.credentials import console
from benchmarks.bench import Bench
from benchmarks.data import DAYS, END, Estate, source
from benchmarks.figures import Figure, latencies
from benchmarks.load import get_in_turn, in_process
from benchmarks.projecting import catch_up
from domain.filters import EventFilter
from domain.values import rfc3339
from domain.words import DEFAULT_LEDGER, Module, Position, Role
from projections.activity_query import Query
from projections.reads import Wait

_LIMIT = 50
_AGAINST = "its query alone"
_PATIENCE = 15.0
"""After so many seconds a filter that is slow has shown it, in fewer requests."""

Parameters = Sequence[tuple[str, str]]


async def run(bench: Bench) -> Sequence[Figure]:
    """Requests follow one another on one connection; every value of a filter is used in turn."""
    requests = bench.size(200, 40)
    url = await bench.fill_large(bench.large)
    searches = _searches(Estate(bench.large))
    async with bench.trail(url) as wired:
        bench.tell("projecting what is not yet")
        await catch_up(wired)
    bench.analyze(url)
    async with bench.server(url, background=False) as (wired, address):
        caller = console(DEFAULT_LEDGER, END, "benchmarks")
        _, key = await wired.create_credential.create(caller, "benchmarks", Role.AUDITOR)
        figures = []
        for name, choices in searches.items():
            bench.tell(f"searching: {name}, {requests} requests")
            wanted = [choices[number % len(choices)] for number in range(requests)]
            paths = [f"/v1/events?{urlencode([*parameters, ('limit', str(_LIMIT))])}" for parameters in wanted]
            served = await in_process(get_in_turn, address, key, paths, _PATIENCE)
            alone = [await _query(wired, parameters) for parameters in wanted[: len(served)]]
            figures.append(
                Figure(f"GET /v1/events, {name}, {bench.large:,} events", latencies(served), _AGAINST, latencies(alone))
            )
    return figures


def _searches(estate: Estate) -> Mapping[str, Sequence[Parameters]]:
    """For each filter twenty values that occur, from common to rare; one value where there is but one kind."""
    random = Random(1)
    commands = [command for start in (0, estate.last_block) for command in estate.commands(5_000, start)]
    some = random.sample(commands, 20)
    issued = [command for command in commands if command["command"] == "RenewCertificate"][:20]
    users = random.sample(estate.users, 20)
    moments = [END - timedelta(days=random.uniform(2, DAYS)) for _ in range(20)]
    return {
        "no filter": [[]],
        "user, the id of one": [[("user", str(user["id"]))] for user in users],
        "user, the beginning of a name": [[("user", str(user["full_name"])[:6].lower())] for user in users],
        "user, one letter": [[("user", letter)] for letter in "abcdefghijklmno"],
        "module": [[("module", module)] for module in Module],
        "activity": [[("activity", name)] for name in estate.activities],
        "status=failure": [[("status", "failure")]],
        "from and to, one day": [
            [("from", rfc3339(moment)), ("to", rfc3339(moment + timedelta(days=1)))] for moment in moments
        ],
        "entity, one": [[("entity", f"{_of(command, 'type')}:{_of(command, 'id')}")] for command in some],
        "entity, a type": [[("entity", _of(command, "type"))] for command in some],
        "source": [[("source", source(number * 10))] for number in range(20)],
        "ip": [[("ip", str(user["ip"]))] for user in users],
        "correlation_id": [[("correlation_id", str(command["correlation_id"]))] for command in some],
        "entity, a type that is rare": [[("entity", "setting")], [("entity", "crl")]],
        "text, a host": [[("text", _of(command, "name"))] for command in some],
        "text, a number that occurs once": [[("text", _serial_of(command))] for command in issued],
        "text, a common word": [[("text", word)] for word in ("certificate", "issued", "renewal", "failed", "dns")],
        "order=recorded": [[("order", "recorded")]],
    }


def _of(command: Mapping[str, object], name: str) -> str:
    entity = command["entity"]
    assert isinstance(entity, dict)
    return str(entity[name])


def _serial_of(command: Mapping[str, object]) -> str:
    details = command["details"]
    assert isinstance(details, dict)
    return str(details["new_serial"])


async def _query(wired: Trail, parameters: Parameters) -> float:
    """The seconds of the query, with its transaction but without HTTP and without the record of the search."""
    data = dict(parameters)
    by_position = data.pop("order", None) == "recorded"
    wanted = Query(EventFilter.model_validate({name: _value(name, value) for name, value in data.items()}))
    reads = wired.services.reads
    started = time.perf_counter()
    if by_position:
        await reads.by_position(DEFAULT_LEDGER, wanted, Position(0), _LIMIT, Wait(Position(0)))
    else:
        await reads.newest_first(DEFAULT_LEDGER, wanted, None, _LIMIT, Wait(Position(0)))
    return time.perf_counter() - started


def _value(name: str, value: str) -> str | list[str]:
    return value if name in {"from", "to"} else [value]
