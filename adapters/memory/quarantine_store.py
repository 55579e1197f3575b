"""The quarantine in memory: a fake of the port, for tests of what stands on it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from domain.quarantined import Quarantined, QuarantineFilter
from domain.words import Ledger, Position, QuarantineState


class MemoryQuarantineStore:
    """Keeps the promises of `application.ports.QuarantineStore` but durability."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Ledger, str], tuple[Quarantined, bytes]] = {}

    async def keep(
        self, ledger: Ledger, source: str, refused: Sequence[tuple[Quarantined, bytes]], most: int
    ) -> list[str | None]:
        return [self._keep_one(ledger, source, quarantined, body, most) for quarantined, body in refused]

    async def find(self, ledger: Ledger, quarantined_id: str) -> tuple[Quarantined, bytes] | None:
        return self._kept.get((ledger, quarantined_id))

    async def page(
        self, ledger: Ledger, wanted: QuarantineFilter, before: str | None, limit: int
    ) -> Sequence[Quarantined]:
        newest_first = sorted(self._of(ledger), key=lambda one: one.id, reverse=True)
        return list(
            islice((one for one in newest_first if (before is None or one.id < before) and _is(one, wanted)), limit)
        )

    async def retried(self, ledger: Ledger, quarantined_id: str, at: datetime, position: Position) -> None:
        found = self._kept.get((ledger, quarantined_id))
        if found is not None and found[0].retried_at is None:
            quarantined, body = found
            self._kept[ledger, quarantined_id] = (replace(quarantined, retried_at=at, position=position), body)

    async def waiting_in(self, ledger: Ledger) -> int:
        return sum(quarantined.retried_at is None for quarantined in self._of(ledger))

    async def waiting(self) -> int:
        return sum(quarantined.retried_at is None for quarantined, _ in self._kept.values())

    def _keep_one(self, ledger: Ledger, source: str, quarantined: Quarantined, body: bytes, most: int) -> str | None:
        for one in self._of(ledger):
            if (one.source, one.sha256) == (source, quarantined.sha256):
                last = max(one.last_received_at, quarantined.last_received_at)
                counted = replace(one, count=one.count + quarantined.count, last_received_at=last)
                self._kept[ledger, one.id] = (counted, self._kept[ledger, one.id][1])
                return one.id
        if len(self._of(ledger)) >= most:
            return None
        self._kept[ledger, quarantined.id] = (quarantined, body)
        return quarantined.id

    def _of(self, ledger: Ledger) -> list[Quarantined]:
        return [quarantined for (its_ledger, _), (quarantined, _) in self._kept.items() if its_ledger == ledger]


def _is(one: Quarantined, wanted: QuarantineFilter) -> bool:
    state = QuarantineState.WAITING if one.retried_at is None else QuarantineState.RETRIED
    return (
        (not wanted.source or one.source in wanted.source)
        and (not wanted.kind or one.reason.kind in wanted.kind)
        and (wanted.from_ is None or one.received_at >= wanted.from_)
        and (wanted.to is None or one.received_at < wanted.to)
        and wanted.state in (None, state)
    )
