"""Signing what a ledger's tree is, and refusing to sign what contradicts what was signed before."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

import structlog

from application.ports import CheckpointStore, Clock, LastSigned, SigningKeys, TreeReader
from domain.checkpoint import Checkpoint, SignedCheckpoint, TreeStanding, UsedKey, open_checkpoint, origin_of
from domain.errors import AuditError
from domain.merkle import Node, ProofError, consistency_nodes, verify_consistency
from domain.signed_note import InvalidNote, NoteSignature, SignedNote, UnknownNoteKey, VerifierKey
from domain.values import JsonObject
from domain.words import Ledger

log = structlog.get_logger()


class SigningRefused(AuditError):
    """The ledger is not the continuation of what was signed, or what was signed cannot be known."""


@dataclass(frozen=True)
class SignCheckpoint:
    """Signs the checkpoint of a ledger, if it has grown."""

    service_name: str
    trees: TreeReader
    store: CheckpointStore
    last_signed: LastSigned
    keys: SigningKeys
    clock: Clock

    async def sign(self, standing: TreeStanding) -> SignedCheckpoint | None:
        """The checkpoint signed, or None if there was nothing new.

        It is kept outside the database first, and then in it, which is when others see it. Raises SigningRefused,
        and StoreUnavailable.
        """
        ledger, size = standing.ledger, standing.size
        stored = await self.store.latest(ledger)
        signed = await self._signed_before(ledger, stored)
        newest = max((checkpoint.size for checkpoint in signed), default=0)
        if standing.head < newest:
            raise SigningRefused(f"the ledger ends at {standing.head}, but a checkpoint of size {newest} was signed")
        if size < max(newest, 1):
            return None  # The tree follows the ledger, and will be there in a moment.
        checkpoint = Checkpoint(origin_of(self.service_name, ledger), size, await self._root(ledger, size, signed))
        if stored is not None and stored.size == size:
            return None
        made, key = await asyncio.to_thread(self._signed, checkpoint)
        await asyncio.to_thread(self._keep, ledger, made.note)
        if not await self.store.add(ledger, made, key, 0 if stored is None else stored.size):
            log.info("checkpoint_overtaken", ledger=ledger, size=size)
            return None
        return made

    async def known_keys(self, ledger: Ledger) -> list[JsonObject]:
        """The public keys that have signed or will sign next, as they are published; the current one is last.

        Raises NoSigningKey and StoreUnavailable.
        """
        used = await self.store.keys(ledger)
        key = await asyncio.to_thread(self._present_key, ledger)
        current = next((one for one in used if one.key == key), UsedKey(key, None, None))
        others = (one.as_json(current=False) for one in used if one.key != key)
        return [*others, current.as_json(current=True)]

    def _present_key(self, ledger: Ledger) -> VerifierKey:
        return VerifierKey(origin_of(self.service_name, ledger), self.keys.present().public_key)

    async def _signed_before(self, ledger: Ledger, stored: SignedCheckpoint | None) -> Collection[Checkpoint]:
        """What was signed last, as the database has it and as it is kept outside."""
        try:
            kept = await asyncio.to_thread(self.last_signed.read, ledger)
        except OSError as error:
            raise SigningRefused(f"the last checkpoint kept outside the database cannot be read: {error}") from error
        if kept is None and stored is not None:
            log.warning("no_checkpoint_kept_outside_the_database", ledger=ledger, size=stored.size)
        notes = {"kept outside the database": kept, "in the database": stored.note if stored else None}
        return {await self._opened(ledger, where, note) for where, note in notes.items() if note is not None}

    async def _opened(self, ledger: Ledger, where: str, note: str) -> Checkpoint:
        try:
            try:
                return open_checkpoint(note, [self._present_key(ledger)])[0]
            except UnknownNoteKey:
                return open_checkpoint(note, [used.key for used in await self.store.keys(ledger)])[0]
        except InvalidNote as error:
            raise SigningRefused(f"the last checkpoint {where} is not one of ours: {error}") from error

    async def _root(self, ledger: Ledger, size: int, signed: Collection[Checkpoint]) -> bytes:
        """The root of the tree, once it is proven to be the continuation of all that was signed."""
        earlier = sorted(signed, key=lambda checkpoint: checkpoint.size)
        paths = [consistency_nodes(checkpoint.size, size) for checkpoint in earlier]
        root, *hashes = await self.trees.hashes(
            ledger, size, [Node.over(0, size), *(node for path in paths for node in path)]
        )
        rest = iter(hashes)
        for checkpoint, nodes in zip(earlier, paths, strict=True):
            path = [next(rest) for _ in nodes]
            try:
                verify_consistency(checkpoint.size, size, path, checkpoint.root, root)
            except ProofError as error:
                raise SigningRefused(
                    f"the ledger at size {size} is not the continuation of the checkpoint of size {checkpoint.size}: "
                    f"{error}"
                ) from error
        return root

    def _signed(self, checkpoint: Checkpoint) -> tuple[SignedCheckpoint, VerifierKey]:
        signing_key = self.keys.present()
        key = VerifierKey(checkpoint.origin, signing_key.public_key)
        signature = NoteSignature(key.name, key.key_id, signing_key.sign(checkpoint.text.encode()))
        note = str(SignedNote(checkpoint.text, (signature,)))
        return SignedCheckpoint(checkpoint.size, note, self.clock()), key

    def _keep(self, ledger: Ledger, note: str) -> None:
        try:
            self.last_signed.keep(ledger, note)
        except OSError as error:
            raise SigningRefused(f"the checkpoint cannot be kept outside the database: {error}") from error
