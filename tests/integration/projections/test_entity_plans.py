"""The queries of the estate are served by indexes in the order of the page, however many entities there are."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, cast

import pytest

from domain.entities.moment import Moment
from domain.words import DEFAULT_LEDGER, Position
from projections import entities_query
from projections.database import Connection
from projections.entities import EntitiesProjection
from projections.entities_query import Wanted
from tests.integration.projections.stage import Stage, reading
from tests.integration.projections.varied import drafts

_AT = datetime(2026, 11, 1, tzinfo=UTC)


class _Explaining:
    """A connection that says how a query would be answered, and answers nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.plan = ""

    async def fetch(self, sql: str, *arguments: object) -> list[Any]:
        rows = await self._connection.fetch(f"EXPLAIN {sql}", *arguments)
        self.plan = "\n".join(row[0] for row in rows)
        return []


@pytest.mark.parametrize("moment", [Moment(at=_AT), Moment(position=Position(1500))])
@pytest.mark.parametrize(
    ("states", "attributes"),
    [
        ((), {}),
        (("revoked",), {}),
        (("revoked", "valid"), {}),
        ((), {"affected": ["domain:d-1"]}),
        (("revoked",), {"affected": ["domain:d-1", "domain:d-2"], "tags": ["x"]}),
    ],
)
async def test_no_query_of_the_estate_reads_a_whole_table(
    stage: Stage, moment: Moment, states: Sequence[str], attributes: Mapping[str, Sequence[str]]
) -> None:
    await stage.append(drafts(Random(4), 3000))
    await stage.project([EntitiesProjection()])
    await stage.owner.execute("ANALYZE")
    async with reading(stage, DEFAULT_LEDGER) as connection:
        explaining = _Explaining(connection)
        wanted = Wanted("certificate", states, attributes)
        await entities_query.find(cast("Connection", explaining), wanted, moment, None, 50)
    assert "Seq Scan" not in explaining.plan, explaining.plan
    assert "Index" in explaining.plan
