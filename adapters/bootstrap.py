"""The one place where everything is wired."""

import asyncio
import hmac
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from aiohttp import web
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError
from uuid_utils import uuid7

from adapters.embedded import embedded_postgres
from adapters.http import metrics
from adapters.http.app import build_app
from adapters.http.cursor import Cursors
from adapters.http.services import Limits, Services
from adapters.postgres import wake_ups
from adapters.postgres.checkpoint_store import PostgresCheckpointStore
from adapters.postgres.connections import CLOSE_SECONDS, PROJECTOR, READER, WRITER, open_pool, shared_secret
from adapters.postgres.credential_store import CHANGED, PostgresCredentialStore
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.quarantine_store import PostgresQuarantineStore
from adapters.postgres.schema import SERVICE, current_version, ensure_service_login, latest_version, migrate
from adapters.settings import Settings
from adapters.signing import LastSignedFiles, signing_keys_of
from application.credentials import Authenticate, CreateCredential, RevokeCredential
from application.group_commit import GroupCommit
from application.ports import CredentialStore
from application.quarantine import KeepRefused, RetryQuarantined
from application.record_commands import RecordCommands
from application.rotate_signing_key import RotateSigningKey
from application.self_audit import SelfAudit
from application.sessions import Sessions
from application.sign_checkpoints import SignCheckpoint
from application.signing_rounds import SigningRounds
from domain.catalogue import CATALOGUE
from domain.errors import AuditError, StoreUnavailable
from domain.mapper import RecordMapper
from domain.words import Ledger
from projections.activity import ActivityProjection
from projections.batches import Batches
from projections.database import Pool, translated_errors
from projections.lease import Lease
from projections.merkle import MerkleProjection
from projections.modules import ModulesProjection
from projections.projection import Projection
from projections.proofs import Proofs
from projections.reads import Reads
from projections.rebuild import Rebuild
from projections.runner import Runner
from projections.statuses import StatusesProjection
from projections.tree import Trees
from projections.users import UsersProjection

PROJECTIONS: Sequence[Projection] = (
    ActivityProjection(),
    UsersProjection(),
    ModulesProjection(),
    StatusesProjection(),
    MerkleProjection(),
)

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
    announcer: wake_ups.Announcer
    projector_pool: Pool
    batches: Batches
    rotate_signing_key: RotateSigningKey
    signing: SigningRounds
    pools: Sequence[Pool]
    """All connections that these use."""

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
        AsyncExitStack() as before_pools_close,
    ):
        announcer = wake_ups.Announcer(writer)
        store = GroupCommit(
            PostgresEventStore(writer, lambda _: announcer.announce()),
            most_waiting=settings.max_waiting,
            most_waiting_bytes=settings.max_waiting_bytes,
        )
        before_pools_close.push_async_callback(_drain, store)
        record_commands = RecordCommands(store, CATALOGUE, _now, lambda: str(uuid7()), lambda: secrets.token_bytes(16))
        self_audit = SelfAudit(record_commands, _now)
        credentials = PostgresCredentialStore(writer)
        quarantine = PostgresQuarantineStore(writer, projector)
        authenticate = Authenticate(PostgresCredentialStore(keys), _now)
        secret = await shared_secret(reader, "cursors")
        batches = Batches(PostgresEventStore(projector, lambda _: None), RecordMapper(CATALOGUE))
        trees = Trees(reader, projector)
        checkpoints = PostgresCheckpointStore(writer, reader, projector)
        last_signed = LastSignedFiles(settings.data_dir / "checkpoints")
        keys_to_sign = signing_keys_of(settings)
        signer = SignCheckpoint(settings.service_name, trees, checkpoints, last_signed, keys_to_sign, _now)
        yield Trail(
            credentials,
            CreateCredential(credentials, self_audit, _now, secrets.token_hex),
            RevokeCredential(credentials, self_audit, _now),
            self_audit,
            Services(
                CATALOGUE,
                authenticate,
                Sessions(hmac.digest(secret, b"sessions", "sha256"), authenticate, _now),
                record_commands,
                store,
                KeepRefused(quarantine, _now, lambda: str(uuid7()), settings.max_quarantined),
                RetryQuarantined(quarantine, credentials, record_commands, _now),
                quarantine,
                self_audit,
                Reads(reader, projector),
                Cursors(secret),
                Proofs(reader),
                signer,
                Ledger(settings.ledger),
                Limits(command_bytes=settings.max_command_bytes),
                Path(__file__).parent / "page" / "dist",
            ),
            Runner(PROJECTIONS, projector, batches, _holder()),
            announcer,
            projector,
            batches,
            RotateSigningKey(keys_to_sign, self_audit),
            SigningRounds(
                signer,
                Lease(projector, "checkpoints", _holder()),
                metrics.count_checkpoint,
            ),
            (writer, projector, reader, keys),
        )


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
            tasks.create_task(work)
            for work in (wired.runner.run(), wired.signing.run(), wired.announcer.run(), wake_ups.listen(url, heard))
        ]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            _, lingering = await asyncio.wait(running, timeout=CLOSE_SECONDS)
            for pool in wired.pools if lingering else ():
                pool.terminate()


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
