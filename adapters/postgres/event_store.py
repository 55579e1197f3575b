"""The ledgers on PostgreSQL."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias

import asyncpg
import structlog

from adapters.postgres import ledger_rows
from adapters.postgres.copied_events import copy_events
from adapters.postgres.entity_versions import EntityVersions
from domain.ledger import Head, LedgerEvent, link
from domain.receipt import CommandConflict, Receipt, answer_to_repeated
from domain.record import Draft
from domain.words import Ledger, Position
from projections.database import ACQUIRE_SECONDS, Connection, Pool, bound, translated_errors

_COMMAND_ID = "events_command_id"
_MOST_READ_BYTES = 32 * 1024 * 1024
_CLOCK_ALARM = timedelta(seconds=1)

_Added: TypeAlias = Mapping[str, tuple[LedgerEvent, Receipt]]
"""New events with their receipts, by command id."""

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
                before, added = await self._append_new(ledger, first_of, look_up=False)
            except asyncpg.UniqueViolationError as error:
                # Where the table is distributed or partitioned, the name of the constraint has something behind it.
                if not (error.constraint_name or "").startswith(_COMMAND_ID):
                    raise
                before, added = await self._append_new(ledger, first_of, look_up=True)
        if added:
            self._appended(ledger)
        if len(added) == len(drafts):
            return [receipt for _, receipt in added.values()]
        return list(_answers(ledger, drafts, before, added, first_of))

    async def read(self, ledger: Ledger, after: Position, limit: int) -> Sequence[LedgerEvent]:
        async with bound(self._pool, ledger, readonly=True) as connection:
            rows = await connection.fetch(ledger_rows.READ, ledger, after, limit, _MOST_READ_BYTES)
        return [ledger_rows.event_of(row) for row in rows]

    async def _append_new(
        self, ledger: Ledger, drafts: Mapping[str, Draft], *, look_up: bool
    ) -> tuple[Mapping[str, LedgerEvent], _Added]:
        """What was in the ledger before and what was added, by command id.

        New commands are the rule, so ids are looked up only when the ledger's constraint has met a known one.
        """
        added: dict[str, tuple[LedgerEvent, Receipt]] = {}
        async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection, connection.transaction():
            head, now = await ledger_rows.lock_head(connection, ledger)
            if head.recorded_at is not None and head.recorded_at - now > _CLOCK_ALARM:
                log.error("clock_jumped_back", ledger=ledger, now=now, last_recorded_at=head.recorded_at)
            before = await ledger_rows.recorded_under(connection, ledger, drafts) if look_up else {}
            new = [draft for draft in drafts.values() if draft.command_id not in before]
            if not new:
                return before, added
            versions = await self._versions_of(connection, ledger, head, new)

            def linked() -> Iterator[LedgerEvent]:
                events = link(head, _numbered(new, versions), now)
                for draft, event in zip(new, events, strict=True):
                    receipt = Receipt.of(event, ledger, draft.event_id, duplicate=False)
                    added[event.command_id] = event, receipt
                    yield event

            await copy_events(connection, linked())
            last, _ = added[new[-1].command_id]
            await ledger_rows.move_head(connection, ledger, last)
        self._entity_versions.moved(ledger, head.chain_hash, last.chain_hash, versions)
        return before, added

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


def _answers(
    ledger: Ledger,
    drafts: Iterable[Draft],
    before: Mapping[str, LedgerEvent],
    added: _Added,
    first_of: Mapping[str, Draft],
) -> Iterable[Receipt | CommandConflict]:
    for draft in drafts:
        if draft.command_id in before:
            yield answer_to_repeated(draft, before[draft.command_id], ledger)
            continue
        event, receipt = added[draft.command_id]
        yield receipt if draft is first_of[draft.command_id] else answer_to_repeated(draft, event, ledger)
