"""What a generation of read tables was made by, so that another version of that fills the next."""

from adapters.postgres.migrations.sql import run_beside

revision = "0009"
down_revision = "0003"


def upgrade() -> None:
    run_beside(__file__)
