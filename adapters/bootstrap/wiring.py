"""Everything but the server, wired to a database."""

import asyncio
import hmac
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from uuid_utils import uuid7

from adapters.exports.builder import Builders
from adapters.exports.exporter import Exports
from adapters.http import metrics
from adapters.http.cursor import Cursors
from adapters.http.feed.clients import FeedClients, FeedLimits
from adapters.http.feed.protocol import event_frame
from adapters.http.feed.pulse import Pace
from adapters.http.services import Limits, Services
from adapters.postgres import wake_ups
from adapters.postgres.checkpoint_notes import PostgresCheckpointNotes
from adapters.postgres.checkpoint_store import PostgresCheckpointStore
from adapters.postgres.connections import PROJECTOR, READER, WRITER, open_pool, shared_secret
from adapters.postgres.credential_store import PostgresCredentialStore
from adapters.postgres.entity_history import PostgresEntityHistory
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.export_notes import PostgresExportNotes
from adapters.postgres.ledger_records import PostgresLedgerRecords
from adapters.postgres.ledger_scan import PostgresLedgerScan
from adapters.postgres.quarantine_store import PostgresQuarantineStore
from adapters.postgres.verification_store import PostgresVerificationStore
from adapters.settings import Settings
from adapters.signing import LastSignedFiles, signing_keys_of
from application.credentials import Authenticate, CreateCredential, RevokeCredential
from application.export_trail import ExportTrail
from application.group_commit import GroupCommit
from application.kept_checkpoints import KeptCheckpoints
from application.lost_exports import LostExports
from application.ports import CredentialStore
from application.quarantine import KeepRefused, RetryQuarantined
from application.reconstruct import Reconstruct
from application.record_commands import RecordCommands
from application.rotate_signing_key import RotateSigningKey
from application.self_audit import SelfAudit
from application.self_check import Schedule, SelfCheck
from application.sessions import Sessions
from application.sign_checkpoints import SignCheckpoint
from application.signing_rounds import SigningRounds
from application.verification import VerifyLedger
from application.verifying import Verifications
from domain.catalogue import CATALOGUE
from domain.entities.replay import Snapshots
from domain.findings.thresholds import Thresholds
from domain.mapper import RecordMapper
from domain.words import Ledger
from projections.activity import ActivityProjection
from projections.batches import Batches
from projections.database import Pool
from projections.entities import EntitiesProjection
from projections.estate_reads import EstateReads
from projections.feed import Feed
from projections.findings import FindingsProjection
from projections.lease import Lease
from projections.merkle import MerkleProjection
from projections.modules import ModulesProjection
from projections.projection import Projection
from projections.proofs import Proofs
from projections.reads import Reads
from projections.rebuild import Rebuild
from projections.runner import Runner
from projections.statuses import StatusesProjection
from projections.table_check import PostgresTableCheck
from projections.tree import Trees
from projections.users import UsersProjection

DRAIN_SECONDS = 30


def projections(thresholds: Thresholds) -> Sequence[Projection]:
    return (
        ActivityProjection(),
        UsersProjection(),
        ModulesProjection(),
        StatusesProjection(),
        MerkleProjection(),
        EntitiesProjection(),
        FindingsProjection(thresholds),
    )


PROJECTIONS = projections(Thresholds())
"""With the thresholds that hold where nobody has set others."""


@dataclass(frozen=True)
class Trail:
    """The use cases and reads, wired to a database."""

    credentials: CredentialStore
    create_credential: CreateCredential
    revoke_credential: RevokeCredential
    self_audit: SelfAudit
    rotate_signing_key: RotateSigningKey
    kept_checkpoints: KeptCheckpoints
    services: Services
    projections: Sequence[Projection]
    projector_pool: Pool
    batches: Batches
    background: "Background"
    keeps_up: bool
    """Whether the background work that one host does for all is done here, too."""

    def rebuild(self, projection: Projection) -> Rebuild:
        return Rebuild(projection, self.projector_pool, self.batches, _holder())


@dataclass(frozen=True)
class Background:
    """What a service does beside answering."""

    runner: Runner
    signing: SigningRounds
    self_check: SelfCheck
    feed: Feed
    builders: Builders
    lost_exports: LostExports
    announcers: Sequence[wake_ups.Announcer]


@asynccontextmanager
async def trail(url: str, settings: Settings) -> AsyncIterator[Trail]:
    """Everything but the server. Raises StoreUnavailable if the database does not answer."""
    async with _pools(url, settings) as pools, AsyncExitStack() as before_pools_close:
        yield await _wired(url, settings, pools, before_pools_close)


@dataclass(frozen=True)
class _Pools:
    """Connections by what they are for."""

    writer: Pool
    projector: Pool
    reader: Pool
    keys: Pool
    """A module's key must not wait behind somebody's long search."""
    feeding: Pool


@asynccontextmanager
async def _pools(url: str, settings: Settings) -> AsyncIterator[_Pools]:
    size = settings.pool_size
    async with (
        open_pool(url, WRITER, size) as writer,
        open_pool(url, PROJECTOR, size) as projector,
        open_pool(url, READER, size) as reader,
        open_pool(url, READER, 2) as keys,
        open_pool(url, READER, 3) as feeding,
    ):
        yield _Pools(writer, projector, reader, keys, feeding)


async def _wired(url: str, settings: Settings, pools: _Pools, before_pools_close: AsyncExitStack) -> Trail:
    appended = wake_ups.Announcer(pools.writer, wake_ups.APPENDED)
    applied = wake_ups.Announcer(pools.projector, wake_ups.APPLIED)
    store = GroupCommit(
        PostgresEventStore(pools.writer, appended.announce),
        most_waiting=settings.max_waiting,
        most_waiting_bytes=settings.max_waiting_bytes,
    )
    before_pools_close.push_async_callback(_drain, store)
    record_commands = RecordCommands(store, CATALOGUE, _now, _new_id, lambda: secrets.token_bytes(16))
    self_audit = SelfAudit(record_commands, _now)
    credentials = PostgresCredentialStore(pools.writer)
    quarantine = PostgresQuarantineStore(pools.writer, pools.projector)
    authenticate = Authenticate(PostgresCredentialStore(pools.keys), _now)
    ledger_reader, mapper = PostgresLedgerRecords(pools.projector), RecordMapper(CATALOGUE)
    batches, all_projections = Batches(ledger_reader, mapper), projections(settings.thresholds)
    reads, proofs = Reads(pools.reader, pools.projector), Proofs(pools.reader)
    trees = Trees(pools.reader, pools.projector)
    last_signed, keys_to_sign = LastSignedFiles(settings.data_dir / "checkpoints"), signing_keys_of(settings)
    checkpoints = PostgresCheckpointStore(pools.writer, pools.reader, pools.projector)
    signer = SignCheckpoint(settings.service_name, trees, checkpoints, last_signed, keys_to_sign, _now)
    kept = KeptCheckpoints(settings.service_name, PostgresCheckpointNotes(pools.reader), last_signed)
    scan = PostgresLedgerScan(pools.projector, url)

    def turn_to_verify(ledger: Ledger) -> Lease:
        return Lease(pools.projector, f"verification of {ledger}", _holder())

    verifications = Verifications(
        VerifyLedger(scan, kept, PostgresTableCheck(all_projections, pools.projector, ledger_reader, mapper)),
        verification_store := PostgresVerificationStore(pools.writer, pools.projector),
        self_audit,
        turn_to_verify,
        _now,
        _new_id,
    )
    before_pools_close.push_async_callback(verifications.stop)
    builders = Builders()
    before_pools_close.push_async_callback(builders.close)
    export_notes = PostgresExportNotes(pools.writer, pools.projector)
    exports = Exports(reads, proofs, trees, signer, builders, CATALOGUE)
    secret = await shared_secret(pools.reader, "cursors")
    feed = Feed(Reads(pools.feeding, pools.projector), event_frame)
    return Trail(
        credentials=credentials,
        create_credential=CreateCredential(credentials, self_audit, _now, secrets.token_hex),
        revoke_credential=RevokeCredential(credentials, self_audit, _now),
        self_audit=self_audit,
        rotate_signing_key=RotateSigningKey(keys_to_sign, self_audit),
        kept_checkpoints=kept,
        services=Services(
            catalogue=CATALOGUE,
            authenticate=authenticate,
            sessions=Sessions(hmac.digest(secret, b"sessions", "sha256"), authenticate, _now),
            record_commands=record_commands,
            appends=store,
            keep_refused=KeepRefused(quarantine, _now, _new_id, settings.max_quarantined),
            retry_quarantined=RetryQuarantined(quarantine, credentials, record_commands, _now),
            quarantine=quarantine,
            self_audit=self_audit,
            reads=reads,
            reconstruct=Reconstruct(PostgresEntityHistory(pools.reader), mapper, _now, Snapshots()),
            estate=EstateReads(reads),
            feed=feed,
            feed_clients=FeedClients(authenticate, _feed_limits(settings)),
            cursors=Cursors(secret),
            proofs=proofs,
            signer=signer,
            verifications=verifications,
            kept_checkpoints=kept,
            ledger=Ledger(settings.ledger),
            export_trail=ExportTrail(exports, self_audit, export_notes, _now, _new_id, settings.max_exports),
            answered=builders.room.leave,
            limits=Limits(settings.max_command_bytes, verification_workers=settings.verification_workers),
            page=Path(__file__).parents[1] / "page" / "dist",
        ),
        projections=all_projections,
        projector_pool=pools.projector,
        batches=batches,
        background=Background(
            runner=Runner(all_projections, pools.projector, batches, _holder(), _tell_of_activity(applied)),
            signing=SigningRounds(signer, Lease(pools.projector, "checkpoints", _holder()), metrics.count_checkpoint),
            self_check=SelfCheck(
                verifications,
                verification_store.heads,
                scan.extent,
                Lease(pools.projector, "self-check", _holder()),
                turn_to_verify,
                _now,
                _schedule(settings),
            ),
            feed=feed,
            builders=builders,
            lost_exports=LostExports(export_notes, self_audit),
            announcers=(appended, applied),
        ),
        keeps_up=settings.background,
    )


def _schedule(settings: Settings) -> Schedule:
    return Schedule(
        settings.self_check_seconds or None,
        settings.self_check_at if settings.self_check_nightly else None,
        settings.verification_workers,
    )


def _feed_limits(settings: Settings) -> FeedLimits:
    pace = Pace(settings.feed_heartbeat_seconds, settings.feed_patience_seconds)
    return FeedLimits(settings.max_feeds, settings.feed_origins, pace)


def _tell_of_activity(announcer: wake_ups.Announcer) -> Callable[[str, Ledger], None]:
    """Announces the ledgers that have new rows in the table from which the feed reads."""

    def tell(projection: str, ledger: Ledger) -> None:
        if projection == ActivityProjection.name:
            announcer.announce(ledger)

    return tell


async def _drain(store: GroupCommit) -> None:
    """Let what was accepted be recorded, be it that nobody waits for the answer any more."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            await store.drain()


def _now() -> datetime:
    return datetime.now(UTC)


def _holder() -> str:
    """Names this process among all that use the database: containers share host names and process ids."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def _new_id() -> str:
    return str(uuid7())
