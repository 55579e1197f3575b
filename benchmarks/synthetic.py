"""A ledger of any length made by the database itself: of each event only its place and its leaf hash are real."""

import psycopg

from domain.merkle import leaf_hash
from domain.words import Ledger

_EVENTS = """
INSERT INTO audit.events (
    ledger, position, command_id, originator_id, originator_version, topic, recorded_at, record, leaf_hash, chain_hash
)
SELECT %(ledger)s, n, n::text, n::text, 1, 'Synthetic', now(), ''::bytea,
    sha256('\\x00'::bytea || convert_to(n::text, 'UTF8')), '\\x00'::bytea
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""

_HEAD = """
INSERT INTO audit.heads (ledger, position, chain_hash, recorded_at) VALUES (%(ledger)s, %(last)s, '\\x00', now())
ON CONFLICT (ledger) DO UPDATE SET position = EXCLUDED.position, recorded_at = clock_timestamp()
"""


def append_synthetic(url: str, ledger: Ledger, first: int, last: int) -> None:
    """Append the events from one position to another; `url` is the owner's."""
    with psycopg.connect(url) as connection:
        values = {"ledger": ledger, "first": first, "last": last}
        connection.execute(_EVENTS.encode(), values)
        connection.execute(_HEAD.encode(), values)


def leaf(position: int) -> bytes:
    """The leaf hash of the synthetic event at a position."""
    return leaf_hash(str(position).encode())
