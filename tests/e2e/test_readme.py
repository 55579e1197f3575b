"""The README tells the truth: its lines are run in a shell, against the demonstration that it describes."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from adapters.demo.lines import curl_lines
from domain.words import Module, Role
from tests.demonstration import LEDGER, Demonstration

README = Path(__file__).parents[2] / "README.md"
ADDRESS = "http://127.0.0.1:8080"

_LINE_AND_ANSWER = re.compile(r"```sh\n(curl .*?)\n```\n\n```json\n(.*?)\n```", re.DOTALL)
_OF_THE_DAY = re.compile(
    r"\d{4}-\d\d-\d\dT[0-9:.]+Z|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}|demo-[0-9]{8}-.*|demo-[a-z-]+-[0-9a-f]{8}|s-[0-9]+"
)


def documented() -> list[tuple[str, str]]:
    """Each `curl` line of the README with the answer that is printed below it."""
    found = _LINE_AND_ANSWER.findall(README.read_text())
    assert len(found) == 6
    return found


def shape(value: Any) -> Any:
    """The answer without what is of the day: times, ids, counts, places in the ledger."""
    if isinstance(value, dict):
        return {name: None if name == "next" else shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    if isinstance(value, str):
        return _OF_THE_DAY.sub("*", value)
    return value if isinstance(value, bool) or value is None else 0


async def run_line(line: str, environment: dict[str, str]) -> Any:
    process = await asyncio.create_subprocess_shell(line, env=environment, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(output)


def test_demonstration_prints_the_same_lines() -> None:
    """What `make demo` invites to try is what the README explains."""
    assert [line for _, line in curl_lines(ADDRESS)] == [line for line, _ in documented()[:5]]


async def test_every_line_answers_as_printed(estate: Demonstration, tmp_path: Path) -> None:
    """With the demonstration loaded, each line of the README gives the answer that is printed below it."""
    module = Module.CERTIFICATE_OPERATIONS
    with estate.copy("readme", tmp_path) as (service, _):
        _, key = await service.create_key(LEDGER, Role.AUDITOR)
        _, module_key = await service.create_key(LEDGER, Role.MODULE, modules=frozenset({module}))
        environment = {"PATH": "/usr/bin:/bin", "KEY": key, "MODULE_KEY": module_key}
        for line, answer in documented():
            answered = await run_line(line.replace(ADDRESS, service.address), environment)
            assert shape(answered) == shape(json.loads(answer)), line
