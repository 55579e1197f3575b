"""Checkpoints in memory, for tests."""

from collections.abc import Sequence
from datetime import datetime

from domain.checkpoint import SignedCheckpoint, UsedKey
from domain.signed_note import VerifierKey
from domain.words import Ledger


class MemoryCheckpointStore:
    """Keeps the promises of `application.ports.CheckpointStore`, but for those about disks."""

    def __init__(self) -> None:
        self._signed: dict[Ledger, dict[int, tuple[SignedCheckpoint, VerifierKey]]] = {}
        self._previous: set[tuple[Ledger, int]] = set()
        self.reasons: dict[Ledger, str] = {}

    async def latest(self, ledger: Ledger) -> SignedCheckpoint | None:
        signed = self._signed.get(ledger)
        return signed[max(signed)][0] if signed else None

    async def add(self, ledger: Ledger, signed: SignedCheckpoint, key: VerifierKey, previous_size: int) -> bool:
        of_ledger = self._signed.setdefault(ledger, {})
        if signed.size in of_ledger or (ledger, previous_size) in self._previous:
            return False
        of_ledger[signed.size] = signed, key
        self._previous.add((ledger, previous_size))
        return True

    async def keys(self, ledger: Ledger) -> Sequence[UsedKey]:
        used: dict[VerifierKey, list[datetime]] = {}
        for _, (signed, key) in sorted(self._signed.get(ledger, {}).items()):
            used.setdefault(key, []).append(signed.signed_at)
        return [UsedKey(key, times[0], times[-1]) for key, times in used.items()]

    async def raise_alarm(self, ledger: Ledger, reason: str, at: datetime) -> None:  # noqa: ARG002  # Of the port.
        self.reasons[ledger] = reason

    async def end_alarm(self, ledger: Ledger) -> None:
        self.reasons.pop(ledger, None)

    async def alarms(self) -> int:
        return len(self.reasons)
