"""What an operator sets, in the environment: `CERTINEXT_AUDIT_*`."""

from datetime import time, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.findings.thresholds import Thresholds

Origin = Annotated[str, Field(pattern=r"^https?://[^/?#\s]+$")]


def _of_list(value: object) -> object:
    return [one.strip() for one in value.split(",")] if isinstance(value, str) else value


class Settings(BaseSettings):
    """The settings, each with its default."""

    model_config = SettingsConfigDict(env_prefix="CERTINEXT_AUDIT_", env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: SecretStr | None = None
    """The PostgreSQL to use; without it an embedded one runs in the data folder."""
    data_dir: Path = Path("data")
    """Where the embedded PostgreSQL keeps its data, and the service its signing key and the last checkpoints."""
    service_name: Annotated[str, Field(max_length=200, pattern=r"^[^\s+\x00-\x1f]+$")] = "certinext-audit"
    """What the origins of checkpoints and the names of their keys begin with: `<service name>/<ledger>`."""
    signing_key: SecretStr | None = None
    """The Ed25519 key that signs checkpoints, in PEM (PKCS #8); all hosts need the same."""
    signing_key_file: Path | None = None
    """A file with this key; without either one is made in the data folder."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    background: bool = True
    """Whether this host keeps read tables, signs checkpoints and checks itself; where it does not, others must."""
    ledger: str = "default"
    """The ledger that the command line works on."""
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    max_command_bytes: Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)] = 1024 * 1024
    """The largest command that is accepted."""
    max_waiting: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    """How many commands may wait to be recorded; beyond it the answer is 503."""
    max_waiting_bytes: Annotated[int, Field(ge=1024 * 1024, le=4 * 1024**3)] = 64 * 1024 * 1024
    """How many bytes they may have together."""
    max_quarantined: Annotated[int, Field(ge=0, le=100_000_000)] = 100_000
    """How many refused commands are kept for each ledger; beyond it they are counted only."""
    self_check_seconds: Annotated[float, Field(ge=0, le=86_400)] = 60
    """How often the service verifies what is new in each ledger; 0 for never."""
    self_check_nightly: bool = True
    """Whether it verifies everything each night."""
    self_check_at: time = time(3)
    """When that is, in UTC."""
    verification_workers: Annotated[int, Field(ge=1, le=64)] = 1
    """How many processes a verification in the service takes; the command line takes all cores."""
    finding_failed_log_ins: Annotated[int, Field(ge=2, le=100)] = 10
    """So many failed log-ins of one account are a finding, if they come ..."""
    finding_failed_log_ins_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 15
    """... within so many minutes."""
    finding_habit_days: Annotated[int, Field(ge=1, le=1000)] = 20
    """On so many days somebody must have been seen before administration at unusual hours is a finding."""
    finding_habit_percent: Annotated[int, Field(ge=1, le=100)] = 5
    """An hour is usual for somebody who was seen in it on so many of a hundred days."""
    finding_clock_ahead_seconds: Annotated[int, Field(ge=1, le=24 * 3600)] = 120
    """How far ahead of ours the clock of a source may be."""
    finding_late_minutes: Annotated[int, Field(ge=1, le=366 * 24 * 60)] = 60
    """How much later than is usual for its source an event may come."""
    max_exports: Annotated[int, Field(ge=1, le=100)] = 2
    """How many exports run at once in each process; beyond it the answer is 503."""
    max_feeds: Annotated[int, Field(ge=1, le=100_000)] = 100
    """How many connections to the live feed one credential may have, in each process."""
    feed_origins: Annotated[frozenset[Origin], NoDecode, BeforeValidator(_of_list)] = frozenset()
    """Origins, parted by commas, of other sites whose pages may follow the live feed."""
    feed_heartbeat_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 15.0
    """How long the live feed is silent before it says how far it is."""
    feed_patience_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 60.0
    """How long a client of the live feed may stall, or not answer, before it is closed."""
    pool_size: Annotated[int, Field(ge=1, le=100)] = 8
    """How many connections to the database each role has."""

    @property
    def thresholds(self) -> Thresholds:
        """From where on something is worth a finding."""
        return Thresholds(
            self.finding_failed_log_ins,
            timedelta(minutes=self.finding_failed_log_ins_minutes),
            self.finding_habit_days,
            self.finding_habit_percent,
            timedelta(seconds=self.finding_clock_ahead_seconds),
            timedelta(minutes=self.finding_late_minutes),
        )
