"""Proofs of control over domains, as domain validation and its perspectives give them."""

from datetime import datetime, timedelta

from adapters.demo.machines import DOMAINS, PERSPECTIVES, service
from adapters.demo.people import PEOPLE
from adapters.demo.script import Context, Script, entity
from domain.values import JsonObject, rfc3339

METHOD = "3.2.2.4.7 DNS change"
REUSE = timedelta(days=30)
NO_RECORD = ("dns", "No TXT record was found.")
QUORUM_MISSED = ("quorum_missed", "Only 2 of 4 perspectives corroborated the challenge.")
ORGANIZATION = "org-nordwind"


def domain_entity(domain: str) -> JsonObject:
    return entity("domain", f"d-{domain}", domain)


def domains_and_their_proofs(script: Script) -> None:
    """Each domain is entered in the first days, and proved again before each proof runs out."""
    admin = PEOPLE["u-01"]
    for domain in DOMAINS:
        at = script.at_work(script.working_days[1], admin.office, 10, 12)
        added = script.tell(
            at,
            "AddDomain",
            script.desk(admin, at),
            domain_entity(domain),
            {"organization_id": ORGANIZATION},
            channel="portal",
        )
        proved = at + script.seconds(600, 2400)
        while proved < script.end:
            prove(script, proved, domain, added)
            proved += REUSE - script.seconds(3600, 200_000)


def prove(script: Script, at: datetime, domain: str, cause: str) -> None:
    """A challenge, four looks at it from afar, a quorum of them; now and then it fails and is repeated."""
    actor, about = service("svc-validation"), domain_entity(domain)
    method: JsonObject = {"method": METHOD}
    told: Context = {"correlation_id": script.fresh("dcv"), "causation_id": cause}
    told["causation_id"] = script.tell(at, "StartDomainValidation", actor, about, method, **told)
    fails = script.chance(0.08)
    at = _look_from_afar(script, at, domain, told, fails=fails)
    if fails:
        told["failure"] = QUORUM_MISSED
        script.tell(at + timedelta(seconds=2), "ValidateDomain", actor, about, method, **told)
        prove(script, at + script.seconds(1800, 5000), domain, cause)
        return
    quorum: JsonObject = {"quorum": "4/4", "domain": domain}
    script.tell(at + timedelta(seconds=1), "ReachDomainValidationQuorum", actor, about, quorum, **told)
    valid: JsonObject = {**method, "valid_until": rfc3339(at + REUSE)}
    script.tell(at + timedelta(seconds=2), "ValidateDomain", actor, about, valid, **told)


def _look_from_afar(script: Script, at: datetime, domain: str, told: Context, *, fails: bool) -> datetime:
    """What each perspective sees; if it fails, two of the four see nothing. Returns when the last has looked."""
    for number, perspective in enumerate(PERSPECTIVES):
        missing = fails and number % 2 == 1
        at += script.seconds(1, 4)
        seen: JsonObject = {
            "perspective": perspective,
            "result": "not found" if missing else "corroborated",
            "domain": domain,
            "method": METHOD,
        }
        looked: Context = {**told, "failure": NO_RECORD if missing else None}
        script.tell(
            at,
            "CheckDomainValidationPerspective",
            service("svc-validation"),
            domain_entity(domain),
            seen,
            **looked,
        )
    return at


def check_before_issuance(script: Script, at: datetime, domain: str, request_id: str, story: str) -> None:
    """What precedes each publicly trusted certificate: CAA is read, the standing proof is used again."""
    actor, about = service("svc-validation"), domain_entity(domain)
    script.tell(
        at,
        "CheckCaa",
        actor,
        about,
        {
            "result": "permitted",
            "domain": domain,
            "issuer_domain": "polaris.example",
            "request_id": request_id,
        },
        correlation_id=story,
    )
    script.tell(
        at + script.seconds(0.1, 0.5),
        "ReuseDomainValidation",
        actor,
        about,
        {"method": METHOD, "request_id": request_id},
        correlation_id=story,
    )
