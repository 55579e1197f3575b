"""The read table `entities` says of every moment what a replay says, however late events were reported."""

from datetime import UTC, datetime
from random import Random

import pytest

from adapters.postgres.entity_history import PostgresEntityHistory
from application.reconstruct import NothingKnown, Reconstruct
from domain.catalogue import CATALOGUE
from domain.entities.moment import Moment
from domain.entities.replay import Snapshots
from domain.entities.state import state_of
from domain.mapper import RecordMapper
from domain.values import JsonObject
from domain.words import Ledger, Position
from projections import entities_query
from projections.entities import EntitiesProjection
from projections.entities_query import Wanted
from tests.integration.projections.stage import Stage, reading
from tests.lives import lives

_COUNT = 90
_ENTITIES = [(kind, f"{kind}-{number}") for kind in ("certificate", "user", "token") for number in range(2)]


async def _shown(stage: Stage, ledger: Ledger, kind: str, moment: Moment) -> dict[str, JsonObject]:
    async with reading(stage, ledger) as connection:
        rows = await entities_query.find(connection, Wanted(kind), moment, None, 100)
    return {row.id: state_of(row.life) for row in rows}


async def _replayed(reconstruct: Reconstruct, ledger: Ledger, kind: str, id_: str, moment: Moment) -> JsonObject | None:
    try:
        found = await reconstruct.entity(ledger, kind, id_, moment)
    except NothingKnown:
        return None
    return found.state if found.entity.life else None


@pytest.mark.parametrize("seed", range(3))
async def test_at_every_moment_the_table_says_what_a_replay_says(stage: Stage, seed: int) -> None:
    """By position and by time; whatever came late, failed, contradicted or was applied in which batches."""
    random, ledger = Random(seed), Ledger(f"lives-{seed}")
    drafts = lives(random, _COUNT, ledger)
    projector = await stage.projector(EntitiesProjection())
    position = Position(0)
    while drafts:
        some = random.randrange(1, 40)
        await stage.append(drafts[:some], ledger)
        drafts = drafts[some:]
        position = await projector.advance(ledger, position)
    assert position == _COUNT
    assert await stage.set_aside() == {}
    late = await stage.owner.fetchval("SELECT count(*) FROM reading.entities_1 WHERE from_position = until_position")
    assert late > 0, "no event was reported late"
    history = PostgresEntityHistory(stage.reader)
    reconstruct = Reconstruct(history, RecordMapper(CATALOGUE), lambda: datetime.now(UTC), Snapshots())
    times = await stage.owner.fetch(
        "SELECT DISTINCT convert_from(record, 'UTF8')::json ->> 'occurred_at' AS time FROM audit.events "
        "WHERE ledger = $1 ORDER BY 1",
        ledger,
    )
    moments = [Moment(position=Position(number)) for number in range(1, _COUNT + 1)]
    moments += [Moment(at=datetime.fromisoformat(row["time"])) for row in times]
    for moment in moments:
        for kind in ("certificate", "user", "token"):
            shown = await _shown(stage, ledger, kind, moment)
            replayed = {
                id_: state
                for of, id_ in _ENTITIES
                if of == kind and (state := await _replayed(reconstruct, ledger, kind, id_, moment)) is not None
            }
            assert shown == replayed, (kind, moment)
