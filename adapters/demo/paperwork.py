"""Certificates that people ask for in the portal, and what people do to certificates afterwards."""

from datetime import date, datetime, timedelta

from adapters.demo.enrolments import FIRST_WORKING_DAY
from adapters.demo.machines import DEPLOYING_BOTS, DOMAINS, SERVERS, service
from adapters.demo.orders import Certificate, Order, deploy, issue, new_order, request
from adapters.demo.people import APPROVERS, REQUESTERS, Person
from adapters.demo.script import Script, change
from domain.values import JsonObject, rfc3339

LIFETIME = timedelta(days=365)
SYSTEMS = ("sap", "wms", "tms", "hr", "crm", "edi", "print", "backup", "badge", "scada", "erp", "bi")
REJECTIONS = (
    "The host is already covered by a wildcard certificate.",
    "The owner is not named.",
    "RSA of 1024 bits is not allowed.",
    "No change ticket is given.",
)
REASONS_TO_REVOKE = (
    "superseded",
    "cessationOfOperation",
    "affiliationChanged",
    "keyCompromise",
    "unspecified",
)
NOT_YOURS = ("denied", "Only the owner's team may do this.")


def requests_of_people(script: Script) -> None:
    for day in script.working_days[FIRST_WORKING_DAY:]:
        for _ in range(script.random.choices((1, 2, 3, 4), (20, 40, 30, 10))[0]):
            a_request(script, day, script.pick(REQUESTERS))


def a_request(script: Script, day: date, person: Person) -> None:
    """Asked for by one, judged by another; most are approved, some are not."""
    at = script.at_work(day, person.office)
    host = f"{script.pick(SYSTEMS)}-{script.random.randrange(1, 60):02}.{DOMAINS[0]}"
    profile_id = script.pick(("p-windows", "p-internal-tls"))
    order = new_order(script, host, DOMAINS[0], profile_id, SERVERS, LIFETIME, "portal")
    asked = request(script, at, order, script.desk(person, at), "Internal TLS")
    if script.chance(0.12):
        _correct(script, at + script.seconds(60, 900), order, person)
    judged = _next_office_hours(script, at, person, order)
    if judged is None:
        return
    judge, at = judged
    if script.chance(0.08):
        details: JsonObject = {"approver": judge.id, "reason": script.pick(REJECTIONS), "step": "team lead"}
        script.tell(at, "RejectCertificateRequest", script.desk(judge, at), order.request, details,
                    correlation_id=order.story, causation_id=asked, channel="portal")  # fmt: skip
        return
    _follow_up(script, order, person, _approved(script, at, order, judge, asked))


def _correct(script: Script, at: datetime, order: Order, person: Person) -> None:
    script.tell(
        at,
        "EditCertificateRequest",
        script.desk(person, at),
        order.request,
        changes=[change("/sans/1", None, f"alt-{order.host}")],
        correlation_id=order.story,
        channel="portal",
    )


def _next_office_hours(script: Script, at: datetime, person: Person, order: Order) -> tuple[Person, datetime] | None:
    """Who judges the request and when; None if it was withdrawn before."""
    judge = script.pick([approver for approver in APPROVERS if approver is not person])
    later = [day for day in script.working_days if day > at.date()][: script.random.randrange(1, 3)]
    if not later:
        return None
    if script.chance(0.05):
        withdrawn = at + script.seconds(1000, 9000)
        script.tell(withdrawn, "CancelCertificateRequest", script.desk(person, withdrawn), order.request,
                    {"reason": "asked for twice"}, correlation_id=order.story, channel="portal")  # fmt: skip
        return None
    return judge, script.at_work(later[-1], judge.office)


def _approved(script: Script, at: datetime, order: Order, judge: Person, asked: str) -> Certificate:
    if script.chance(0.04):
        script.tell(at - script.seconds(60, 300), "ApproveCertificateRequest", script.desk(judge, at),
                    order.request, {"approver": judge.id, "step": "team lead"}, correlation_id=order.story,
                    failure=("step_up_required", "The approval was not confirmed by a second factor."),
                    channel="portal")  # fmt: skip
    approved = script.tell(
        at,
        "ApproveCertificateRequest",
        script.desk(judge, at),
        order.request,
        {"approver": judge.id, "step": "team lead", "policy_id": "pol-four-eyes"},
        correlation_id=order.story,
        causation_id=asked,
        channel="portal",
    )
    return issue(script, at + script.seconds(5, 30), order, approved)


def _follow_up(script: Script, order: Order, person: Person, certificate: Certificate) -> None:
    at = certificate.issued_at
    if script.chance(0.6):
        _roll_out_by_night(script, at, certificate)
    else:
        fetched = script.at_work((at + timedelta(days=1)).date(), person.office)
        details: JsonObject = {"format": "PEM", "with_private_key": False}
        script.tell(fetched, "DownloadCertificate", script.desk(person, fetched), certificate.entity, details,
                    correlation_id=order.story, channel="portal")  # fmt: skip
    _what_becomes_of(script, at, certificate, person)


def _roll_out_by_night(script: Script, at: datetime, certificate: Certificate) -> None:
    bot = script.pick(DEPLOYING_BOTS)
    tonight = at.replace(hour=22, minute=30) + script.seconds(0, 3600)
    if tonight < at:
        tonight += timedelta(days=1)
    script.tell(
        at + script.seconds(20, 90),
        "ScheduleProvisioning",
        service("svc-scheduler"),
        certificate.entity,
        {"target": certificate.host, "bot_id": bot.id, "scheduled_for": rfc3339(tonight)},
        correlation_id=certificate.story,
        channel="scheduler",
    )
    deploy(script, tonight, certificate, bot, None)


def _what_becomes_of(script: Script, at: datetime, certificate: Certificate, person: Person) -> None:
    days_later = script.random.randrange(2, 25)
    later = [day for day in script.working_days if day > at.date() + timedelta(days=days_later)]
    if not later:
        return
    at = script.at_work(later[0], person.office)
    fates = (_tag, _hand_over, _edit, _revoke)
    fate = script.random.choices((*fates, None), (16, 8, 7, 16, 53))[0]
    if fate is not None:
        fate(script, at, certificate, person)


def _tag(script: Script, at: datetime, certificate: Certificate, person: Person) -> None:
    details: JsonObject = {"added": [person.team, "production"]}
    script.tell(at, "TagCertificate", script.desk(person, at), certificate.entity, details, channel="portal")


def _hand_over(script: Script, at: datetime, certificate: Certificate, person: Person) -> None:
    heir = script.pick([other for other in REQUESTERS if other.team == person.team])
    script.tell(
        at,
        "ChangeCertificateOwner",
        script.desk(person, at),
        certificate.entity,
        {"old_owner": person.full_name, "new_owner": heir.full_name},
        changes=[change("/owner", person.id, heir.id)],
        channel="portal",
    )


def _edit(script: Script, at: datetime, certificate: Certificate, person: Person) -> None:
    notes = [change("/note", None, f"Serves {certificate.host} until the move to the cluster")]
    script.tell(at, "EditCertificate", script.desk(person, at), certificate.entity, changes=[*notes], channel="portal")


def _revoke(script: Script, at: datetime, certificate: Certificate, person: Person) -> None:
    reason, story = script.pick(REASONS_TO_REVOKE), script.fresh("rev")
    asked: JsonObject = {"reason": reason, "requester": person.id}
    refused = NOT_YOURS if script.chance(0.1) else None
    actor = script.desk(person, at)
    cause = script.tell(at, "RequestCertificateRevocation", actor, certificate.entity, asked,
                        correlation_id=story, channel="portal", failure=refused)  # fmt: skip
    if refused:
        return
    at += script.seconds(300, 4000)
    details: JsonObject = {"crl_reason": reason, "revocation_time": rfc3339(at), "serial": certificate.serial}
    script.tell(at, "RevokeCertificate", service("svc-ca"), certificate.entity, details,
                correlation_id=story, causation_id=cause, also_affected=[SERVERS.entity])  # fmt: skip
