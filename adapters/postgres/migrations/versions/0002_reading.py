"""The projectors' own tables."""

from adapters.postgres.migrations.sql import run_beside

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_beside(__file__)
