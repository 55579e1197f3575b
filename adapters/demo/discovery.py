"""What scans of the network find; the authorities among it are those of `certifi`'s bundle, as they are."""

import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.utils import CryptographyDeprecationWarning

from adapters.demo.machines import BOTS, DOMAINS, service
from adapters.demo.people import PEOPLE, REQUESTERS
from adapters.demo.script import Script, entity
from domain.values import JsonObject, rfc3339

SCANNER = BOTS["bot-scan"]
FIRST_SCAN = 4
"""The working day on which the network is scanned for the first time, with most of the finds."""

DISTRUSTED = 3
HOSTS_SCANNED = 2048


@dataclass(frozen=True, slots=True)
class Root:
    """An authority that browsers trust."""

    name: str
    serial: str
    sha256_fingerprint: str
    not_after: datetime

    @property
    def id(self) -> str:
        return self.sha256_fingerprint[:16]


def trusted_roots() -> list[Root]:
    """The authorities of the bundle, by fingerprint."""
    pem = certifi.contents()
    with warnings.catch_warnings():
        # One old root has a serial number of 0, at which cryptography takes offence.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        roots = [_root(certificate) for certificate in x509.load_pem_x509_certificates(pem.encode())]
    return sorted(roots, key=lambda root: root.sha256_fingerprint)


def _root(certificate: x509.Certificate) -> Root:
    return Root(
        certificate.subject.rfc4514_string(),
        f"{certificate.serial_number:x}",
        certificate.fingerprint(SHA256()).hex(),
        certificate.not_valid_after_utc,
    )


def scans(script: Script) -> None:
    """A first scan with a trust store import, then one every week with a few strays."""
    roots = trusted_roots()
    for number, day in enumerate(script.working_days[FIRST_SCAN::5]):
        at = script.moment(day, 0.5, 1.5)
        story, finds = script.fresh("scan"), roots if number == 0 else []
        cause = _scan(script, at, story, len(finds))
        for root in finds:
            at += script.seconds(0.5, 3)
            _discover_root(script, at, root, story, cause)
        for _ in range(script.random.randrange(8, 26) if number else 110):
            at += script.seconds(0.5, 6)
            _discover_stray(script, at, story, cause)
    _trust(script, roots)


def _scan(script: Script, at: datetime, story: str, roots: int) -> str:
    return script.tell(
        at,
        "RunDiscoveryScan",
        SCANNER.acting(),
        entity("discovery_scan", story, "Weekly scan of data centres"),
        {"targets": HOSTS_SCANNED, "found": 1000 + roots, "bot_id": SCANNER.id, "duration_ms": 1_260_000},
        correlation_id=story,
        channel="bot",
    )


def _discover_root(script: Script, at: datetime, root: Root, story: str, cause: str) -> None:
    script.tell(
        at,
        "DiscoverCertificate",
        SCANNER.acting(),
        entity("certificate", f"c-root-{root.id}", root.name),
        {
            "discovery_source": "trust_store",
            "bot_id": SCANNER.id,
            "location": "/etc/ssl/certs",
            "serial": root.serial,
            "sha256_fingerprint": root.sha256_fingerprint,
            "not_after": rfc3339(root.not_after),
        },
        correlation_id=story,
        causation_id=cause,
        channel="bot",
    )


def _discover_stray(script: Script, at: datetime, story: str, cause: str) -> None:
    host = f"srv-{script.random.randrange(1, 2048):04}.{script.pick(DOMAINS)}"
    about = entity("certificate", script.fresh("c"), host)
    not_after = at + timedelta(days=script.random.randrange(20, 500))
    script.tell(
        at,
        "DiscoverCertificate",
        SCANNER.acting(),
        about,
        {
            "discovery_source": "network",
            "bot_id": SCANNER.id,
            "location": f"10.{script.pick((20, 30, 40, 50, 60))}.{script.random.randrange(8, 250)}.9:443",
            "serial": script.hex(32),
            "sha256_fingerprint": script.hex(64),
            "not_after": rfc3339(not_after),
        },
        correlation_id=story,
        causation_id=cause,
        channel="bot",
    )
    _watch_expire(script, about, not_after, at)


def _watch_expire(script: Script, about: JsonObject, not_after: datetime, since: datetime) -> None:
    """Nobody renews what was only found: its owner is warned, it expires, it is put away."""
    owner = script.pick(REQUESTERS)
    for days in (30, 14, 7, 1):
        at = not_after - timedelta(days=days)
        warning: JsonObject = {
            "days_left": days,
            "recipients": [owner.email],
            "notification_rule_id": "nr-expiry",
        }
        if at > since:
            script.tell(at, "NotifyCertificateExpiry", service("svc-notify"), about, warning)
    details: JsonObject = {"not_after": rfc3339(not_after)}
    script.tell(not_after, "ExpireCertificate", service("svc-scheduler"), about, details, channel="scheduler")
    put_away: JsonObject = {"reason": "expired for a week"}
    at = not_after + timedelta(days=7)
    script.tell(at, "ArchiveCertificate", service("svc-scheduler"), about, put_away, channel="scheduler")


def _trust(script: Script, roots: list[Root]) -> None:
    """A person takes the roots among those that are trusted, and later strikes a few of them."""
    admin = PEOPLE["u-02"]
    at = script.at_work(script.working_days[FIRST_SCAN + 1], admin.office, 10, 11)
    actor = script.desk(admin, at)
    for root in roots:
        at += script.seconds(0.2, 0.4)
        details: JsonObject = {"subject": root.name, "sha256_fingerprint": root.sha256_fingerprint}
        script.tell(at, "AddTrustAnchor", actor, _anchor(root), details, channel="cli",
                    correlation_id="trust-import")  # fmt: skip
    at = script.at_work(script.working_days[FIRST_SCAN + 22], admin.office, 14, 15)
    for root in script.random.sample(roots, DISTRUSTED):
        at += script.seconds(30, 90)
        struck: JsonObject = {"reason": "not needed", "sha256_fingerprint": root.sha256_fingerprint}
        script.tell(at, "RemoveTrustAnchor", script.desk(admin, at), _anchor(root), struck, channel="portal")
    for bot in (BOTS["bot-iis"], BOTS["bot-f5"], BOTS["bot-jump"]):
        at += script.seconds(60, 900)
        script.tell(
            at,
            "UpdateTrustStore",
            bot.acting(),
            entity("trust_store", f"ts-{bot.id}", f"Trust store of {bot.host}"),
            {"target": bot.host, "added": len(roots) - DISTRUSTED, "removed": DISTRUSTED},
            channel="bot",
        )


def _anchor(root: Root) -> JsonObject:
    return entity("trust_anchor", f"ta-{root.id}", root.name)
