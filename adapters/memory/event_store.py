"""The ledgers in memory: a fake of the port, for tests of what stands on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from application.ports import Clock
from domain.ledger import Head, LedgerEvent, link
from domain.receipt import CommandConflict, Receipt, answer_to_repeated
from domain.record import Draft
from domain.words import Ledger, Position


@dataclass
class _Log:
    """One ledger's events in their order, and what an append must find quickly."""

    head: Head
    events: list[LedgerEvent] = field(default_factory=list)
    by_command: dict[str, LedgerEvent] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)


class MemoryEventStore:
    """Keeps the promises of `application.ports.EventStore` but durability, in one event loop.

    `appended` is called after each append that added events, with the ledger's name.
    """

    def __init__(self, clock: Clock, appended: Callable[[Ledger], None]) -> None:
        self._clock = clock
        self._appended = appended
        self._logs: dict[Ledger, _Log] = {}

    async def append(self, ledger: Ledger, drafts: Sequence[Draft]) -> list[Receipt | CommandConflict]:
        # Nothing is awaited, so no other task sees a batch half recorded.
        log = self._logs.setdefault(ledger, _Log(Head.empty(ledger)))
        before = log.head.position
        answers = [self._append_one(log, ledger, draft) for draft in drafts]
        if log.head.position > before:
            self._appended(ledger)
        return answers

    async def read(self, ledger: Ledger, after: Position, limit: int) -> Sequence[LedgerEvent]:
        log = self._logs.get(ledger)
        return log.events[after : after + limit] if log else []

    def _append_one(self, log: _Log, ledger: Ledger, draft: Draft) -> Receipt | CommandConflict:
        first = log.by_command.get(draft.command_id)
        if first is not None:
            return answer_to_repeated(draft, first, ledger)
        version = draft.originator_version
        if version is None:
            version = log.versions.get(draft.originator_id, 0) + 1
        [event] = link(log.head, [(draft, version)], self._clock())
        log.events.append(event)
        log.by_command[draft.command_id] = event
        log.versions[draft.originator_id] = version
        log.head = Head(event.position, event.chain_hash, event.recorded_at)
        return Receipt.of(event, ledger, draft.event_id, duplicate=False)
