"""Processes that work for this one: they answer, they say what went wrong, and they read no more than they need."""

import asyncio
import gc
import os
import platform
import re
import signal
import time
from pathlib import Path

import pytest

from adapters.exports import room
from adapters.exports.builder import Builders
from adapters.postgres import stretch_worker
from adapters.processes import ProcessDied, started_process
from tests.patience import PATIENCE

_HEAVY = ("pydantic", "structlog", "aiohttp", "openpyxl", "adapters.bootstrap")


async def test_work_is_done_elsewhere_and_its_errors_come_back() -> None:
    """A process that has raised goes on."""
    process = await started_process(gc.collect)
    try:
        assert await process.call(os.getpid) != os.getpid()
        with pytest.raises(ZeroDivisionError):
            await process.call(divmod, 1, 0)
        assert await process.call(divmod, 7, 2) == (3, 1)
        assert process.is_fit
    finally:
        await process.end()


async def test_a_process_that_dies_is_told_of() -> None:
    """To who waits for its answer, and to who asks afterwards."""
    process = await started_process(gc.collect)
    try:
        for _ in range(2):
            with pytest.raises(ProcessDied):
                await process.call(os.kill, await process.call(os.getpid), signal.SIGKILL)
        assert not process.is_fit
    finally:
        await process.end()


async def test_a_process_that_cannot_prepare_is_not_left() -> None:
    """What it raised is what is told."""
    with pytest.raises(ModuleNotFoundError):
        await started_process(__import__, "no_such_module")


async def test_a_process_that_checks_stretches_reads_few_modules() -> None:
    """On a small ledger, reading them would take longer than the check; nor does it read the program that asks."""
    process = await started_process(stretch_worker.begin, "postgresql://nowhere")
    try:
        assert await process.call(eval, f"[one for one in {_HEAVY} if one in __import__('sys').modules]") == []
    finally:
        await process.end()


async def test_who_asks_while_another_waits_comes_next() -> None:
    """Each gets the answer to what it has asked."""
    process = await started_process(gc.collect)
    try:
        assert await asyncio.gather(*(process.call(divmod, 100, n) for n in range(1, 9))) == [
            divmod(100, n) for n in range(1, 9)
        ]
    finally:
        await process.end()


async def test_an_answer_that_nobody_took_is_given_to_nobody_else() -> None:
    """Who left owes a process that is of no use any more."""
    process = await started_process(gc.collect)
    try:
        asked = asyncio.create_task(process.call(time.sleep, 60))
        waiting = asyncio.create_task(process.call(divmod, 7, 2))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(ProcessDied):
            await waiting
        assert not process.is_fit
    finally:
        await process.end()


async def test_what_is_asked_meanwhile_waits_in_the_pipe() -> None:
    """So the process goes on with it at once, whether or not its last answer was taken already."""
    process = await started_process(gc.collect)
    try:
        first = asyncio.create_task(process.call(time.monotonic))
        second = asyncio.create_task(process.call(time.monotonic))
        await asyncio.sleep(0)
        time.sleep(1)  # noqa: ASYNC251 - nobody here takes an answer meanwhile.
        assert await second - await first < 0.5
    finally:
        await process.end()


async def test_builders_give_way_to_everybody_else() -> None:
    """By their priority, which is as low as it can be without waiting for ever, and by the length of their turns."""
    builders = Builders()
    try:
        async with builders.one() as builder:
            process = await builder.call(os.getpid)
            assert os.getpriority(os.PRIO_PROCESS, process) == 19
            assert await builder.call(os.sched_getscheduler, 0) == os.SCHED_OTHER
            assert await builder.call(turn_nanoseconds) in {None, 100_000_000}
    finally:
        await builders.close()


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one processor, and nothing to leave")
async def test_builders_leave_a_processor_to_others_while_these_are_answered() -> None:
    """For a moment after the last answer."""
    all_ = os.sched_getaffinity(0)
    builders = Builders()
    try:
        async with builders.one() as first:
            assert os.sched_getaffinity(first.process) == all_
            builders.room.leave()
            assert os.sched_getaffinity(first.process) == all_ - {min(all_)}
            async with asyncio.timeout(PATIENCE):
                while os.sched_getaffinity(first.process) != all_:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
    finally:
        await builders.close()


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one processor, and nothing to leave")
async def test_a_builder_that_starts_while_others_are_answered_leaves_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_SECONDS", PATIENCE)
    all_ = os.sched_getaffinity(0)
    builders = Builders()
    builders.room.leave()
    try:
        async with builders.one() as builder:
            assert os.sched_getaffinity(builder.process) == all_ - {min(all_)}
    finally:
        await builders.close()


def turn_nanoseconds() -> int | None:
    """How long a turn this process asks for; None where that cannot be asked for, or is not told."""
    release = re.match(r"(\d+)\.(\d+)", platform.release())
    told = Path("/proc/self/sched")
    if release is None or (int(release[1]), int(release[2])) < (6, 12) or not told.exists():
        return None
    (slice_,) = re.findall(r"slice\s*:\s*(\d+)", told.read_text())
    return int(slice_)


async def test_builders_are_ended_while_exports_use_them() -> None:
    """An export gives its own back as soon as that has ended, while others have not yet."""
    builders = Builders()

    async def export() -> None:
        async with builders.one() as builder:
            in_use.release()
            await builder.call(time.sleep, 60)

    in_use = asyncio.Semaphore(0)
    exports = [asyncio.create_task(export()) for _ in range(3)]
    for _ in exports:
        await in_use.acquire()
    await builders.close()
    assert [type(ended) for ended in await asyncio.gather(*exports, return_exceptions=True)] == [ProcessDied] * 3


async def test_no_export_gets_a_builder_that_was_killed() -> None:
    """Neither one that was killed while it waited for work, nor one given back while all of them are ended."""
    builders = Builders()
    async with builders.one() as first:
        killed = await first.call(os.getpid)
        os.kill(killed, signal.SIGKILL)
    with pytest.raises(ProcessDied):
        await first.call(gc.collect)
    async with builders.one() as second:
        assert await second.call(os.getpid) != killed
        await second.end()
    async with builders.one() as third:
        assert await third.call(divmod, 7, 2) == (3, 1)
    await builders.close()
