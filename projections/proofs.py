"""Checkpoints and proofs, as auditors ask for them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from domain.checkpoint import Checkpoint, SignedCheckpoint
from domain.errors import AuditError, FieldError
from domain.merkle import ProofError, consistency_nodes, inclusion_nodes, verify_inclusion
from domain.signed_note import InvalidNote, SignedNote
from domain.words import Ledger, Position
from projections import checkpoints
from projections.database import Connection, Pool, bound
from projections.tree import hashes_of


class NotSigned(AuditError):
    """There is no checkpoint of what was asked for, and none will be made for the asking."""


class NotCovered(AuditError):
    """An event that is recorded, and that no checkpoint covers yet."""


class InvalidSizes(AuditError):
    """Sizes between which there is no proof."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(f"{parameter}: {message}")
        self.errors = (FieldError(parameter, message),)


class EvidenceDamaged(AuditError):
    """The ledger, its tree and its checkpoint contradict each other."""


@dataclass(frozen=True)
class InclusionProof:
    """That an event is in the tree of a checkpoint."""

    ledger: Ledger
    position: Position
    leaf_hash: bytes
    path: Sequence[bytes]
    """The hashes from the leaf up (RFC 9162, section 2.1.3)."""
    checkpoint: SignedCheckpoint

    @property
    def index(self) -> int:
        """The event's place in the tree, from 0."""
        return self.position - 1


@dataclass(frozen=True)
class Proofs:
    """Proofs from one short transaction each. All methods raise StoreUnavailable, and NotSigned as they say."""

    pool: Pool
    """The reader's."""

    async def latest(self, ledger: Ledger) -> SignedCheckpoint:
        """The largest checkpoint. Raises NotSigned if there is none yet."""
        async with self._latest(ledger) as (_, latest):
            return latest

    async def checkpoint(self, ledger: Ledger, size: int) -> SignedCheckpoint:
        """The checkpoint of a size. Raises NotSigned, with the sizes next to it."""
        async with self._latest(ledger) as (connection, latest):
            if size > latest.size:
                raise NotSigned(f"no checkpoint of size {size} was signed yet: the latest is of size {latest.size}")
            found = await checkpoints.of_size(connection, ledger, size)
            if found is None:
                near = " and ".join(map(str, await checkpoints.neighbours(connection, ledger, size)))
                raise NotSigned(f"no checkpoint of size {size} was signed; those next to it are of size {near}")
            return found

    async def inclusion(self, ledger: Ledger, position: Position) -> InclusionProof | None:
        """The proof of the event at a position against the latest checkpoint; None if there is no such event.

        Raises NotCovered, TreeIncomplete, and EvidenceDamaged rather than give a proof that does not hold.
        """
        async with bound(self.pool, ledger, readonly=True) as connection:
            leaf_hash = await connection.fetchval(
                "SELECT leaf_hash FROM audit.ledger_events WHERE ledger = $1 AND position = $2", ledger, position
            )
            if leaf_hash is None:
                return None
            latest = await checkpoints.latest(connection, ledger)
            if latest is None or position > latest.size:
                signed = f"the latest is of size {latest.size}" if latest else "none has been signed"
                raise NotCovered(f"position {position} is not covered by a checkpoint yet: {signed}")
            nodes = inclusion_nodes(position - 1, latest.size)
            path = await hashes_of(connection, ledger, latest.size, nodes)
        proof = InclusionProof(ledger, position, leaf_hash, path, latest)
        _verify(proof)
        return proof

    async def consistency(self, ledger: Ledger, first_size: int, size: int | None) -> tuple[int, list[bytes]]:
        """The larger size, which is the latest checkpoint's if not given, and the path between the two.

        Raises NotSigned, InvalidSizes and TreeIncomplete.
        """
        async with self._latest(ledger) as (connection, latest):
            size = latest.size if size is None else size
            for parameter, value in (("from", first_size), ("to", size)):
                if value > latest.size:
                    raise InvalidSizes(parameter, f"{value} is more than {latest.size}, the latest checkpoint's size")
            if first_size > size:
                raise InvalidSizes("from", f"{first_size} is more than `to`, which is {size}")
            return size, await hashes_of(connection, ledger, size, consistency_nodes(first_size, size))

    @asynccontextmanager
    async def _latest(self, ledger: Ledger) -> AsyncIterator[tuple[Connection, SignedCheckpoint]]:
        async with bound(self.pool, ledger, readonly=True) as connection:
            latest = await checkpoints.latest(connection, ledger)
            if latest is None:
                raise NotSigned(f"no checkpoint of the ledger {ledger} has been signed yet")
            yield connection, latest


def _verify(proof: InclusionProof) -> None:
    try:
        root = Checkpoint.parse(SignedNote.parse(proof.checkpoint.note).text).root
        verify_inclusion(proof.leaf_hash, proof.index, proof.checkpoint.size, proof.path, root)
    except (ProofError, InvalidNote) as error:
        raise EvidenceDamaged(
            f"position {proof.position} of the ledger {proof.ledger} cannot be proven against the checkpoint of size "
            f"{proof.checkpoint.size}: {error}"
        ) from error
