"""The port that the workers share."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_port(host: str, port: int) -> Iterator[int]:
    """Hold a port for workers of ours, and for nobody else, without listening on it; 0 takes one that is free.

    Workers bind it with SO_REUSEPORT. Only who has bound it so can share it, and of two strangers who do
    both would get a part of the connections: hence the port is taken alone first and opened to sharing then.
    Raises OSError if it is in use or not ours.
    """
    (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    with socket.socket(family, kind, protocol) as held:
        # What a service that has just ended left in TIME_WAIT is no hindrance; who binds like us later is one.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(address)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        yield held.getsockname()[1]
