"""Certificates that machines ask for by themselves: servers by ACME, devices by SCEP, EST and CMP."""

from datetime import datetime, timedelta

from adapters.demo.machines import (
    ACME_BOTS,
    APPLICATIONS,
    DEVICE_BOTS,
    DEVICES,
    DOMAINS,
    PUBLIC,
    SERVERS,
    STAGES,
    Bot,
)
from adapters.demo.orders import (
    Certificate,
    Order,
    approve_by_policy,
    deploy,
    expire,
    issue,
    new_order,
    renew,
    request,
)
from adapters.demo.script import Script, entity
from domain.values import JsonObject

ACME_LIFETIME = timedelta(days=30)
DEVICE_LIFETIME = timedelta(days=365)
FIRST_WORKING_DAY = 4
"""By then the authorities stand, the bots are registered and the domains are validated."""

DEVICES_A_DAY = 2
REFUSED = ("unknown_device", "No device of this serial number is registered.")


def servers_by_acme(script: Script) -> None:
    """Each host has a certificate from its first day on, and a new one before the last runs out."""
    first = script.days.index(script.working_days[FIRST_WORKING_DAY])
    for number, application in enumerate(APPLICATIONS):
        for stage in STAGES:
            domain = DOMAINS[(number + len(stage)) % len(DOMAINS)]
            day = script.days[first + script.random.randrange(0, 18)]
            _life_of(script, script.moment(day), f"{application}{stage}.{domain}", domain)


def _life_of(script: Script, at: datetime, host: str, domain: str) -> None:
    bot, old = script.pick(ACME_BOTS), None
    while at < script.end:
        old = by_acme(script, at, host, domain, bot, old)
        at += timedelta(days=script.random.uniform(20, 26))


def by_acme(script: Script, at: datetime, host: str, domain: str, bot: Bot, old: Certificate | None) -> Certificate:
    """From the bot's new order (RFC 8555) to the host that serves the certificate."""
    public = host.split(".", maxsplit=1)[0] in APPLICATIONS
    profile_id = "p-public-tls" if public else "p-internal-tls"
    authority = PUBLIC if public else SERVERS
    order = new_order(script, host, domain, profile_id, authority, ACME_LIFETIME, "acme")
    use_token(script, at - timedelta(seconds=1), bot, "newOrder", order.story)
    asked = request(script, at, order, bot.acting(), "Server TLS")
    approved = approve_by_policy(script, at + script.seconds(0.1, 0.6), order, asked)
    certificate = issue(script, at + script.seconds(12, 40), order, approved)
    at = certificate.issued_at
    expire(script, certificate)
    if old is not None:
        renew(script, at + script.seconds(0.1, 0.9), old, certificate, order.request_id)
    deploy(script, at + script.seconds(20, 90), certificate, bot, old.serial if old else None)
    return certificate


def use_token(script: Script, at: datetime, bot: Bot, operation: str, story: str) -> None:
    details: JsonObject = {"api_type": bot.api_type, "operation": operation, "prefix": bot.token_prefix}
    channel = bot.api_type.lower()
    script.tell(at, "UseToken", bot.acting(), bot.token, details, correlation_id=story, channel=channel)


def devices(script: Script) -> None:
    for day in script.working_days[FIRST_WORKING_DAY:]:
        for _ in range(script.random.randrange(DEVICES_A_DAY * 2)):
            by_device(script, script.moment(day, 4, 20), script.pick(DEVICE_BOTS))


def by_device(script: Script, at: datetime, bot: Bot) -> None:
    """A gateway speaks for a device: a secret of one use, a token, a certificate."""
    name = f"{bot.id.removeprefix('bot-')}-{script.hex(6)}.{DOMAINS[0]}"
    channel = bot.api_type.lower()
    order = new_order(script, name, DOMAINS[0], "p-device", DEVICES, DEVICE_LIFETIME, channel)
    if bot.api_type == "SCEP":
        _hand_out_secret(script, at - script.seconds(60, 600), bot, order)
    use_token(script, at - timedelta(seconds=1), bot, "enroll", order.story)
    if script.chance(0.05):
        script.tell(
            at,
            "RequestCertificate",
            bot.acting(),
            order.request,
            {"product": "Device identity", "profile_id": "p-device"},
            correlation_id=order.story,
            channel=channel,
            failure=REFUSED,
        )
        return
    asked = request(script, at, order, bot.acting(), "Device identity")
    approved = approve_by_policy(script, at + script.seconds(0.1, 0.5), order, asked)
    issue(script, at + script.seconds(1, 5), order, approved)


def _hand_out_secret(script: Script, at: datetime, bot: Bot, order: Order) -> None:
    secret = entity("enrollment_secret", script.fresh("es"), f"Challenge for {order.host}")
    details: JsonObject = {"protocol": "SCEP", "uses": 1}
    script.tell(at, "IssueEnrollmentSecret", bot.acting(), secret, details, correlation_id=order.story, channel="rest")
