"""When checkpoints are signed, by which process, and what becomes of a refusal."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from application import signing_rounds
from benchmarks.synthetic import append_synthetic
from domain.errors import StoreUnavailable
from domain.words import DEFAULT_LEDGER, Ledger, Position
from projections.tree import Trees
from tests.integration.projections.signing import FORGET, MERKLE, OTHER, Signing
from tests.integration.projections.stage import Stage, eventually, running


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_rounds, "SECONDS", 0.05)
    monkeypatch.setattr(signing_rounds, "_GATHER_SECONDS", 0.01)


async def sizes(stage: Stage, ledger: Ledger = DEFAULT_LEDGER) -> list[int]:
    rows = await stage.owner.fetch("SELECT size FROM audit.checkpoints WHERE ledger = $1 ORDER BY size", ledger)
    return [row["size"] for row in rows]


@pytest.mark.usefixtures("hurried")
async def test_rounds_sign_at_start_while_events_arrive_and_at_stop(signing: Signing) -> None:
    await signing.grow(10)
    await signing.grow(20, OTHER)
    rounds = signing.rounds()
    task = asyncio.create_task(rounds.run())
    try:
        await eventually(lambda: _are(signing.stage, [10]))
        await eventually(lambda: _are(signing.stage, [20], OTHER))
        await signing.grow(15)
        rounds.wake()
        await eventually(lambda: _are(signing.stage, [10, 15]))
    finally:
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await signing.grow(16)
    await rounds.finish()
    assert await sizes(signing.stage) == [10, 15, 16]
    assert set(signing.outcomes) == {"signed"}


async def _are(stage: Stage, wanted: list[int], ledger: Ledger = DEFAULT_LEDGER) -> bool:
    return await sizes(stage, ledger) == wanted


async def test_at_stop_the_trees_are_waited_for(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    """But not for ever."""
    append_synthetic(signing.stage.url, DEFAULT_LEDGER, 1, 500)
    async with running(signing.stage.runner("one", [MERKLE])):
        await signing.rounds().finish()
    assert await sizes(signing.stage) == [500]
    monkeypatch.setattr(signing_rounds, "_AT_STOP_SECONDS", 0.05)
    append_synthetic(signing.stage.url, DEFAULT_LEDGER, 501, 600)
    await signing.rounds().finish()
    assert await sizes(signing.stage) == [500]


@pytest.mark.usefixtures("hurried")
async def test_a_refusal_is_an_alarm_until_all_is_well(signing: Signing, logs: list[MutableMapping[str, Any]]) -> None:
    """It is logged once, counted each time, and stops no other ledger."""
    await signing.grow(300)
    await signing.grow(20, OTHER)
    rounds = signing.rounds()
    await rounds.finish()
    await signing.stage.owner.execute("ALTER TABLE audit.events DISABLE TRIGGER ALL")
    change = "UPDATE audit.events SET leaf_hash = sha256('\\x00'::bytea || convert_to($1, 'UTF8')) WHERE position = 300"
    await signing.stage.owner.execute(change, "forged")
    await signing.grow(310)
    await signing.grow(30, OTHER)
    for _ in range(3):
        await rounds.finish()
    assert await signing.store.alarms() == 1
    assert (await sizes(signing.stage), await sizes(signing.stage, OTHER)) == ([300], [20, 30])
    [refused] = [entry for entry in logs if entry["event"] == "checkpoint_refused"]
    assert (refused["log_level"], refused["ledger"]) == ("error", "default")
    assert "not the continuation" in refused["reason"]
    assert signing.outcomes.count("refused") == 3
    await signing.stage.owner.execute(change, "300")
    await rounds.finish()
    assert await signing.store.alarms() == 0
    assert await sizes(signing.stage) == [300, 310]


@pytest.mark.usefixtures("hurried")
async def test_a_ledger_that_is_gone_is_an_alarm_at_the_next_start(signing: Signing) -> None:
    """Nothing in the database tells of it any more, but what is kept outside does."""
    await signing.grow(300)
    await signing.sign()
    await signing.harm("DELETE FROM audit.events", "DELETE FROM audit.heads", *FORGET)
    task = asyncio.create_task(signing.rounds().run())
    try:
        await eventually(lambda: _alarmed(signing))
    finally:
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    reason = await signing.stage.owner.fetchval("SELECT reason FROM audit.signing_alarms")
    assert reason == "the ledger ends at 0, but a checkpoint of size 300 was signed"


async def _alarmed(signing: Signing) -> bool:
    return await signing.store.alarms() == 1


@pytest.mark.usefixtures("hurried")
async def test_one_process_signs_and_another_takes_over(
    signing: Signing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the lease; the second signs as soon as the first is gone."""
    first, second = signing.rounds("first"), Signing(signing.stage, tmp_path / "second host").rounds("second")
    await signing.grow(10)
    await first.finish()
    await signing.grow(20)
    with monkeypatch.context() as patched:
        patched.setattr(signing_rounds, "_AT_STOP_SECONDS", 0.05)
        await second.finish()
    assert await sizes(signing.stage) == [10]
    await first._turn.release()
    await second.finish()
    assert await sizes(signing.stage) == [10, 20]


async def test_without_a_database_the_rounds_go_on(
    signing: Signing, monkeypatch: pytest.MonkeyPatch, logs: list[MutableMapping[str, Any]]
) -> None:
    """What was missed is signed when it is back."""
    monkeypatch.setattr(signing_rounds, "SECONDS", 0.05)
    monkeypatch.setattr(signing_rounds, "_GATHER_SECONDS", 0.01)
    await signing.grow(10)
    away = True
    standing = Trees.standing

    async def sometimes(trees: Trees, *, everything: bool) -> Any:
        if away:
            raise StoreUnavailable("away")
        return await standing(trees, everything=everything)

    monkeypatch.setattr(Trees, "standing", sometimes)
    task = asyncio.create_task(signing.rounds().run())
    try:
        await eventually(lambda: _logged(logs, "signing_interrupted"))
        away = False
        await eventually(lambda: _are(signing.stage, [10]))
    finally:
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _logged(logs: list[MutableMapping[str, Any]], event: str) -> bool:
    return any(entry["event"] == event for entry in logs)


async def test_no_key_is_an_alarm_and_no_end(signing: Signing, tmp_path: Path) -> None:
    """The service goes on; somebody has to look after the key."""
    await signing.grow(10)
    (tmp_path / "signing-key").write_text("nonsense")
    await signing.rounds().finish()
    assert await signing.store.alarms() == 1
    assert "signing-key" in str(await signing.stage.owner.fetchval("SELECT reason FROM audit.signing_alarms"))
    assert Position(10) == await signing.stage.tracked("merkle")
