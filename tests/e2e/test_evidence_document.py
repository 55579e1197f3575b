"""The steps of docs/evidence.md, done as they are printed."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.conftest import Callers
from tests.e2e.test_proofs import covered, verifier_key

DOCUMENT = Path(__file__).parents[2] / "docs" / "evidence.md"


def block(language: str, holding: str) -> str:
    """The block of code that holds these words."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    [found] = [one for one in blocks if holding in one]
    return str(found)


async def run(command: list[str], environment: dict[str, str], folder: Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


@pytest.mark.parametrize("honest", [True, False])
async def test_an_auditor_verifies(
    callers: Callers, module: Client, auditor: Client, tmp_path: Path, *, honest: bool
) -> None:
    """With the printed script and a checkpoint that was kept; and a kept one of another tree does not pass."""
    kept = await covered(auditor, (await module.record_all(command_data() for _ in range(20)))[-1]["position"])
    size = kept.split("\n")[1]
    (tmp_path / "kept.txt").write_text(kept if honest else kept.replace(f"\n{size}\n", f"\n{int(size) - 1}\n"))
    receipt = await module.record(command_data())
    await covered(auditor, receipt["position"])
    await auditor.shown(receipt)
    environment = {
        "ADDRESS": auditor.address,
        "KEY": str(auditor.key),
        "VERIFIER_KEY": await verifier_key(callers),
        "CHECKPOINT": str(tmp_path / "kept.txt"),
        "EVENT_ID": receipt["event_id"],
        "POSITION": str(receipt["position"]),
        "PATH": "/usr/bin:/bin",
    }
    code, said = await run([sys.executable, "-c", block("python", "tlog_scales")], environment, tmp_path)
    if not honest:
        assert code == 1
        assert "InvalidSignature" in said
        return
    assert code == 0, said
    assert said.startswith(f"The first {size} events are the same in both.\n")
    assert f"\nThe event is number {receipt['position']} of " in said
    for holding in ("keys?ledger=default", "latest", "$EVENT_ID/proof"):
        code, said = await run(["sh", "-ec", block("sh", holding)], environment, tmp_path)
        assert code == 0, said
    assert "leaf_hash" in said
