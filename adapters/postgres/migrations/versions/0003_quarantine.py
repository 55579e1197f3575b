"""The quarantine: what modules sent and nobody could understand."""

from adapters.postgres.migrations.sql import run_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_beside(__file__)
