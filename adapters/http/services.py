"""What the handlers call: use cases and reads, wired by `bootstrap`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from adapters.http.cursor import Cursors
from adapters.http.feed.clients import FeedClients
from application.credentials import Authenticate
from application.export_trail import ExportTrail
from application.group_commit import GroupCommit
from application.kept_checkpoints import KeptCheckpoints
from application.ports import QuarantineStore
from application.quarantine import KeepRefused, RetryQuarantined
from application.reconstruct import Reconstruct
from application.record_commands import RecordCommands
from application.self_audit import SelfAudit
from application.sessions import Sessions
from application.sign_checkpoints import SignCheckpoint
from application.verifying import Verifications
from domain.activity import Catalogue
from domain.words import Ledger
from projections.estate_reads import EstateReads
from projections.feed import Feed
from projections.proofs import Proofs
from projections.reads import Reads


@dataclass(frozen=True)
class Limits:
    """How much of one thing is taken in."""

    command_bytes: int = 1024 * 1024
    """The largest command, alone or in a line."""
    batch: int = 1000
    """How many commands of a stream are recorded together."""
    batch_bytes: int = 4 * 1024 * 1024
    """How long they may be together, unless one alone is longer."""
    wait_seconds: float = 10.0
    """How long a query waits for the position that it asks for."""
    verification_workers: int = 1
    """How many processes a verification takes."""


@dataclass(frozen=True)
class Services:
    catalogue: Catalogue
    authenticate: Authenticate
    sessions: Sessions
    record_commands: RecordCommands
    appends: GroupCommit
    keep_refused: KeepRefused
    retry_quarantined: RetryQuarantined
    quarantine: QuarantineStore
    self_audit: SelfAudit
    reads: Reads
    reconstruct: Reconstruct
    estate: EstateReads
    feed: Feed
    feed_clients: FeedClients
    cursors: Cursors
    proofs: Proofs
    signer: SignCheckpoint
    verifications: Verifications
    kept_checkpoints: KeptCheckpoints
    ledger: Ledger
    """Whose keys are shown to those who name none."""
    export_trail: ExportTrail
    answered: Callable[[], None]
    """To be called whenever somebody was answered: exports leave room for who comes next."""
    limits: Limits
    page: Path
    """The folder of the built page."""


SERVICES = web.AppKey("services", Services)
