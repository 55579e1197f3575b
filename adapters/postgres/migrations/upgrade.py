"""Running alembic; each version is named by the number that its file begins with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from adapters.postgres.schema import UpgradeFailed


def upgrade(url: str) -> None:
    """Bring the database to the latest version. Raises psycopg.Error or UpgradeFailed with the server's reason."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    try:
        with _connected(url) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except (SQLAlchemyError, CommandError) as error:
        raise UpgradeFailed(str(error)) from error


@contextmanager
def _connected(url: str) -> Iterator[sqlalchemy.Connection]:
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=sqlalchemy.NullPool
    )
    with engine.connect() as connection:
        yield connection
