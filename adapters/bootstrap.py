"""The one place where everything is wired."""

import asyncio
import hmac
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from aiohttp import web
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError
from uuid_utils import uuid7

from adapters.embedded import embedded_postgres
from adapters.exports.builder import Builders
from adapters.exports.exporter import Exports
from adapters.http import metrics
from adapters.http.app import build_app
from adapters.http.cursor import Cursors
from adapters.http.feed.client import Pace
from adapters.http.feed.clients import FeedClients, FeedLimits
from adapters.http.feed.protocol import event_frame
from adapters.http.services import Limits, Services
from adapters.postgres import wake_ups
from adapters.postgres.checkpoint_notes import PostgresCheckpointNotes
from adapters.postgres.checkpoint_store import PostgresCheckpointStore
from adapters.postgres.connections import CLOSE_SECONDS, PROJECTOR, READER, WRITER, open_pool, shared_secret
from adapters.postgres.credential_store import CHANGED, PostgresCredentialStore
from adapters.postgres.entity_history import PostgresEntityHistory
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.ledger_scan import PostgresLedgerScan
from adapters.postgres.quarantine_store import PostgresQuarantineStore
from adapters.postgres.schema import SERVICE, current_version, ensure_service_login, latest_version, migrate
from adapters.postgres.verification_store import PostgresVerificationStore
from adapters.settings import Settings
from adapters.signing import LastSignedFiles, signing_keys_of
from application.credentials import Authenticate, CreateCredential, RevokeCredential
from application.export_trail import ExportTrail
from application.group_commit import GroupCommit
from application.kept_checkpoints import KeptCheckpoints
from application.ports import CredentialStore
from application.quarantine import KeepRefused, RetryQuarantined
from application.reconstruct import Reconstruct
from application.record_commands import RecordCommands
from application.rotate_signing_key import RotateSigningKey
from application.self_audit import SelfAudit
from application.self_check import Schedule, SelfCheck
from application.sign_checkpoints import SignCheckpoint
from application.signing_rounds import SigningRounds
from application.verification import VerifyLedger
from application.verifying import Verifications
from domain.catalogue import CATALOGUE
from domain.entities.replay import Snapshots
from domain.errors import AuditError, StoreUnavailable
from domain.findings.thresholds import Thresholds
from domain.mapper import RecordMapper
from domain.words import Ledger
from projections.activity import ActivityProjection
from projections.batches import Batches
from projections.database import Pool, translated_errors
from projections.entities import EntitiesProjection
from projections.estate_reads import EstateReads
from projections.findings import FindingsProjection
from projections.lease import Lease
from projections.merkle import MerkleProjection
from projections.feed import Feed
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

_DRAIN_SECONDS = 30


class SchemaOutdated(AuditError):
    """The database is not at the schema of this version."""


class CannotListen(AuditError):
    """The address to listen on is not free, or not ours."""


class NoDatabaseHere(AuditError):
    """There is no embedded database in the data folder, and it is not for this command to begin one."""


def _begin_none(folder: Path) -> None:
    raise NoDatabaseHere(
        f"There is no database in {folder}: set CERTINEXT_AUDIT_DATA_DIR to the data folder of the service, or "
        "CERTINEXT_AUDIT_DATABASE_URL to its PostgreSQL. Only serve, demo and migrate begin a new one."
    )


@contextmanager
def database(settings: Settings, begin: Callable[[Path], None] = _begin_none) -> Iterator[str]:
    """The URL of the database named in the settings, or of the embedded one, which is migrated as needed.

    `begin` is told the data folder before an embedded database is begun in it, and refuses unless it is given.

    Raises NoDatabaseHere then, SchemaOutdated for a database of somebody's own that is not at this version's schema,
    StoreUnavailable if it does not answer, and EmbeddedPostgresError if the embedded one does not start.
    """
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        with _told(_THEIRS):
            version = current_version(url)
        if version != latest_version():
            raise SchemaOutdated(
                f"The database is at schema version {version or 'none'}, and this version of the service needs "
                f"{latest_version()}: run `certinext-audit migrate` of the same version as the service."
            )
        yield url
        return
    with embedded_postgres(settings.data_dir, begin=begin) as embedded:
        password = hmac.digest(embedded.password.encode(), SERVICE.encode(), "sha256").hex()
        with _told(f"The embedded database in {settings.data_dir}"):
            if current_version(embedded.url()) != latest_version():
                migrate(embedded.url())
            ensure_service_login(embedded.url(), password)
        yield replace(embedded, user=SERVICE, password=password).url()


def migrate_database(settings: Settings, begin: Callable[[Path], None]) -> str:
    """Bring the database to the schema of this version and return that. Raises as `database` does."""
    if settings.database_url is None:
        with database(settings, begin):
            return latest_version()
    with _told(_THEIRS):
        return migrate(settings.database_url.get_secret_value())


_THEIRS = "The database of CERTINEXT_AUDIT_DATABASE_URL"


@contextmanager
def _told(database: str) -> Iterator[None]:
    """Turn what psycopg or alembic raise into StoreUnavailable, in words that hold no password."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"{database} does not answer: {error}") from error
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None:  # libpq quotes the URL that it cannot read.
            raise StoreUnavailable(f"{database} cannot be reached: its URL is not one of PostgreSQL") from None
        raise StoreUnavailable(f"{database} refuses: {error}") from error
    except (psycopg.Error, SQLAlchemyError, CommandError) as error:
        raise StoreUnavailable(f"{database} refuses: {error}") from error


@dataclass(frozen=True)
class Trail:
    """The use cases and reads, wired to a database."""

    credentials: CredentialStore
    create_credential: CreateCredential
    revoke_credential: RevokeCredential
    self_audit: SelfAudit
    services: Services
    runner: Runner
    feed: Feed
    announcers: Sequence[wake_ups.Announcer]
    projector_pool: Pool
    batches: Batches
    rotate_signing_key: RotateSigningKey
    signing: SigningRounds
    kept_checkpoints: KeptCheckpoints
    self_check: SelfCheck
    projections: Sequence[Projection]
    builders: Builders

    def rebuild(self, projection: Projection) -> Rebuild:
        return Rebuild(projection, self.projector_pool, self.batches, _holder())


@asynccontextmanager
async def trail(url: str, settings: Settings) -> AsyncIterator[Trail]:
    """Everything but the server. Raises StoreUnavailable if the database does not answer."""
    size = settings.pool_size
    async with (
        open_pool(url, WRITER, size) as writer,
        open_pool(url, PROJECTOR, size) as projector,
        open_pool(url, READER, size) as reader,
        # Of their own: a module's key must not wait behind somebody's long search.
        open_pool(url, READER, 2) as keys,
        open_pool(url, READER, 3) as feeding,
        AsyncExitStack() as before_pools_close,
    ):
        announcer = wake_ups.Announcer(writer)
        store = GroupCommit(
            PostgresEventStore(writer, lambda _: announcer.announce()),
            most_waiting=settings.max_waiting,
            most_waiting_bytes=settings.max_waiting_bytes,
        )
        appended = wake_ups.Announcer(writer, wake_ups.APPENDED)
        applied = wake_ups.Announcer(projector, wake_ups.APPLIED)
        store = GroupCommit(PostgresEventStore(writer, appended.announce), settings.max_waiting)
        before_pools_close.push_async_callback(_drain, store)
        record_commands = RecordCommands(store, CATALOGUE, _now, lambda: str(uuid7()), lambda: secrets.token_bytes(16))
        self_audit = SelfAudit(record_commands, _now)
        credentials = PostgresCredentialStore(writer)
        quarantine = PostgresQuarantineStore(writer, projector)
        ledger_reader, mapper = PostgresEventStore(projector, lambda _: None), RecordMapper(CATALOGUE)
        batches = Batches(ledger_reader, mapper)
        trees = Trees(reader, projector)
        checkpoints = PostgresCheckpointStore(writer, reader, projector)
        last_signed = LastSignedFiles(settings.data_dir / "checkpoints")
        keys_to_sign = signing_keys_of(settings)
        signer = SignCheckpoint(settings.service_name, trees, checkpoints, last_signed, keys_to_sign, _now)
        kept = KeptCheckpoints(settings.service_name, PostgresCheckpointNotes(reader), last_signed)
        scan = PostgresLedgerScan(projector, url)
        all_projections = projections(settings.thresholds)
        tables = PostgresTableCheck(all_projections, projector, ledger_reader, mapper)
        verification_store = PostgresVerificationStore(writer, projector)

        def turn_to_verify(ledger: Ledger) -> Lease:
            return Lease(projector, f"verification of {ledger}", _holder())

        verifications = Verifications(
            VerifyLedger(scan, kept, tables), verification_store, self_audit, turn_to_verify, _now, lambda: str(uuid7())
        )
        before_pools_close.push_async_callback(verifications.stop)
        reads, proofs = Reads(reader, projector), Proofs(reader)
        builders = Builders()
        before_pools_close.push_async_callback(builders.close)
        exports = Exports(reads, proofs, trees, signer, builders, CATALOGUE)
        batches = Batches(PostgresEventStore(projector, lambda _: None), RecordMapper(CATALOGUE))
        authenticate = Authenticate(PostgresCredentialStore(keys), _now)
        feed = Feed(Reads(feeding, projector), event_frame)
        yield Trail(
            credentials,
            CreateCredential(credentials, self_audit, _now, secrets.token_hex),
            RevokeCredential(credentials, self_audit, _now),
            self_audit,
            Services(
                CATALOGUE,
                authenticate,
                record_commands,
                store,
                KeepRefused(quarantine, _now, lambda: str(uuid7()), settings.max_quarantined),
                RetryQuarantined(quarantine, credentials, record_commands, _now),
                quarantine,
                self_audit,
                reads,
                Reconstruct(PostgresEntityHistory(reader), mapper, _now, Snapshots()),
                EstateReads(reads),
                Reads(reader, projector),
                feed,
                FeedClients(authenticate, _feed_limits(settings)),
                Cursors(await shared_secret(reader, "cursors")),
                proofs,
                signer,
                verifications,
                Ledger(settings.ledger),
                ExportTrail(exports, self_audit, _now, lambda: str(uuid7()), settings.max_exports),
                Limits(settings.max_command_bytes, verification_workers=settings.verification_workers),
            ),
            Runner(all_projections, projector, batches, _holder()),
            announcer,
            Runner(PROJECTIONS, projector, batches, _holder(), _tell_of_activity(applied)),
            feed,
            (appended, applied),
            projector,
            batches,
            RotateSigningKey(keys_to_sign, self_audit),
            SigningRounds(
                signer,
                Lease(projector, "checkpoints", _holder()),
                metrics.count_checkpoint,
            ),
            kept,
            SelfCheck(
                verifications,
                verification_store.ledgers,
                scan.extent,
                Lease(projector, "self-check", _holder()),
                turn_to_verify,
                _now,
                _schedule(settings),
            ),
            all_projections,
            builders,
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
        async with asyncio.timeout(_DRAIN_SECONDS):
            await store.drain()


@asynccontextmanager
async def server(url: str, settings: Settings, *, shared_port: bool = False) -> AsyncIterator[tuple[Trail, str]]:
    """The running service and its address; on leaving it finishes what it has accepted."""
    async with trail(url, settings) as wired:
        with translated_errors():
            await wired.runner.make_tables()
        runner = web.AppRunner(build_app(wired.services), access_log=None, shutdown_timeout=_DRAIN_SECONDS)
        await runner.setup()
        try:
            with listening(settings):
                await web.TCPSite(runner, settings.host, settings.port, reuse_port=shared_port).start()
            async with _background(wired, url):
                yield wired, _address(runner)
                await runner.cleanup()
                await wired.signing.finish()
        finally:
            await runner.cleanup()


@asynccontextmanager
async def following(url: str, settings: Settings) -> AsyncIterator[Trail]:
    """The trail with its projectors at work and no server: what others append comes into the tables, and is heard of.

    Raises StoreUnavailable if the database does not answer at the start.
    """
    async with trail(url, settings) as wired:
        with translated_errors():
            await wired.runner.make_tables()
        async with _background(wired, url):
            yield wired


@contextmanager
def listening(settings: Settings) -> Iterator[None]:
    """Turn the error of a socket that cannot be bound into CannotListen."""
    try:
        yield
    except OSError as error:
        raise CannotListen(
            f"The service cannot listen on {settings.host}, port {settings.port}: {error.strerror}. "
            "Set CERTINEXT_AUDIT_HOST and CERTINEXT_AUDIT_PORT."
        ) from error


@asynccontextmanager
async def _background(wired: Trail, url: str) -> AsyncIterator[None]:
    """The projectors and their wake-ups; they end with the block, and the block with them if they fail.

    Their last statements have seconds only: a lock or a database that hangs does not keep the service from ending.
    """

    def appended() -> None:
        wired.runner.wake()
        wired.signing.wake()

    heard = {wake_ups.APPENDED: appended, CHANGED: wired.services.authenticate.forget}
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(_ended_in_time(work))
            for work in (
                wired.runner.run(),
                wired.signing.run(),
                wired.self_check.run(),
                wired.announcer.run(),
                wake_ups.listen(url, heard),
                wired.builders.warm_up(),
            )
        ]
    """Projectors, clients of the feed and wake-ups; they end with the block, and the block with them if they fail."""

    def credentials_changed(_: str) -> None:
        wired.services.authenticate.forget()
        wired.services.feed_clients.credentials_changed()

    heard: dict[str, Callable[[str], None]] = {
        wake_ups.APPENDED: wired.runner.wake,
        wake_ups.APPLIED: wired.feed.wake,
        CHANGED: credentials_changed,
    }
    works = [wired.runner.run(), wired.services.feed_clients.run(), wake_ups.listen(url, heard)]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work) for work in (*works, *(one.run() for one in wired.announcers))]
        yield
        for task in running:
            task.cancel()


async def _ended_in_time(work: Coroutine[Any, Any, None]) -> None:
    """Run work; once we are cancelled it has seconds to end, and is left to the end of the loop after that.

    To wait for it would be to wait for the database: a driver that has asked for a cancellation waits for its answer.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task], timeout=CLOSE_SECONDS)
        raise


async def serve(url: str, settings: Settings, on_ready: Callable[[str], None], *, shared_port: bool = False) -> None:
    """Run the service until the process is told to stop (SIGTERM or SIGINT)."""
    stop = stop_signal()
    async with server(url, settings, shared_port=shared_port) as (_, address):
        on_ready(address)
        await stop.wait()


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _now() -> datetime:
    return datetime.now(UTC)


def _holder() -> str:
    """Names this process among all that use the database: containers share host names and process ids."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
