"""Queries for exports: the events that `activity` finds, with what the ledger has of each, page by page.

A page is bounded in rows and in bytes. Everything up to a position never changes, so pages that are read one after the
other, each in a short transaction, are one consistent view of it.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TypeAlias

from domain import evidence_page
from domain.errors import AuditError
from domain.evidence_page import EvidencePage
from domain.words import Order, Position
from projections.activity_query import SCAN, Query, by_position_sql, newest_places
from projections.database import Connection
from projections.statement import Statement

PAGE_ROWS = 1_000
PAGE_BYTES = 2 * 1024 * 1024

Keyset: TypeAlias = tuple[datetime, Position]

_FOUND = "occurred_at, position"
# The page is found first, and what the ledger has of it is looked up, in one go down the index instead of one for each
# event; one event is given however long it is. It comes as a few long texts, since a row for each event would cost the
# server as much as all else that it does.
_WITH_EVIDENCE = """
WITH found AS MATERIALIZED ({found}),
wanted AS MATERIALIZED (SELECT array_agg(position) AS positions FROM found)
SELECT
    min(position) FILTER (WHERE record IS NULL) AS lost,
    bool_and(octet_length(leaf_hash) = 32 AND octet_length(chain_hash) = 32) AS fits,
    min(occurred_at) AS earliest,
    string_agg(int8send(position), '') AS positions,
    string_agg(int4send(octet_length(record)), '') AS record_lengths,
    string_agg(record, '') AS records,
    string_agg(int4send(coalesce(octet_length(personal), {nothing})), '') AS personal_lengths,
    coalesce(string_agg(personal, ''), '') AS personal,
    string_agg(leaf_hash, '') AS leaf_hashes,
    string_agg(chain_hash, '') AS chain_hashes
FROM (
    SELECT occurred_at, position, record, personal, leaf_hash, chain_hash FROM (
        SELECT found.occurred_at, position, record, personal, leaf_hash, chain_hash,
            sum(bytes) OVER ({order}) - bytes AS bytes_before
        FROM found LEFT JOIN (
            SELECT position, record, personal, leaf_hash, chain_hash FROM audit.ledger_events
            WHERE position = ANY ((SELECT positions FROM wanted)::bigint[])
        ) AS event USING (position)
        CROSS JOIN LATERAL (VALUES (octet_length(record) + coalesce(octet_length(personal), 0))) AS size (bytes)
    ) AS measured
    WHERE bytes_before IS NULL OR bytes_before < {bytes} {order}
) AS in_order
"""
_ORDERS = {Order.OCCURRED: "ORDER BY occurred_at DESC, position DESC", Order.RECORDED: "ORDER BY position"}


class LedgerDamaged(AuditError):
    """The ledger has no event that it once had."""


@dataclass(frozen=True)
class ExportPage:
    rows: EvidencePage | None
    """None if there is none."""
    goes_on: Keyset | None
    """Where the next page begins; None if there is none."""


async def page(
    connection: Connection, query: Query, order: Order, after: Keyset | None, most: int = PAGE_ROWS
) -> ExportPage:
    """At most so many events behind a keyset, up to `until` of the query, which must be given. Raises LedgerDamaged."""
    assert query.until is not None
    statement = Statement()
    if order is Order.OCCURRED:
        found, _ = await newest_places(connection, statement, query, after, most)
        behind_empty = None
    else:
        begin = after[1] if after is not None else Position(0)
        stretch = begin, Position(min(query.until, begin + SCAN))
        found = by_position_sql(statement, query, stretch, most, _FOUND)
        behind_empty = (_NO_TIME, stretch[1]) if stretch[1] < query.until else None
    sql = _WITH_EVIDENCE.format(
        found=found, order=_ORDERS[order], bytes=statement.add(PAGE_BYTES), nothing=evidence_page.NOTHING
    )
    row = await connection.fetchrow(sql, *statement.arguments)
    assert row is not None
    if row["lost"] is not None:
        raise LedgerDamaged(f"the event at position {row['lost']} is not in the ledger any more")
    if row["positions"] is None:
        return ExportPage(None, behind_empty)
    if not row["fits"]:
        raise LedgerDamaged("an event of the ledger has a hash that is none; `certinext-audit verify` says which")
    rows = EvidencePage(*(row[name] for name in _OF_PAGE))
    # In the order of time the last row is the earliest; in that of positions its time does not count.
    return ExportPage(rows, (row["earliest"], Position(rows.numbers()[-1])))


_OF_PAGE = [field.name for field in fields(EvidencePage)]
_NO_TIME = datetime.min.replace(tzinfo=UTC)
"""Of a keyset in the order of positions only the position counts."""
