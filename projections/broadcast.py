"""The events of one ledger as they come into `activity`: read once for a process, and offered to all who follow.

Who follows joins at the position that they have seen, and is from then on offered each event that matches, in order.
Who cannot take what is offered drops out and reads on from the table; the position says where, on either side.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import structlog

from domain.errors import AuditError
from domain.filters import EventFilter
from domain.matching import Key, Matcher, ShownEvent
from domain.words import Ledger, Position
from projections.activity_query import Query, Row
from projections.database import PASSING, heed_cancellation
from projections.reads import AT_ONCE, Reads

POLL_SECONDS = 1.0
"""How long it waits for a wake-up before it looks by itself."""

_BATCH, _BATCH_BYTES = 500, 128 * 1024
_KEPT_BYTES = 512 * 1024
"""How much of what was broadcast last is kept, for those who are only a little behind."""
_AFTER_TROUBLE_SECONDS = 0.5

_EVERYTHING = Query(EventFilter())

log = structlog.get_logger()

Encode = Callable[[Row], bytes]


class Follower(Protocol):
    """Who is offered events; both are called in the midst of a broadcast, and neither waits nor raises."""

    def offer(self, frames: bytes, count: int) -> bool:
        """Take so many encoded events, all or, if that is too much now, none; False then."""

    def fell_behind(self, seen: Position) -> None:
        """It is out of the broadcast, since it did not take what it was offered after `seen`."""


class _Passing(ShownEvent):
    """An event on its way to all who follow: decoded once, encoded once."""

    def __init__(self, row: Row, encode: Encode) -> None:
        super().__init__(row.event)
        self.position = row.position
        self._row = row
        self._encode = encode

    @cached_property
    def frame(self) -> bytes:
        return self._encode(self._row)


@dataclass(frozen=True)
class _Batch:
    """The events of the positions after `after` up to `until`."""

    after: Position
    until: Position
    events: Sequence[_Passing]

    @property
    def size(self) -> int:
        return sum(len(event.text) for event in self.events)


class _Group:
    """Those who follow with the same query, for whom an event is tested once."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self.matcher = Matcher.of(query.filter, query.only_actor)
        self.members: dict[Membership, None] = {}


class Membership:
    """A follower's place in the broadcast."""

    def __init__(self, broadcast: "Broadcast", group: _Group, follower: Follower, since: Position) -> None:
        self._broadcast = broadcast
        self.group = group
        self.follower = follower
        self.since = since
        """Where it joined: nothing up to here is offered to it."""

    @property
    def seen(self) -> Position:
        """All that matches up to here was offered to it and taken; ask before it has left."""
        return max(self.since, self._broadcast.position)


class Broadcast:
    """Of one ledger. Owns its position, who follows, and what was broadcast last."""

    def __init__(self, ledger: Ledger, reads: Reads, encode: Encode, start: Position) -> None:
        self.ledger = ledger
        self.position = start
        """All events up to here were offered."""
        self._reads = reads
        self._encode = encode
        self._groups: dict[Query, _Group] = {}
        self._by_key: dict[Key, dict[_Group, None]] = {}
        """The groups whose events all have one of their keys, under each of these."""
        self._untelling: dict[_Group, None] = {}
        """The other groups, which must be asked about each event."""
        self._kept: deque[_Batch] = deque()
        self._kept_bytes = 0
        self._wake_up = asyncio.Event()

    def wake(self) -> None:
        """There may be something new."""
        self._wake_up.set()

    async def run(self) -> None:
        """Broadcast until cancelled; a database that is away, or a defect, delays it."""
        while True:
            heed_cancellation()
            try:
                moved = await self._go_on()
            except (AuditError, *PASSING) as error:
                log.warning("feed_interrupted", ledger=self.ledger, error=repr(error))
                await asyncio.sleep(_AFTER_TROUBLE_SECONDS)
            except Exception:
                log.exception("feed_failed", ledger=self.ledger)
                await asyncio.sleep(_AFTER_TROUBLE_SECONDS)
            else:
                if not moved:
                    await self._wait()

    def join(self, query: Query, follower: Follower, seen: Position) -> Membership | None:
        """Follow from `seen` on; None if that is too far back, or what came since is not taken: read on, then."""
        oldest = self._kept[0].after if self._kept else self.position
        if seen < oldest:
            return None
        group = self._groups.get(query) or _Group(query)
        missed = [event for batch in self._kept if batch.until > seen for event in batch.events]
        if not _offered(follower, (event for event in missed if group.matcher.matches(event)), seen):
            return None
        membership = Membership(self, group, follower, seen)
        if not group.members:
            self._add(group)
        group.members[membership] = None
        return membership

    def leave(self, membership: Membership) -> None:
        group = membership.group
        if group.members.pop(membership, membership) is None and not group.members:
            self._remove(group)

    async def _go_on(self) -> bool:
        """Read and offer a batch; False if there is nothing new."""
        self._wake_up.clear()
        rows, until, _ = await self._reads.by_position(
            self.ledger, _EVERYTHING, self.position, _BATCH, AT_ONCE, _BATCH_BYTES
        )
        if until == self.position:
            return False
        self._offer(_Batch(self.position, until, [_Passing(row, self._encode) for row in rows]))
        return True

    def _offer(self, batch: _Batch) -> None:
        found: dict[_Group, list[_Passing]] = {}
        for event in batch.events:
            for group in self._candidates(event):
                if group.matcher.matches(event):
                    found.setdefault(group, []).append(event)
        dropped: list[Membership] = []
        for group, events in found.items():
            frames, count = b"".join(event.frame for event in events), len(events)
            for membership in group.members:
                # Who read further than we before it joined is offered only what it has not seen.
                taken = (
                    membership.follower.offer(frames, count)
                    if membership.since <= batch.after
                    else _offered(membership.follower, events, membership.since)
                )
                if not taken:
                    dropped.append(membership)
        self.position = batch.until
        self._keep(batch)
        # Not before: who joins again at once must find that this batch has passed.
        for membership in dropped:
            self.leave(membership)
            membership.follower.fell_behind(max(membership.since, batch.after))

    def _candidates(self, event: ShownEvent) -> Iterable[_Group]:
        found = dict(self._untelling)
        for key in event.keys:
            found |= self._by_key.get(key, {})
        return found

    def _add(self, group: _Group) -> None:
        self._groups[group.query] = group
        for place in self._places(group):
            place[group] = None

    def _remove(self, group: _Group) -> None:
        del self._groups[group.query]
        for place in self._places(group):
            del place[group]
        for key in group.matcher.telling or ():
            if not self._by_key[key]:
                del self._by_key[key]

    def _places(self, group: _Group) -> Iterator[dict[_Group, None]]:
        if group.matcher.telling is None:
            yield self._untelling
        else:
            yield from (self._by_key.setdefault(key, {}) for key in group.matcher.telling)

    def _keep(self, batch: _Batch) -> None:
        self._kept.append(batch)
        self._kept_bytes += batch.size
        while self._kept_bytes > _KEPT_BYTES:
            self._kept_bytes -= self._kept.popleft().size

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake_up.wait()
        except TimeoutError:
            return


def _offered(follower: Follower, events: Iterable[_Passing], seen: Position) -> bool:
    """Offer what comes after `seen`; whether it was taken."""
    unseen = [event.frame for event in events if event.position > seen]
    return not unseen or follower.offer(b"".join(unseen), len(unseen))
