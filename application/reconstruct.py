"""Reconstructing an entity as it was: from the ledger's records and from nothing else."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import NoReturn

from application.ahead import ahead
from application.ports import Clock, EntityHistory, EntityRecords
from domain.catalogue import CATALOGUE
from domain.entities.entity import Entity
from domain.entities.history import SEGMENT, Bodies, Segment
from domain.entities.life import UNBORN, Life
from domain.entities.links import THROUGH, Link, links_of
from domain.entities.moment import Moment
from domain.entities.reconstruction import Reconstruction, Relation, Step
from domain.entities.replay import Replay, Snapshots, Watch
from domain.entities.state import Difference, differences, state_of
from domain.errors import AuditError
from domain.event import AuditEvent
from domain.ledger import Head
from domain.mapper import RecordMapper
from domain.words import Ledger, Position, originator_id

TYPES = frozenset(activity.entity_type for activity in CATALOGUE)
"""The types of entities that the catalogue knows."""

_MOST_THROUGH = 5
_MANY = 500
"""How many entities are read together."""

_AT_ONCE = 8
"""How many segments are read together; at first one, since most lives are short."""


class NothingKnown(AuditError):
    """No event tells of the entity, or none did by then."""


class InvalidMoment(AuditError):
    """A moment of which nothing can be known."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(f"{parameter}: {message}")
        self.parameter = parameter
        self.message = message


@dataclass(frozen=True, slots=True)
class Timeline:
    """Events of an entity in the order of recording, each with what it changed."""

    steps: Sequence[Step]
    following: int | None
    """The version behind which the next ones stand; None if there are no more."""
    replayed_to: Head


@dataclass(frozen=True, slots=True)
class Comparison:
    """What led from one moment to another; a reconstruction is None if nothing was known yet."""

    before: Reconstruction | None
    after: Reconstruction
    changes: Sequence[Difference]


@dataclass(frozen=True)
class Reconstruct:
    """Replays entities. Every method raises StoreUnavailable, BrokenRecord for a record that does not hold,
    NothingKnown, and InvalidMoment."""

    history: EntityHistory
    mapper: RecordMapper
    clock: Clock
    snapshots: Snapshots

    async def entity(self, ledger: Ledger, entity_type: str, entity_id: str, moment: Moment) -> Reconstruction:
        """An entity as of a moment, with the entities that it has to do with."""
        async with self.history.reading(ledger) as records:
            found = await self._replayed(records, entity_type, entity_id, moment)
            relations = [Relation(link) for link in found.own_links()]
            for link in [link for link in found.own_links() if link.relation in THROUGH][:_MOST_THROUGH]:
                relations += await self._through(records, link, moment)
        return replace(found, relations=relations)

    async def entities(self, ledger: Ledger, originator_ids: Sequence[str], moment: Moment) -> Sequence[Entity]:
        """Many entities as of a moment, each as `type:id`; those of which nothing was known are left out."""
        found = []
        async with self.history.reading(ledger) as records:
            end = await self._end(records, moment, "position")
            async with aclosing(ahead(_beginnings(records, originator_ids, end.position))) as beginnings:
                async for segments in beginnings:
                    for segment in segments:
                        replay = Replay(segment.originator_id, moment, self.mapper, self.snapshots)
                        if segment.is_whole:
                            await self._feed(replay, records, end)
                        else:
                            replay.take(segment)
                        if replay.entity.first is not None:
                            found.append(replay.entity)
                    await asyncio.sleep(0)
        return found

    async def timeline(
        self, ledger: Ledger, entity_type: str, entity_id: str, moment: Moment, after: int, limit: int
    ) -> Timeline:
        """The events after a version, at most `limit` of them, that count at a moment."""
        replay = Replay(originator_id(entity_type, entity_id), moment, self.mapper, self.snapshots)
        steps: list[Step] = []
        newest = ""

        def watch(event: AuditEvent, before: Life, now: Life) -> None:
            nonlocal newest
            if event.originator_version > after and len(steps) <= limit:
                steps.append(Step.of(event, before, now, newest))
            newest = max(newest, str(event.facts["occurred_at"]))

        async with self.history.reading(ledger) as records:
            end = await self._end(records, moment, "position")
            await self._feed(replay, records, end, watch, lambda: len(steps) > limit)
            if replay.entity.first is None:
                await self._refuse_unknown(records, entity_type, entity_id, moment)
        following = steps[limit - 1].event.originator_version if len(steps) > limit else None
        return Timeline(steps[:limit], following, end)

    async def comparison(
        self, ledger: Ledger, entity_type: str, entity_id: str, begin: Moment, end: Moment
    ) -> Comparison:
        """What changed between two moments; before its first event nothing was known of an entity."""
        async with self.history.reading(ledger) as records:
            after = await self._replayed(records, entity_type, entity_id, end, "to")
            try:
                before = await self._replayed(records, entity_type, entity_id, begin, "from")
            except NothingKnown:
                before = None
        old = state_of(UNBORN) if before is None else before.state
        return Comparison(before, after, differences(old, after.state))

    async def _replayed(
        self, records: EntityRecords, entity_type: str, entity_id: str, moment: Moment, parameter: str = ""
    ) -> Reconstruction:
        end = await self._end(records, moment, parameter)
        replay = Replay(originator_id(entity_type, entity_id), moment, self.mapper, self.snapshots)
        await self._feed(replay, records, end)
        if replay.entity.first is None:
            await self._refuse_unknown(records, entity_type, entity_id, moment)
        return Reconstruction(entity_type, entity_id, moment, replay.entity, end)

    async def _through(self, records: EntityRecords, link: Link, moment: Moment) -> list[Relation]:
        try:
            linked = await self._replayed(records, link.type, link.id, moment)
        except NothingKnown:
            return []
        wanted = THROUGH[link.relation]
        return [Relation(further, link) for further in links_of(linked.state) if further.relation in wanted]

    async def _end(self, records: EntityRecords, moment: Moment, parameter: str) -> Head:
        """How far the ledger is to be read."""
        if moment.at is not None and moment.at > self.clock():
            raise InvalidMoment(parameter or "at", "must not be in the future: nobody knows yet what will be so")
        head = await records.head(None)
        if moment.position is None or moment.position == head.position:
            return head
        if moment.position > head.position:
            raise InvalidMoment(
                parameter or "position", f"must not be after the last event of the ledger, {head.position}"
            )
        return await records.head(moment.position)

    async def _feed(
        self,
        replay: Replay,
        records: EntityRecords,
        end: Head,
        watch: Watch | None = None,
        is_enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Replay all up to a place in the ledger; with `watch` each event of it is decoded."""
        after, key = 0, replay.entity.id
        while not is_enough():
            if watch is None:
                after = await self._recall(replay, records, after, end)
            is_kept = self.snapshots.has((records.ledger, key, after + 1))
            at_once = 1 if after == 0 or is_kept else _AT_ONCE
            segments = await records.segments(key, after, at_once, end.position)
            for segment in segments:
                replay.take(segment, watch)
                await asyncio.sleep(0)
            if len(segments) < at_once or not segments[-1].is_whole:
                return
            after += at_once * SEGMENT

    async def _recall(self, replay: Replay, records: EntityRecords, after: int, end: Head) -> int:
        """Replay the segments of which there are snapshots, and decode those that do not help; where others begin."""
        key = replay.entity.id
        # Two stretches ahead, so that the database is at the next one while the last is on its way.
        async with aclosing(ahead(ahead(self._bodies(records, key, after, end.position)))) as read:
            async for found in read:
                for bodies in found:
                    if not replay.recall(records.ledger, bodies):
                        for segment in await records.segments(key, after, 1, end.position):
                            replay.take(segment)
                    after += SEGMENT
                    await asyncio.sleep(0)
        return after

    async def _bodies(
        self, records: EntityRecords, key: str, after: int, until: Position
    ) -> AsyncGenerator[Sequence[Bodies], None]:
        """Those of the segments of which there are snapshots."""
        while self.snapshots.has((records.ledger, key, after + 1)):
            found = await records.bodies(key, after, _AT_ONCE, until)
            yield found
            if len(found) < _AT_ONCE:
                return
            after += _AT_ONCE * SEGMENT

    async def _refuse_unknown(
        self, records: EntityRecords, entity_type: str, entity_id: str, moment: Moment
    ) -> NoReturn:
        """Say as exactly as can be why there is nothing to tell."""
        key = originator_id(entity_type, entity_id)
        replay = Replay(key, Moment(), self.mapper, self.snapshots)
        head = await records.head(None)
        await self._feed(replay, records, head)
        first = replay.entity.first
        if first is not None:
            raise NothingKnown(
                f"nothing was known of the {entity_type} {entity_id} as of {moment}: its first event, {first.activity} "
                f"at position {first.position}, occurred at {first.occurred_at} and was recorded at {first.recorded_at}"
            )
        if entity_type not in TYPES:
            raise NothingKnown(f"no event is about a {entity_type!r}; there are {', '.join(sorted(TYPES))}")
        raise NothingKnown(f"no event of the ledger {records.ledger} is about the {entity_type} {entity_id}")


async def _beginnings(
    records: EntityRecords, originator_ids: Sequence[str], until: Position
) -> AsyncGenerator[Sequence[Segment], None]:
    """The first segments of entities."""
    for first in range(0, len(originator_ids), _MANY):
        yield await records.beginnings(originator_ids[first : first + _MANY], until)
