"""An order: a certificate asked for, approved, issued and put where it serves."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.demo.machines import CT_LOGS, PUBLIC, Authority, Bot, service
from adapters.demo.script import Context, Script, entity
from adapters.demo.validations import check_before_issuance
from domain.values import JsonObject, rfc3339

ISSUER_DOWN = ("ca_unavailable", "The authority did not answer within 30 seconds.")
ISSUER_DOWN_RATE = 0.012
DEPLOYMENT_FAILED = ("handshake_failed", "The host still presents the old certificate.")
RELOAD_FAILED = ("reload_failed", "The server refused to load its new configuration.")


@dataclass(frozen=True, slots=True)
class Order:
    """One request and what came of it, tied together by `story`, the correlation id."""

    story: str
    request_id: str
    host: str
    domain: str
    profile_id: str
    authority: Authority
    lifetime: timedelta
    channel: str

    @property
    def request(self) -> JsonObject:
        return entity("certificate_request", self.request_id, self.host)


@dataclass(frozen=True, slots=True)
class Certificate:
    id: str
    host: str
    serial: str
    issued_at: datetime
    not_after: datetime
    story: str

    @property
    def entity(self) -> JsonObject:
        return entity("certificate", self.id, self.host)


def new_order(
    script: Script,
    host: str,
    domain: str,
    profile_id: str,
    authority: Authority,
    lifetime: timedelta,
    channel: str,
) -> Order:
    request_id = script.fresh("r")
    story = request_id.replace("r-", "order-", 1)
    return Order(story, request_id, host, domain, profile_id, authority, lifetime, channel)


def request(script: Script, at: datetime, order: Order, actor: JsonObject, product: str) -> str:
    details: JsonObject = {
        "product": product,
        "profile_id": order.profile_id,
        "subject": f"CN={order.host},O=Nordwind Logistik SE,C=DE",
        "sans": [order.host],
        "key_algorithm": "EC" if order.profile_id != "p-windows" else "RSA",
        "key_size": 256 if order.profile_id != "p-windows" else 3072,
        "csr_sha256": script.hex(64),
        "requester": actor["id"],
    }
    return script.tell(
        at,
        "RequestCertificate",
        actor,
        order.request,
        details,
        correlation_id=order.story,
        channel=order.channel,
    )


def approve_by_policy(script: Script, at: datetime, order: Order, cause: str) -> str:
    return script.tell(
        at,
        "ApproveCertificateRequest",
        service("svc-policy"),
        order.request,
        {"approver": "svc-policy", "step": "automatic", "policy_id": "pol-automatic-hosts"},
        correlation_id=order.story,
        causation_id=cause,
    )


def issue(script: Script, at: datetime, order: Order, cause: str) -> Certificate:
    """The authority signs; a publicly trusted certificate is checked before and shown to two logs."""
    engine, refusals = service("svc-ca"), script.chance(ISSUER_DOWN_RATE)
    issued_at = at + script.seconds(30, 300) if refusals else at
    certificate = Certificate(
        script.fresh("c"), order.host, script.hex(32), issued_at, issued_at + order.lifetime, order.story
    )
    if order.authority is PUBLIC:
        check_before_issuance(script, at - timedelta(seconds=9), order.domain, order.request_id, order.story)
        _show_to_logs(script, at - timedelta(seconds=3), certificate)
    told: Context = {"correlation_id": order.story, "causation_id": cause}
    if refusals:
        tried: JsonObject = {"ca_id": order.authority.id, "request_id": order.request_id}
        told["failure"] = ISSUER_DOWN
        script.tell(at, "IssueCertificate", engine, certificate.entity, tried, **told)
        told["failure"] = None
    told["also_affected"] = [order.request, order.authority.entity]
    details = _as_issued(script, order, certificate)
    script.tell(issued_at, "IssueCertificate", engine, certificate.entity, details, **told)
    return certificate


def _as_issued(script: Script, order: Order, certificate: Certificate) -> JsonObject:
    return {
        "serial": certificate.serial,
        "issuer_dn": order.authority.subject,
        "sha256_fingerprint": script.hex(64),
        "not_before": rfc3339(certificate.issued_at - timedelta(minutes=5)),
        "not_after": rfc3339(certificate.not_after),
        "ca_id": order.authority.id,
        "request_id": order.request_id,
        "profile_id": order.profile_id,
        "subject": f"CN={order.host},O=Nordwind Logistik SE,C=DE",
        "sans": [order.host],
    }


def _show_to_logs(script: Script, at: datetime, certificate: Certificate) -> None:
    for log in script.random.sample(CT_LOGS, 2):
        script.tell(
            at + script.seconds(0.2, 2),
            "SubmitPrecertificate",
            service("svc-ca"),
            certificate.entity,
            {"ct_log": log, "serial": certificate.serial, "sct": script.hex(64)},
            correlation_id=certificate.story,
        )


def deploy(script: Script, at: datetime, certificate: Certificate, bot: Bot, replaced: str | None) -> None:
    """A bot puts the certificate in place and looks whether it serves; if not, it goes back."""
    about, told = certificate.entity, Context(correlation_id=certificate.story, channel="bot")
    where: JsonObject = {"target": certificate.host, "bot_id": bot.id}
    deployed: JsonObject = where if replaced is None else {**where, "replaced_serial": replaced}
    told["causation_id"] = script.tell(at, "StartProvisioning", bot.acting(), about, where, **told)
    if script.chance(0.015):
        at += script.seconds(5, 20)
        told["failure"] = RELOAD_FAILED
        script.tell(at, "DeployCertificate", bot.acting(), about, deployed, **told)
    told["failure"] = None
    at += script.seconds(4, 40)
    script.tell(at, "DeployCertificate", bot.acting(), about, deployed, **told)
    at += script.seconds(2, 30)
    if replaced is not None and script.chance(0.015):
        told["failure"] = DEPLOYMENT_FAILED
        script.tell(at, "VerifyDeployment", bot.acting(), about, where, **told)
        told["failure"] = None
        undone: JsonObject = {**where, "reason": DEPLOYMENT_FAILED[1], "restored_serial": replaced}
        script.tell(at + script.seconds(2, 9), "RollBackDeployment", bot.acting(), about, undone, **told)
        return
    script.tell(at, "VerifyDeployment", bot.acting(), about, where, **told)


def renew(script: Script, at: datetime, old: Certificate, new: Certificate, request_id: str) -> None:
    script.tell(
        at,
        "RenewCertificate",
        service("svc-ca"),
        old.entity,
        {
            "old_serial": old.serial,
            "new_serial": new.serial,
            "not_after": rfc3339(new.not_after),
            "request_id": request_id,
        },
        correlation_id=new.story,
        also_affected=[new.entity],
    )


def expire(script: Script, certificate: Certificate) -> None:
    script.tell(
        certificate.not_after,
        "ExpireCertificate",
        service("svc-scheduler"),
        certificate.entity,
        {"not_after": rfc3339(certificate.not_after)},
        correlation_id=certificate.story,
        channel="scheduler",
    )
