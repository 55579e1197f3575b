"""The read table `findings`: what the rules found, and what people said about it; and what the rules remember."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from domain import canonical
from domain.event import AuditEvent
from domain.findings.finding import Finding, Memory, Rule, Withdrawal
from domain.findings.rules import fingerprint, rules
from domain.findings.thresholds import Thresholds
from domain.values import JsonObject, parse_rfc3339
from domain.words import Ledger, Status
from projections.database import Connection
from projections.projection import Table

_FINDINGS = Table(
    "findings",
    """
    finding_id        text COLLATE "C" NOT NULL,
    rule              text COLLATE "C" NOT NULL,
    rule_version      integer NOT NULL,
    severity          text COLLATE "C" NOT NULL,
    status            text COLLATE "C" NOT NULL,
    subject_type      text COLLATE "C" NOT NULL,
    subject_id        text COLLATE "C" NOT NULL,
    actor_id          text COLLATE "C",
    words             text NOT NULL,
    evidence          text NOT NULL,
    first_occurred_at timestamptz NOT NULL,
    last_occurred_at  timestamptz NOT NULL,
    position          bigint NOT NULL,
    remark            text
    """,
    "finding_id",
    (
        "(ledger, first_occurred_at, finding_id)",
        "(ledger, rule, first_occurred_at, finding_id)",
        "(ledger, severity, first_occurred_at, finding_id)",
        "(ledger, status, first_occurred_at, finding_id)",
        "(ledger, subject_type, subject_id)",
        "(ledger, actor_id, first_occurred_at, finding_id)",
    ),
)

_MEMORY = Table(
    "finding_memory",
    """
    rule       text COLLATE "C" NOT NULL,
    subject    text COLLATE "C" NOT NULL,
    remembered text NOT NULL
    """,
    "rule, subject",
    storage="fillfactor = 60",
)

_RECALL = """
SELECT rule, subject, remembered FROM unnest($2::text[], $3::text[]) AS wanted (rule, subject)
JOIN {table} AS known USING (rule, subject) WHERE known.ledger = $1
"""

_REMEMBER = """
INSERT INTO {table} AS known SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[])
ON CONFLICT (ledger, rule, subject) DO UPDATE SET remembered = EXCLUDED.remembered
"""

_FIND = """
INSERT INTO {table}
SELECT $1, finding_id, rule, rule_version, severity, 'open', subject_type, subject_id, actor_id, words, evidence,
    first_occurred_at, last_occurred_at, position
FROM unnest($2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::timestamptz[], $12::timestamptz[], $13::bigint[])
    AS row (finding_id, rule, rule_version, severity, subject_type, subject_id, actor_id, words, evidence,
        first_occurred_at, last_occurred_at, position)
ON CONFLICT (ledger, finding_id) DO UPDATE SET
    severity = EXCLUDED.severity,
    status = 'open',
    subject_type = EXCLUDED.subject_type,
    subject_id = EXCLUDED.subject_id,
    actor_id = EXCLUDED.actor_id,
    words = EXCLUDED.words,
    evidence = EXCLUDED.evidence,
    first_occurred_at = EXCLUDED.first_occurred_at,
    last_occurred_at = EXCLUDED.last_occurred_at,
    position = EXCLUDED.position,
    remark = NULL
"""

_MARK = """
UPDATE {table} AS known SET status = mark.status, remark = mark.remark
FROM unnest($2::text[], $3::text[], $4::text[]) AS mark (finding_id, status, remark)
WHERE known.ledger = $1 AND known.finding_id = mark.finding_id
"""

ACKNOWLEDGED = "audit_finding.acknowledged"


@dataclass
class _Changes:
    """What a batch makes of findings; of several changes of one the last counts."""

    found: dict[str, tuple[Finding, int]] = field(default_factory=dict)
    """With the position of the event by which it was found."""
    marks: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Status and remark, by finding."""

    def find(self, finding: Finding, position: int) -> None:
        self.found[finding.id] = finding, position
        self.marks.pop(finding.id, None)

    def mark(self, finding_id: str, status: str, remark: JsonObject) -> None:
        self.marks[finding_id] = status, canonical.encode(remark).decode()


class FindingsProjection:
    """Keeps `findings`: shows every event to the rules that must see it."""

    name = "findings"

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self._thresholds = thresholds or Thresholds()
        self._rules = {rule.name: rule for rule in rules(self._thresholds)}
        # By other rules or thresholds the tables are made anew, so that these judge all of history.
        judged_by = fingerprint(list(self._rules.values()), self._thresholds)
        self.tables: Sequence[Table] = (replace(_FINDINGS, rules=judged_by), _MEMORY)

    async def apply(
        self, connection: Connection, generation: int, ledger: Ledger, events: Sequence[AuditEvent]
    ) -> None:
        judged = [(event, rule) for event in events for rule in self._concerned(event)]
        table = _MEMORY.versioned(generation)
        memory = await _recalled(connection, table, ledger, judged)
        changes = _Changes()
        for event, rule in judged:
            _take(changes, rule, event, memory)
        for event in events:
            _acknowledge(changes, event)
        await _remember(connection, table, ledger, memory)
        await self._store(connection, _FINDINGS.versioned(generation), ledger, changes)

    def _concerned(self, event: AuditEvent) -> Iterable[Rule]:
        """The rules that must see an event."""
        name = event.activity.name
        for rule in self._rules.values():
            if rule.activities is None or name in rule.activities:
                yield rule

    async def _store(self, connection: Connection, table: str, ledger: Ledger, changes: _Changes) -> None:
        rows = [
            (finding.id, finding.rule, self._rules[finding.rule].version, *_columns_of(finding), position)
            for finding, position in changes.found.values()
        ]
        if rows:
            await connection.execute(_FIND.format(table=table), ledger, *map(list, zip(*rows, strict=True)))
        if changes.marks:
            marks = [(finding_id, *mark) for finding_id, mark in changes.marks.items()]
            await connection.execute(_MARK.format(table=table), ledger, *map(list, zip(*marks, strict=True)))


def _take(changes: _Changes, rule: Rule, event: AuditEvent, memory: Memory) -> None:
    """What a rule says to an event."""
    for found in rule.judge(event, memory):
        if isinstance(found, Withdrawal):
            position, event_id, _ = found.because
            changes.mark(found.id, "withdrawn", {"position": position, "event_id": event_id})
        else:
            changes.find(found, _position(event))


def _acknowledge(changes: _Changes, event: AuditEvent) -> None:
    facts = event.facts
    if event.activity.name != ACKNOWLEDGED or facts["status"] != Status.SUCCESS:
        return
    entity: Any = facts["entity"]
    details: Any = facts["details"]
    remark: JsonObject = {
        "position": facts["position"],
        "event_id": facts["event_id"],
        "at": facts["occurred_at"],
        "by": facts["actor"],
        "comment": details.get("comment"),
    }
    changes.mark(entity["id"], "acknowledged", remark)


async def _recalled(
    connection: Connection, table: str, ledger: Ledger, judged: Sequence[tuple[AuditEvent, Rule]]
) -> Memory:
    keys = list({(rule.name, subject) for event, rule in judged for subject in rule.subjects(event)})
    columns = [list(column) for column in zip(*keys, strict=True)] or [[], []]
    rows = await connection.fetch(_RECALL.format(table=table), ledger, *columns)
    return Memory({(row["rule"], row["subject"]): canonical.decode_object(row["remembered"].encode()) for row in rows})


async def _remember(connection: Connection, table: str, ledger: Ledger, memory: Memory) -> None:
    # In one order, so that no two transactions wait for each other.
    rows = [(*key, canonical.encode(memory[key]).decode()) for key in sorted(memory.written)]
    if rows:
        await connection.execute(_REMEMBER.format(table=table), ledger, *map(list, zip(*rows, strict=True)))


def _columns_of(finding: Finding) -> tuple[Any, ...]:
    times = [at for _, _, at in finding.evidence]
    return (
        finding.severity.value,
        *finding.subject,
        finding.actor_id,
        finding.words,
        canonical.encode([[position, event_id] for position, event_id, _ in finding.evidence]).decode(),
        parse_rfc3339(min(times)),
        parse_rfc3339(max(times)),
    )


def _position(event: AuditEvent) -> int:
    position = event.facts["position"]
    assert isinstance(position, int)
    return position
