"""How a client reaches the embedded PostgreSQL, and whether it answers."""

import enum
import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

_PROTOCOL_3 = 196608
_PROBE_TIMEOUT = 5.0
_CANNOT_CONNECT_NOW = b"C57P03\0"


class Readiness(enum.Enum):
    ABSENT = enum.auto()
    RECOVERING = enum.auto()
    READY = enum.auto()


@dataclass(frozen=True)
class EmbeddedDatabase:
    """Where the database listens (a Unix socket in the folder `host`) and how to sign in."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str

    def url(self, database: str | None = None) -> str:
        """A URL that libpq (psycopg, psql) and asyncpg read alike; `database` defaults to our own."""
        credentials = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        place = urlencode({"host": self.host, "port": self.port}, safe="/", quote_via=quote)
        return f"postgresql://{credentials}@/{quote(database or self.database, safe='')}?{place}"

    def readiness(self) -> Readiness:
        """Ask as a client would, up to the demand for a password, which a server makes only once it is open.

        A connection alone proves nothing: the socket already listens while the server recovers or stops.
        See "Start-up" in the chapter "Message Flow" of PostgreSQL's protocol documentation.
        """
        parameters = f"user\0{self.user}\0database\0{self.database}\0\0".encode()
        start_up = struct.pack("!ii", len(parameters) + 8, _PROTOCOL_3) + parameters
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PROBE_TIMEOUT)
            try:
                connection.connect(str(Path(self.host) / f".s.PGSQL.{self.port}"))
                connection.sendall(start_up)
                answer = connection.recv(1024)
            except OSError:
                return Readiness.ABSENT
        if not answer:
            return Readiness.ABSENT
        return Readiness.RECOVERING if _CANNOT_CONNECT_NOW in answer else Readiness.READY
