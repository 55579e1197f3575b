"""Signed checkpoints, the keys that signed them, and the alarm of a signer that refuses."""

from adapters.postgres.migrations.sql import run_beside

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_beside(__file__)
