"""A signer over a stage, and the harm that is done to what it signs."""

from pathlib import Path

from adapters.postgres.checkpoint_store import PostgresCheckpointStore
from adapters.signing import LastSignedFiles, SigningKeyFile
from application.sign_checkpoints import SignCheckpoint
from application.signing_rounds import SigningRounds
from benchmarks.synthetic import append_synthetic
from domain.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from domain.signed_note import VerifierKey
from domain.words import DEFAULT_LEDGER, Ledger
from projections.lease import Lease
from projections.merkle import MerkleProjection
from projections.tree import Trees
from tests.builders import NOW
from tests.integration.projections.stage import Stage

MERKLE = MerkleProjection()
OTHER = Ledger("other")
FORGET = ("DELETE FROM audit.checkpoints", "DELETE FROM audit.signing_keys")
"""Everything that the database knows of what was signed."""


class Signing:
    """A signer of one host, over a stage."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.files = LastSignedFiles(folder / "checkpoints")
        self.keys = SigningKeyFile(folder / "signing-key")
        self.store = PostgresCheckpointStore(stage.writer, stage.reader, stage.pool)
        self.signer = SignCheckpoint(
            "certinext-audit", Trees(stage.reader, stage.pool), self.store, self.files, self.keys, lambda: NOW
        )
        self.outcomes: list[str] = []

    def rounds(self, holder: str = "one") -> SigningRounds:
        return SigningRounds(self.signer, Lease(self.stage.pool, "checkpoints", holder), self.outcomes.append)

    async def grow(self, last: int, ledger: Ledger = DEFAULT_LEDGER) -> None:
        """Let the ledger end at a position, and its tree with it."""
        head = await self.stage.owner.fetchval("SELECT position FROM audit.heads WHERE ledger = $1", ledger)
        append_synthetic(self.stage.url, ledger, (head or 0) + 1, last)
        await self.stage.project([MERKLE], ledger)

    async def sign(self, ledger: Ledger = DEFAULT_LEDGER) -> SignedCheckpoint | None:
        standing = {one.ledger: one for one in await self.signer.trees.standing(everything=True)}
        return await self.signer.sign(standing[ledger])

    async def opened(self) -> Checkpoint:
        """The latest checkpoint, verified with the keys that are published."""
        latest = await self.store.latest(DEFAULT_LEDGER)
        assert latest is not None
        keys = [VerifierKey.parse(str(key["verifier_key"])) for key in await self.signer.known_keys(DEFAULT_LEDGER)]
        checkpoint, _ = open_checkpoint(latest.note, keys)
        return checkpoint

    async def harm(self, *statements: str) -> None:
        """What somebody above all rights does to the database; the tree is then made anew from what is there."""
        for table in ("events", "heads", "checkpoints", "signing_keys"):
            await self.stage.owner.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER ALL")
        for statement in statements:
            await self.stage.owner.execute(statement)
        await self.stage.owner.execute("DELETE FROM reading.tracking; DELETE FROM reading.tiles_1")
        await self.stage.project([MERKLE])
