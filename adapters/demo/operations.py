"""What CertiNext's machines report: messages, backups, doors, firewalls; and who reads the audit trail."""

from datetime import date, datetime, timedelta

from adapters.demo.machines import service
from adapters.demo.people import HAMBURG, PEOPLE
from adapters.demo.script import Script, entity
from domain.values import JsonObject, JsonValue, rfc3339

SUBJECTS = (
    "Certificates that expire this month",
    "A request waits for you",
    "Deployment finished",
    "Weekly report",
)
WEBHOOKS = (("wh-chat", "Chat room"), ("wh-tickets", "Ticket system"), ("wh-siem", "SIEM"))
CONNECTORS = (("con-f5", "Load balancers"), ("con-azure", "Azure key vaults"), ("con-cmdb", "Asset register"))
CONNECTORS_ADDED = 2
"""The working day on which they come into being."""

FIREWALLS = (("fw-ham-1", "Firewall Hamburg"), ("fw-blr-1", "Firewall Bengaluru"))
GATEWAY_ERROR = ("http_502", "The receiver answered 502 Bad Gateway.")
UNREACHABLE = ("unreachable", "No connection after 3 attempts.")
VAULT = entity("facility", "vault-ham", "Key vault, Hamburg")
LEDGER = entity("ledger", "default", "default")
SEARCHES: tuple[dict[str, JsonValue], ...] = (
    {"status": ["failure"], "module": ["user_activity"]},
    {"activity": ["certificate.revoked"]},
    {"entity": ["certificate_authority"]},
    {"text": ["vpn"]},
    {"activity": ["key.exported", "key.destroyed"]},
)


def operations(script: Script) -> None:
    for day in script.days:
        busy = day.weekday() < 5
        for _ in range(script.random.randrange(2, 9) if busy else 2):
            notification(script, script.moment(day, 5, 20))
        for _ in range(script.random.randrange(3, 11) if busy else 2):
            webhook(script, script.moment(day, 5, 22))
        for id_, name in CONNECTORS if day > script.working_days[CONNECTORS_ADDED] else ():
            _synchronize(script, script.moment(day, 2, 3), id_, name)
        for _ in range(script.random.randrange(0, 5)):
            network_device(script, script.moment(day))
        _back_up(script, day)
        if busy:
            _visit_vault(script, day)
            _read_audit_trail(script, day)


def notification(script: Script, at: datetime) -> None:
    person, subject = script.pick([*PEOPLE.values()]), script.pick(SUBJECTS)
    about = entity("notification", script.fresh("n"), subject)
    details: JsonObject = {"medium": "email", "recipients": [person.email], "subject": subject}
    failure = ("bounced", "The mailbox is full.") if script.chance(0.02) else None
    script.tell(at, "SendNotification", service("svc-notify"), about, details, failure=failure)


def webhook(script: Script, at: datetime) -> None:
    id_, name = script.pick(WEBHOOKS)
    failed = script.chance(0.04)
    details: JsonObject = {
        "delivery_id": script.hex(12),
        "url": f"https://{id_}.nordwind.example/hook",
        "http_status": 502 if failed else 202,
        "attempts": 3 if failed else 1,
    }
    failure = GATEWAY_ERROR if failed else None
    script.tell(at, "DeliverWebhook", service("svc-notify"), entity("webhook", id_, name), details,
                failure=failure)  # fmt: skip


def network_device(script: Script, at: datetime) -> None:
    id_, name = script.pick(FIREWALLS)
    sender = f"10.{script.random.randrange(20, 61)}.3.{script.random.randrange(2, 250)}"
    details: JsonObject = {
        "activity": "traffic refused",
        "rule": "deny-all-to-hsm",
        "severity": script.pick(("notice", "warning")),
        "message": f"{sender} to 10.9.9.2:1792",
    }
    script.tell(at, "ReportNetworkDevice", service("svc-host"), entity("network_device", id_, name), details)


def _synchronize(script: Script, at: datetime, id_: str, name: str) -> None:
    failed = script.chance(0.03)
    details: JsonObject = {"duration_ms": script.random.randrange(400, 30_000)}
    if not failed:
        details |= {"added": script.random.randrange(0, 4), "changed": script.random.randrange(0, 9)}
    about, failure = entity("connector", id_, name), UNREACHABLE if failed else None
    script.tell(at, "SynchronizeConnector", service("svc-scheduler"), about, details, channel="scheduler",
                failure=failure)  # fmt: skip


def _back_up(script: Script, day: date) -> None:
    about = entity("backup", f"bak-{day:%Y%m%d}", f"Backup of {day}")
    details: JsonObject = {
        "size_bytes": 40_000_000_000 + script.random.randrange(900_000_000),
        "sha256": script.hex(64),
        "destination": "s3://nordwind-backup/certinext",
    }
    script.tell(script.moment(day, 0.5, 1), "CompleteBackup", service("svc-scheduler"), about, details,
                channel="scheduler")  # fmt: skip


def _visit_vault(script: Script, day: date) -> None:
    """Two people, always: one enters, the other goes along."""
    if not script.chance(0.6):
        return
    person, escort = script.random.sample([PEOPLE["u-02"], PEOPLE["u-03"], PEOPLE["u-30"]], 2)
    at = script.at_work(day, HAMBURG)
    badge: JsonObject = {
        "person": person.full_name,
        "escort": escort.full_name,
        "badge_id": f"badge-{person.id}",
        "door": "inner",
    }
    if script.chance(0.06):
        refused: JsonObject = {**badge, "escort": None}
        at_the_door = at - timedelta(minutes=3)
        script.tell(at_the_door, "RecordFacilityAccess", service("svc-facility"), VAULT, refused,
                    failure=("denied", "Nobody may enter alone."))  # fmt: skip
    for direction, moment in (("entry", at), ("exit", at + script.seconds(600, 5400))):
        passage: JsonObject = {**badge, "direction": direction}
        script.tell(moment, "RecordFacilityAccess", service("svc-facility"), VAULT, passage)


def _read_audit_trail(script: Script, day: date) -> None:
    for _ in range(script.random.randrange(0, 4)):
        reader = script.pick([PEOPLE["u-07"], PEOPLE["u-08"], PEOPLE["u-09"], PEOPLE["u-10"]])
        at = script.at_work(day, reader.office)
        filters = {**script.pick(SEARCHES), "from": rfc3339(at - timedelta(days=7))}
        details: JsonObject = {"filters": filters, "rows": script.random.randrange(0, 200)}
        script.tell(at, "QueryAuditTrail", script.desk(reader, at), LEDGER, details, channel="portal")
    if day.weekday() == 4:
        until: JsonObject = {"from_position": 1, "to_position": 250 * ((day - script.days[0]).days + 1)}
        script.tell(script.moment(day, 20, 21), "VerifyAuditTrail", service("svc-audit"), LEDGER,
                    {**until, "verdict": "intact"}, channel="scheduler")  # fmt: skip
