"""The database that everything is wired to: one that the settings name, or the embedded one."""

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from adapters.embedded import embedded_postgres
from adapters.postgres.schema import (
    SERVICE,
    UpgradeFailed,
    current_version,
    ensure_service_login,
    latest_version,
    migrate,
)
from adapters.settings import Settings
from domain.errors import AuditError, StoreUnavailable


class SchemaOutdated(AuditError):
    """The database is not at the schema of this version."""


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
    """Turn what psycopg or a migration raises into StoreUnavailable, in words that hold no password."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"{database} does not answer: {error}") from error
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None:  # libpq quotes the URL that it cannot read.
            raise StoreUnavailable(f"{database} cannot be reached: its URL is not one of PostgreSQL") from None
        raise StoreUnavailable(f"{database} refuses: {error}") from error
    except (psycopg.Error, UpgradeFailed) as error:
        raise StoreUnavailable(f"{database} refuses: {error}") from error
