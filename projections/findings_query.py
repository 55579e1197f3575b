"""Queries of the read table `findings`; the connection must be bound to a ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import asyncpg
from pydantic import Field

from domain import canonical
from domain.filters import EntityKey
from domain.findings.finding import Rule, Severity
from domain.findings.rules import RULES
from domain.span import Span
from domain.values import Identifier, JsonObject, Timestamp, rfc3339
from domain.words import FindingStatus
from projections.database import Connection
from projections.statement import Statement, where

_COLUMNS = (
    "finding_id, rule, rule_version, severity, status, subject_type, subject_id, actor_id, words, evidence, "
    "first_occurred_at, last_occurred_at, position, remark"
)
_BY_NAME: dict[str, Rule] = {rule.name: rule for rule in RULES}


class FindingFilter(Span):
    """Which findings are wanted."""

    rule: Annotated[tuple[Identifier, ...], Field(description="The rule, as `key_outside_ceremony`.")] = ()
    severity: tuple[Severity, ...] = ()
    status: Annotated[
        tuple[FindingStatus, ...],
        Field(description="`open`, `acknowledged`, or `withdrawn` when a late report explained it."),
    ] = ()
    entity: Annotated[tuple[EntityKey, ...], Field(description="What it is about, as `key:k-1`.")] = ()
    actor: Annotated[tuple[Identifier, ...], Field(description="The id of the actor of its last event.")] = ()
    from_: Annotated[
        Timestamp | None, Field(alias="from", description="Findings whose first event occurred at this time or later.")
    ] = None
    to: Annotated[Timestamp | None, Field(description="Findings whose first event occurred before this time.")] = None


@dataclass(frozen=True)
class FindingRow:
    """A finding as it stands."""

    id: str
    rule: str
    actor_id: str | None
    subject: tuple[str, str]
    positions: frozenset[int]
    first_occurred_at: datetime
    row: asyncpg.Record

    @classmethod
    def of(cls, row: asyncpg.Record) -> "FindingRow":
        evidence: Any = canonical.decode(row["evidence"].encode())
        return cls(
            row["finding_id"],
            row["rule"],
            row["actor_id"],
            (row["subject_type"], row["subject_id"]),
            frozenset(position for position, _ in evidence),
            row["first_occurred_at"],
            row,
        )

    def as_json(self) -> JsonObject:
        row = self.row
        rule = _BY_NAME.get(self.rule)
        evidence: Any = canonical.decode(row["evidence"].encode())
        return {
            "finding_id": self.id,
            "rule": self.rule,
            "rule_version": row["rule_version"],
            "title": rule.title if rule else self.rule,
            "severity": row["severity"],
            "status": row["status"],
            "entity": {"type": self.subject[0], "id": self.subject[1]},
            "actor_id": self.actor_id,
            "words": row["words"],
            "controls": [*rule.controls] if rule else [],
            "evidence": [{"position": position, "event_id": event_id} for position, event_id in evidence],
            "first_occurred_at": rfc3339(row["first_occurred_at"]),
            "last_occurred_at": rfc3339(row["last_occurred_at"]),
            "position": row["position"],
            "remark": None if row["remark"] is None else canonical.decode(row["remark"].encode()),
        }


async def find(
    connection: Connection, wanted: FindingFilter, before: tuple[datetime, str] | None, limit: int
) -> list[FindingRow]:
    """A page of findings, by when their first event occurred, newest first."""
    statement = Statement()
    conditions = list(_conditions(statement, wanted))
    if before is not None:
        occurred_at, finding_id = before
        conditions.append(
            f"(first_occurred_at, finding_id) < ({statement.add(occurred_at)}, {statement.add(finding_id)})"
        )
    sql = (
        f"SELECT {_COLUMNS} FROM reading.findings {where(conditions)} "
        f"ORDER BY first_occurred_at DESC, finding_id DESC LIMIT {statement.add(limit)}"
    )
    return [FindingRow.of(row) for row in await connection.fetch(sql, *statement.arguments)]


async def by_id(connection: Connection, finding_id: str) -> FindingRow | None:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM reading.findings WHERE finding_id = $1", finding_id)
    return None if row is None else FindingRow.of(row)


async def about(
    connection: Connection, entities: Sequence[tuple[str, str]], actors: Sequence[str], most: int
) -> list[FindingRow]:
    """Findings about any of these entities or actors, the oldest first."""
    kinds, ids = [list(column) for column in zip(*entities, strict=True)] or [[], []]
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM reading.findings WHERE actor_id = ANY($3::text[]) OR (subject_type, subject_id) IN "
        "(SELECT * FROM unnest($1::text[], $2::text[])) ORDER BY first_occurred_at, finding_id LIMIT $4",
        kinds,
        ids,
        list(actors),
        most,
    )
    return [FindingRow.of(row) for row in rows]


def _conditions(statement: Statement, wanted: FindingFilter) -> Iterable[str]:
    for column, values in (
        ("rule", wanted.rule),
        ("severity", wanted.severity),
        ("status", wanted.status),
        ("actor_id", wanted.actor),
    ):
        if values:
            yield f"{column} = ANY({statement.add(list(values))}::text[])"
    if wanted.entity:
        pairs = [key.partition(":") for key in wanted.entity]
        kinds = statement.add([kind for kind, _, _ in pairs])
        ids = statement.add([id_ for _, _, id_ in pairs])
        yield (
            f"EXISTS (SELECT FROM unnest({kinds}::text[], {ids}::text[]) AS wanted (type, id) "
            "WHERE subject_type = type AND (id = '' OR subject_id = id))"
        )
    if wanted.from_ is not None:
        yield f"first_occurred_at >= {statement.add(wanted.from_)}"
    if wanted.to is not None:
        yield f"first_occurred_at < {statement.add(wanted.to)}"
