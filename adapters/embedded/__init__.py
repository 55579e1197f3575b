"""A PostgreSQL of our own for who names none, in one data folder, shared by all commands that use it.

A guardian process (`guardian`) runs the server while any client (`client`) is there. Locks tell it so, which
the kernel releases: nothing is left running when clients or the guardian are killed.
"""

from adapters.embedded.client import embedded_postgres
from adapters.embedded.database import EmbeddedDatabase
from adapters.embedded.errors import EmbeddedPostgresError

__all__ = ["EmbeddedDatabase", "EmbeddedPostgresError", "embedded_postgres"]
