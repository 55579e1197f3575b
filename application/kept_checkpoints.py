"""The checkpoints that the service keeps, opened with the keys that have signed: in the database and outside of it."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from application.ports import LastSigned
from domain.checkpoint import Checkpoint, UsedKey, open_checkpoint, origin_of
from domain.errors import AuditError
from domain.signed_note import InvalidNote, VerifierKey
from domain.tampering import Tampering, TamperingKind
from domain.verification import KeptCheckpoint
from domain.words import Ledger

_OUTSIDE = "the file outside the database"
_DATABASE = "the database"

_LOOKS_AGAIN = 3
_SIGNING_SECONDS = 0.3
"""A checkpoint that was kept outside is in the database long before, unless that is overloaded."""


class UnusableCheckpoint(AuditError):
    """A checkpoint that was given, and says nothing about this ledger."""


class CheckpointNotes(Protocol):
    """The notes in the database. All methods raise StoreUnavailable."""

    async def between(self, ledger: Ledger, after: int, until: int) -> Sequence[tuple[int, str]]:
        """The sizes and notes of checkpoints of more than `after` and up to `until` events, smallest first."""

    async def largest(self, ledger: Ledger) -> tuple[int, str] | None:
        """The size and note of the largest."""

    async def keys(self, ledger: Ledger) -> Sequence[UsedKey]:
        """The keys that have signed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Checkpoints, and what is wrong with others."""

    checkpoints: Sequence[KeptCheckpoint]
    forged: Sequence[Tampering]

    def beyond(self, end: int) -> "Kept":
        """Those of more than `end` events."""
        return Kept(
            [one for one in self.checkpoints if one.size > end], [one for one in self.forged if one.position > end]
        )


@dataclass(frozen=True)
class KeptCheckpoints:
    service_name: str
    notes: CheckpointNotes
    last_signed: LastSigned

    async def outside(self, ledger: Ledger) -> Kept:
        """The one in the file outside the database. Raises StoreUnavailable.

        It is there a moment before the database knows of it, and of a key that signs for the first time: what seems
        to be forged is looked at again.
        """
        kept = await self._outside(ledger)
        for _ in range(_LOOKS_AGAIN):
            if not kept.forged:
                break
            await asyncio.sleep(_SIGNING_SECONDS)
            kept = await self._outside(ledger)
        return kept

    async def _outside(self, ledger: Ledger) -> Kept:
        try:
            note = await asyncio.to_thread(self.last_signed.read, ledger)
        except OSError as error:
            wrong = Tampering.at(TamperingKind.CHECKPOINT_FORGED, 0, f"{_OUTSIDE} cannot be read: {error.strerror}")
            return Kept((), (wrong,))
        return await self._opened(ledger, [(None, note, _OUTSIDE)] if note is not None else [])

    async def largest(self, ledger: Ledger) -> Kept:
        """The largest in the database, by which a ledger that was cut is known. Raises StoreUnavailable."""
        largest = await self.notes.largest(ledger)
        return await self._opened(ledger, [(*largest, _DATABASE)] if largest is not None else [])

    async def stored(self, ledger: Ledger, after: int, until: int) -> Kept:
        """Those in the database of these sizes, smallest first. Raises StoreUnavailable."""
        found = await self.notes.between(ledger, after, until)
        return await self._opened(ledger, [(size, note, _DATABASE) for size, note in found])

    async def given(self, ledger: Ledger, note: bytes | str, where: str, keys: Iterable[VerifierKey]) -> KeptCheckpoint:
        """One that somebody kept, opened with their keys, or if they have none with those known here.

        Raises UnusableCheckpoint that says what is wrong with it, and StoreUnavailable.
        """
        known = list(keys) or [used.key for used in await self.notes.keys(ledger)]
        try:
            checkpoint, _ = open_checkpoint(note, known)
        except InvalidNote as error:
            raise UnusableCheckpoint(f"{where}: {error}") from error
        wanted = origin_of(self.service_name, ledger)
        if checkpoint.origin != wanted:
            raise UnusableCheckpoint(f"{where}: it is a checkpoint of {checkpoint.origin[:200]!r}, not of {wanted!r}")
        return KeptCheckpoint(checkpoint, where)

    async def _opened(self, ledger: Ledger, found: Sequence[tuple[int | None, str, str]]) -> Kept:
        """Each opened, where a size is stored beside it with that size; what cannot be is forged."""
        if not found:
            return Kept((), ())
        keys = [used.key for used in await self.notes.keys(ledger)]
        return await asyncio.to_thread(_open_all, origin_of(self.service_name, ledger), found, keys)


def _open_all(origin: str, found: Sequence[tuple[int | None, str, str]], keys: Sequence[VerifierKey]) -> Kept:
    good, forged = [], []
    for size, note, where in found:
        try:
            checkpoint = _checked(open_checkpoint(note, keys)[0], origin, size)
        except InvalidNote as error:
            message = f"the checkpoint in {where} is not as it was signed: {error}"
            forged.append(Tampering.at(TamperingKind.CHECKPOINT_FORGED, size or 0, message))
        else:
            good.append(KeptCheckpoint(checkpoint, where))
    return Kept(good, forged)


def _checked(checkpoint: Checkpoint, origin: str, size: int | None) -> Checkpoint:
    if checkpoint.origin != origin:
        raise InvalidNote("it is one of another ledger")
    if size not in (None, checkpoint.size):
        raise InvalidNote(f"it says that its size is {checkpoint.size}")
    return checkpoint
