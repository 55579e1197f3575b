"""A query that cannot be understood is refused, and the parameter at fault is named."""

import string
from base64 import urlsafe_b64encode
from hashlib import sha256

import orjson
import pytest

from domain.words import Role
from tests.builders import command_data
from tests.e2e.client import Client
from tests.e2e.conftest import Callers
from tests.e2e.seeding import varied_commands

EVENTS, USERS, MODULES, STATUSES = "/v1/events", "/v1/users", "/v1/modules", "/v1/statuses"

BAD = [
    ("colour=red", ["colour"]),
    ("offset=10", ["offset"]),
    ("User=x", ["User"]),
    ("colour=red&user=&limit=0", ["colour", "user", "limit"]),
    ("user=", ["user"]),
    (f"user={'x' * 257}", ["user"]),
    ("user=%00", ["user"]),
    ("user=a&user=b%00", ["user"]),
    ("module=marketing", ["module"]),
    ("module=administration&module=x&module=y", ["module", "module"]),
    ("activity=certificate.eaten", ["activity"]),
    ("activity=RevokeCertificate", ["activity"]),
    ("status=pending", ["status"]),
    ("status=", ["status"]),
    ("entity=Certificate", ["entity"]),
    ("entity=certificate:", ["entity"]),
    ("entity=:c-1", ["entity"]),
    ("entity=certificate:%00", ["entity"]),
    ("source=", ["source"]),
    ("ip=10.0.0.300", ["ip"]),
    ("ip=localhost", ["ip"]),
    ("correlation_id=", ["correlation_id"]),
    ("text=", ["text"]),
    ("text=%20-%20", ["text"]),
    ("from=yesterday", ["from"]),
    ("from=2026-11-24", ["from"]),
    ("from=2026-11-24T10:00:00", ["from"]),
    ("from=1795000000", ["from"]),
    ("from=2026-11-24T10:00:00+01:00", ["from"]),
    ("from=0001-01-01T00:00:00%2B01:00", ["from"]),
    ("to=9999-12-31T23:59:59-01:00", ["to"]),
    ("from=2026-11-24T10:00:00Z&from=2026-11-25T10:00:00Z", ["from"]),
    ("from=2026-11-24T10:00:00Z&to=2026-11-24T10:00:00Z", ["from"]),
    ("from=2026-11-25T10:00:00Z&to=2026-11-24T10:00:00Z", ["from"]),
    ("order=random", ["order"]),
    ("order=occurred&order=recorded", ["order"]),
    ("limit=0", ["limit"]),
    ("limit=1001", ["limit"]),
    ("limit=-1", ["limit"]),
    ("limit=ten", ["limit"]),
    ("limit=1.5", ["limit"]),
    ("limit=", ["limit"]),
    ("limit=99999999999999999999999", ["limit"]),
    ("limit=1&limit=1", ["limit"]),
    ("min_position=-1", ["min_position"]),
    ("min_position=9007199254740993", ["min_position"]),
    ("cursor=", ["cursor"]),
    ("cursor=x", ["cursor"]),
    ("cursor=%00", ["cursor"]),
    ("cursor=%C3%9F", ["cursor"]),
    (f"cursor={'A' * 5000}", ["cursor"]),
    ("user=%ff", ["user"]),
    ("user=%zz", ["user"]),
    ("user=%", ["user"]),
    ("user=%C3", ["user"]),
    ("text=100%", ["text"]),
    ("q=usr:x", ["q"]),
    ("q=%22x", ["q"]),
    ("q=%00", ["q"]),
    ("q=x&q=y", ["q"]),
    ("q=status:odd&limit=0", ["q", "limit"]),
    ("q=before:2026-11-24&from=2026-11-24T10:00:00Z", ["from"]),
    ("%ff=x", ["%ff"]),
]

BAD_OF_TABLES = [
    (USERS, "text=x", ["text"]),
    (USERS, "kind=ghost", ["kind"]),
    (USERS, "user=%00", ["user"]),
    (USERS, "from=now", ["from"]),
    (USERS, "limit=0", ["limit"]),
    (USERS, "cursor=x", ["cursor"]),
    (MODULES, "module=x", ["module"]),
    (MODULES, "limit=5", ["limit"]),
    (MODULES, "activity=certificate.eaten", ["activity"]),
    (STATUSES, "bucket=week", ["bucket"]),
    (STATUSES, "status=x", ["status"]),
    (STATUSES, "from=2026-11-24T10:00:00Z&to=2026-11-24T10:00:00Z", ["from"]),
    (USERS, "from=2026-11-24T10:00:00Z&to=2026-11-24T10:00:00Z", ["from"]),
    (STATUSES, "cursor=x", ["cursor"]),
]


async def refused(auditor: Client, target: str, parameters: list[str]) -> None:
    answer = await auditor.call("GET", target)
    assert (answer.status, answer.kind) == (422, "invalid-query"), (target, answer.body)
    assert answer.parameters == parameters, target
    assert all(error["detail"] for error in answer.json["errors"])


@pytest.mark.parametrize(("query", "parameters"), BAD)
async def test_a_parameter_that_does_not_fit_is_named(auditor: Client, query: str, parameters: list[str]) -> None:
    """Every one of them, in the order in which they are known."""
    await refused(auditor, f"{EVENTS}?{query}", parameters)


@pytest.mark.parametrize(("path", "query", "parameters"), BAD_OF_TABLES)
async def test_the_other_tables_are_as_strict(auditor: Client, path: str, query: str, parameters: list[str]) -> None:
    """Each has parameters of its own."""
    await refused(auditor, f"{path}?{query}", parameters)


async def test_a_single_event_has_no_parameters_of_a_search(auditor: Client) -> None:
    """What would be ignored is refused."""
    await refused(auditor, f"{EVENTS}/0198c0de-0000-7000-8000-000000000000?user=x", ["user"])


async def test_the_limits_themselves_are_allowed(module: Client, auditor: Client) -> None:
    """One row, or a thousand."""
    await auditor.shown(await module.record(command_data()))
    assert len((await auditor.page({"limit": "1"}))["events"]) == 1
    await auditor.page({"limit": "1000"})


@pytest.fixture
async def cursors(module: Client, auditor: Client) -> dict[str, str]:
    """A cursor of each order."""
    receipts = await module.record_all(varied_commands(3))
    await auditor.shown(receipts[-1])
    return {order: (await auditor.page({"order": order, "limit": "1"}))["next"] for order in ("occurred", "recorded")}


@pytest.mark.parametrize("order", ["occurred", "recorded"])
async def test_a_damaged_cursor_is_refused(auditor: Client, cursors: dict[str, str], order: str) -> None:
    """Whichever character of it was changed, dropped or added."""
    cursor = cursors[order]
    letters = string.ascii_letters + string.digits + "-_"
    damaged = {cursor[:-1], cursor + "A", cursor + "=", "A" + cursor, cursor + cursor, cursor[::-1], cursor + "%20"}
    for index, letter in enumerate(cursor):
        other = letters[(letters.index(letter) + 1) % len(letters)]
        damaged |= {cursor[:index] + other + cursor[index + 1 :], f"{cursor[:index]}!{cursor[index:]}"}
    for text in damaged:
        await refused(auditor, f"{EVENTS}?order={order}&limit=1&cursor={text}", ["cursor"])


async def test_a_cursor_belongs_to_its_query(callers: Callers, auditor: Client, cursors: dict[str, str]) -> None:
    """Not to another order, other filters, or another ledger; how many events a page has may change."""
    cursor = cursors["occurred"]
    assert (await auditor.page({"cursor": cursor, "limit": "2"}))["events"]
    await refused(auditor, f"{EVENTS}?order=recorded&cursor={cursor}", ["cursor"])
    await refused(auditor, f"{EVENTS}?cursor={cursors['recorded']}", ["cursor"])
    await refused(auditor, f"{EVENTS}?user=u&cursor={cursor}", ["cursor"])
    await refused(auditor, f"{USERS}?cursor={cursor}", ["cursor"])
    stranger = await callers.elsewhere().create(Role.AUDITOR)
    await refused(stranger, f"{EVENTS}?cursor={cursor}", ["cursor"])


@pytest.mark.parametrize("order", ["occurred", "recorded"])
@pytest.mark.parametrize(
    "keyset",
    [[], ["x"], ["x", "y"], [None, None], [1e300], [-1], [2**62], ["2026-10-01T00:00:00.000000Z"], {}, [[1], 2], 7,
     ["2026-10-01T00:00:00.000000Z", "1"], ["2026-10-01T00:00:00", 1], ["2026-10-01T00:00:00.000000Z", 1, 2], ["1"]],
)  # fmt: skip
async def test_a_forged_cursor_is_refused(callers: Callers, auditor: Client, order: str, keyset: object) -> None:
    """Who knows how a cursor is made can still not make the service stumble."""
    asked = {"filters": {}, "ledger": callers.ledger, "order": order}
    place = orjson.dumps(keyset)
    digest = sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS) + b"\n" + place).digest()[:12]
    cursor = urlsafe_b64encode(digest + place).decode().rstrip("=")
    await refused(auditor, f"{EVENTS}?order={order}&cursor={cursor}", ["cursor"])
