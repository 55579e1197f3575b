"""Whatever the door accepts, every projection can hold: no command of a module is poison."""

from random import Random
from typing import Any

import pytest

from domain.words import DEFAULT_LEDGER, Ledger
from tests.builders import draft
from tests.integration.projections.model import expected, shown
from tests.integration.projections.stage import Stage

LONG_LEDGER = Ledger("l" * 63)


def letters(count: int, first: int = 0x20000, last: int = 0x2A6DF) -> str:
    """Letters without a pattern that compression could use; four bytes each unless told otherwise."""
    random = Random(count)
    return "".join(chr(random.randint(first, last)) for _ in range(count))


def growing(count: int) -> str:
    """Letters that become more when their case is folded."""
    random = Random(count)
    return "".join(random.choice([chr(code) for code in range(0x1F80, 0x1FB0)]) for _ in range(count))


def actor(**changes: Any) -> dict[str, Any]:
    return {"id": "u-1", "kind": "user", **changes}


EXTREMES: dict[str, dict[str, Any]] = {
    "long name": {"actor": actor(full_name=letters(1024))},
    "long id": {"actor": actor(id=letters(256))},
    "long id and name": {"actor": actor(id=letters(256), full_name=letters(1024))},
    "name that grows": {"actor": actor(id=growing(256), full_name=growing(1024))},
    "long entity": {"entity": {"type": "t" * 64, "id": letters(256), "name": letters(1024)}},
    "long story": {"correlation_id": letters(256), "causation_id": letters(255)},
    "much affected": {"also_affected": [{"type": "t" * 64, "id": letters(250 + n % 7)} for n in range(1000)]},
    "quotes": {"actor": actor(full_name="O'Brien \\ \"x\" 'a':1 & !b"), "correlation_id": "\\'\"{},%_"},
    "control characters": {"actor": actor(full_name="a\x01\x1f\x7f\u2028\ufeff\U0010ffff")},
    "long ago": {"occurred_at": "1970-01-01T00:00:00Z"},
    "failure": {"status": "failure", "failure": {"code": "denied", "reason": letters(32_768)}},
}
TEXTS = {
    "one long word": "x" * 32_768,
    "many long words": " ".join(letters(100 - n % 50) for n in range(300)),
    "many words": " ".join(f"w{n}" for n in range(5000)),
    "no word": "'\\\" & | ! <-> :* ()",
}


@pytest.mark.parametrize("ledger", [DEFAULT_LEDGER, LONG_LEDGER])
async def test_no_accepted_command_is_set_aside(stage: Stage, ledger: Ledger) -> None:
    """Names, ids and texts as long as may be, in the letters that take most room, and times from afar."""
    login: dict[str, Any] = {"command": "LogInUser", "details": {}}
    setting: dict[str, Any] = {"command": "ChangeSetting", "entity": {"type": "setting", "id": "s-1"}}
    drafts = [draft(ledger, **login, **changes) for changes in EXTREMES.values()]
    drafts += [
        draft(
            ledger,
            **setting,
            details={},
            changes=[{"path": "p", "new": text}],
            status="failure",
            failure={"code": "denied", "reason": text},
        )
        for text in TEXTS.values()
    ]
    await stage.append(drafts, ledger)
    await stage.project(ledger=ledger)
    names = [*EXTREMES, *TEXTS]
    assert {(names[position - 1], error) for position, error in (await stage.set_aside()).items()} == set()
    assert await shown(stage, ledger) == await expected(stage, ledger)
