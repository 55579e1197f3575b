"""The one place where everything is wired."""

from adapters.bootstrap.databases import NoDatabaseHere, SchemaOutdated, database, migrate_database
from adapters.bootstrap.serving import CannotListen, following, listening, serve, server, stop_signal
from adapters.bootstrap.wiring import PROJECTIONS, Trail, projections, trail

__all__ = [
    "PROJECTIONS",
    "CannotListen",
    "NoDatabaseHere",
    "SchemaOutdated",
    "Trail",
    "database",
    "following",
    "listening",
    "migrate_database",
    "projections",
    "serve",
    "server",
    "stop_signal",
    "trail",
]
