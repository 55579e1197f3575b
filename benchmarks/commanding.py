"""Commands over HTTP, in bodies of 1,000 lines and one by one, against two that do less.

A bare handler that only validates the same bodies, with as many processes as the service, and the recorder of
`eventsourcing` in process: without HTTP, validation, hashes, personal data and command ids. All take turns; medians
count. Service, handler and client are processes of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from statistics import median

from eventsourcing.postgres import PostgresApplicationRecorder

from application.credentials import console
from benchmarks.append_against_recorder import recorded_per_second, recording, stored_events
from benchmarks.bench import Bench
from benchmarks.data import END
from benchmarks.figures import Figure, Measures, at_most, compared, latencies, per_second
from benchmarks.load import in_process
from benchmarks.posting import Sending, post_commands
from benchmarks.served import served, served_bare
from domain.words import DEFAULT_LEDGER, Role

_ROUNDS = 3
_WORKERS = 2
_BARE = "a bare aiohttp handler that validates"
_PATH = "/v1/commands"
_MOST_MILLISECONDS = 50

_seeds = count(1)


@dataclass
class _Found:
    """What each round measured."""

    ours: list[Measures] = field(default_factory=list)
    bare: list[Measures] = field(default_factory=list)
    recorder: list[Measures] = field(default_factory=list)


async def run(bench: Bench) -> Sequence[Figure]:
    """First the write side alone, as where projectors run in another process; then with them on the same cores."""
    streams = Sending(bench.size(60_000, 10_000), lines=1000, connections=4)
    singles = Sending(bench.size(20_000, 2_000), lines=1, connections=64)
    with recording(bench) as recorder:
        async with served_bare(_WORKERS) as bare:
            with bench.database("commanding") as url:
                key = await _key(bench, url)
                async with served(url, workers=_WORKERS, background=False) as ours:
                    lines = await _rounds(bench, streams, ours.address, bare, key, recorder)
                    single = await _rounds(bench, singles, ours.address, bare, key, recorder)
            with bench.database("commanding") as url:
                key = await _key(bench, url)
                async with served(url, workers=_WORKERS) as ours:
                    busy_lines = await _rounds(bench, streams, ours.address, bare, key)
                    busy_single = await _rounds(bench, singles, ours.address, bare, key)
    return [*_lines_figures(lines), *_single_figures(single), *_busy_figures(busy_lines, busy_single)]


def _lines_figures(found: _Found) -> Sequence[Figure]:
    work, recorder = (
        "NDJSON over HTTP, bodies of 1,000 lines, 4 connections",
        "eventsourcing's recorder, batches of 100",
    )
    ours = _medians(found.ours)
    return [
        compared(work, ours, recorder, _medians(found.recorder), wanted=1.2),
        compared(work, ours, _BARE, _medians(found.bare)),
    ]


def _single_figures(found: _Found) -> Sequence[Figure]:
    work, recorder = "one command a request, 64 connections", "eventsourcing's recorder, a save for each event"
    ours = _medians(found.ours)
    return [
        compared(work, ours, recorder, _medians(found.recorder), wanted=4),
        compared(work, ours, _BARE, _medians(found.bare), wanted=0.35),
        at_most(f"{work}: 99 of 100 within", "ms", ours["p99 ms"], _MOST_MILLISECONDS),
    ]


def _busy_figures(lines: _Found, single: _Found) -> Sequence[Figure]:
    work = "while projectors follow on the same cores"
    return [
        compared(f"NDJSON over HTTP, 4 connections, {work}", _medians(lines.ours), _BARE, _medians(lines.bare)),
        compared(f"one command a request, 64, {work}", _medians(single.ours), _BARE, _medians(single.bare)),
    ]


async def _rounds(
    bench: Bench, sending: Sending, ours: str, bare: str, key: str, recorder: PostgresApplicationRecorder | None = None
) -> _Found:
    found = _Found()
    for number in range(_ROUNDS):
        bench.tell(f"sending {sending.events:,} commands, {sending.lines} a body, round {number + 1} of {_ROUNDS}")
        found.ours.append(await _sent(ours, key, sending))
        found.bare.append(await _sent(bare, key, sending))
        if recorder is not None:
            events = stored_events(sending.events // 2, next(_seeds))
            pace = recorded_per_second(recorder, events, 1 if sending.lines == 1 else 100)
            found.recorder.append(per_second(len(events), len(events) / pace))
    return found


async def _sent(address: str, key: str, sending: Sending) -> Measures:
    sent = await in_process(post_commands, address + _PATH, key, sending, next(_seeds))
    return {**per_second(sending.events, sent.seconds), **latencies(sent.latencies)}


async def _key(bench: Bench, url: str) -> str:
    by = console(DEFAULT_LEDGER, END, "benchmarks")
    async with bench.trail(url) as wired:
        _, key = await wired.create_credential.create(by, "benchmarks", Role.MODULE)
    return key


def _medians(rounds: Sequence[Measures]) -> Measures:
    return {unit: median(measures[unit] for measures in rounds) for unit in rounds[0]}
