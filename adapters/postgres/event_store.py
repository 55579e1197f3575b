"""The ledgers on PostgreSQL."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import asyncpg
import structlog

from adapters.postgres import ledger_rows
from adapters.postgres.copied_events import copying_events
from adapters.postgres.entity_versions import EntityVersions
from domain.ledger import Head, LedgerEvent, link
from domain.receipt import CommandConflict, Receipt, answer_to_repeated
from domain.record import Draft
from domain.words import Ledger, Position
from projections.database import ACQUIRE_SECONDS, Connection, Pool, bound, translated_errors

_COMMAND_ID = "events_command_id"
_CLOCK_ALARM = timedelta(seconds=1)


class _Done(NamedTuple):
    """What an append found and made."""

    before: Mapping[str, LedgerEvent]
    """What was in the ledger already, by command id; empty where nobody looked."""
    events: Sequence[LedgerEvent]
    receipts: Sequence[Receipt]
    """Of the events, one each."""


log = structlog.get_logger()


class PostgresEventStore:
    """Keeps the promises of `application.ports.EventStore` with one transaction for each batch.

    `appended` is called after each commit with the ledger's name.
    """

    def __init__(self, pool: Pool, appended: Callable[[Ledger], None]) -> None:
        self._pool = pool
        self._appended = appended
        self._entity_versions = EntityVersions()

    async def append(self, ledger: Ledger, drafts: Sequence[Draft]) -> list[Receipt | CommandConflict]:
        first_of: dict[str, Draft] = {}
        for draft in drafts:
            first_of.setdefault(draft.command_id, draft)
        with translated_errors():
            try:
                done = await self._append_new(ledger, first_of, look_up=False)
            except asyncpg.UniqueViolationError as error:
                # Where the table is distributed or partitioned, the name of the constraint has something behind it.
                if not (error.constraint_name or "").startswith(_COMMAND_ID):
                    raise
                done = await self._append_new(ledger, first_of, look_up=True)
        if done.events:
            self._appended(ledger)
        if len(done.receipts) == len(drafts):
            return list(done.receipts)
        return list(_answers(ledger, drafts, done, first_of))

    async def read(self, ledger: Ledger, after: Position, limit: int) -> Sequence[LedgerEvent]:
        async with bound(self._pool, ledger, readonly=True) as connection:
            rows = await connection.fetch(ledger_rows.READ, ledger, after, limit, ledger_rows.MOST_READ_BYTES)
        return [ledger_rows.event_of(row) for row in rows]

    async def _append_new(self, ledger: Ledger, drafts: Mapping[str, Draft], *, look_up: bool) -> _Done:
        """Record those of the drafts, each of another command, that the ledger does not have.

        New commands are the rule, so ids are looked up only when the ledger's constraint has met a known one.
        """
        async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection, connection.transaction():
            head, now = await ledger_rows.lock_head(connection, ledger)
            if head.recorded_at is not None and head.recorded_at - now > _CLOCK_ALARM:
                log.error("clock_jumped_back", ledger=ledger, now=now, last_recorded_at=head.recorded_at)
            before = await ledger_rows.recorded_under(connection, ledger, drafts) if look_up else {}
            new = [draft for draft in drafts.values() if draft.command_id not in before]
            if not new:
                return _Done(before, [], [])
            versions = await self._versions_of(connection, ledger, head, new)

            events: list[LedgerEvent] = []
            linked = link(head, _numbered(new, versions), now)
            async with copying_events(connection, _kept(linked, events)):
                receipts = [
                    Receipt.of(event, ledger, draft.event_id, duplicate=False)
                    for draft, event in zip(new, events, strict=True)
                ]
            last = events[-1]
            await ledger_rows.move_head(connection, ledger, last)
        self._entity_versions.moved(ledger, head.chain_hash, last.chain_hash, versions)
        return _Done(before, events, receipts)

    async def _versions_of(
        self, connection: Connection, ledger: Ledger, head: Head, drafts: Iterable[Draft]
    ) -> dict[str, int]:
        """The last version of each entity that the drafts are about, 0 if it has none."""
        known = self._entity_versions.at(ledger, head.chain_hash)
        versions = {draft.originator_id: known.get(draft.originator_id, -1) for draft in drafts}
        unknown = [originator for originator, version in versions.items() if version < 0]
        if unknown:
            versions |= dict.fromkeys(unknown, 0)
            versions |= await ledger_rows.versions(connection, ledger, unknown)
        return versions


def _numbered(drafts: Iterable[Draft], versions: dict[str, int]) -> Iterator[tuple[Draft, int]]:
    """Each draft with the version that it makes of its entity, which `versions` then has as the last."""
    for draft in drafts:
        version = draft.originator_version
        if version is None:
            version = versions[draft.originator_id] + 1
        versions[draft.originator_id] = version
        yield draft, version


def _kept(events: Iterable[LedgerEvent], taken: list[LedgerEvent]) -> Iterator[LedgerEvent]:
    """The same events; `taken` has those that were taken of them."""
    for event in events:
        taken.append(event)
        yield event


def _answers(
    ledger: Ledger, drafts: Iterable[Draft], done: _Done, first_of: Mapping[str, Draft]
) -> Iterator[Receipt | CommandConflict]:
    added = {event.command_id: (event, receipt) for event, receipt in zip(done.events, done.receipts, strict=True)}
    for draft in drafts:
        if draft.command_id in done.before:
            yield answer_to_repeated(draft, done.before[draft.command_id], ledger)
            continue
        event, receipt = added[draft.command_id]
        yield receipt if draft is first_of[draft.command_id] else answer_to_repeated(draft, event, ledger)
