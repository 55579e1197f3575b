"""Running a version's SQL."""

from pathlib import Path

from alembic import op


def run_beside(version: str) -> None:
    """Execute the file of SQL that lies beside this version's module, whole."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(Path(version).with_suffix(".sql").read_text())
