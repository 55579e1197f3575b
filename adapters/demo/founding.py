"""The first days: people are let in, authorities and their keys are made in a ceremony, workflows are laid down."""

from datetime import datetime, timedelta

from adapters.demo.automation import WORKFLOWS
from adapters.demo.machines import PRIVATE_AUTHORITIES, REMOTE, ROOT, Authority, service
from adapters.demo.people import HAMBURG, PEOPLE
from adapters.demo.script import Script, entity
from adapters.demo.sign_ins import FACTORS, IDENTITY_PROVIDER
from domain.values import JsonObject, JsonValue, rfc3339

CEREMONY_ID = "ceremony-1"
CEREMONY_DAY = 2
"""The working day on which the authorities' keys are made."""

HARDWARE_STORE, SOFTWARE_STORE = "ks-hsm-ham", "ks-soft-remote"
"""The second holds the key of remote access, which no hardware protects: the estate's weak spot."""


def founding(script: Script) -> None:
    _let_people_in(script)
    _found_authorities(script)
    _lay_down_workflows(script)


def _let_people_in(script: Script) -> None:
    """The directory is imported before anybody comes; each enrolls a second factor on the first days."""
    at = script.start + timedelta(minutes=5)
    importer = service("svc-scheduler")
    for number, person in enumerate(PEOPLE.values()):
        at += script.seconds(1, 3)
        details: JsonObject = {
            "email": person.email,
            "roles": [*person.roles],
            "identity_provider": IDENTITY_PROVIDER,
        }
        story: str = "directory-import"
        script.tell(at, "CreateUser", importer, person.entity, details, channel="cli", correlation_id=story)
        for role in person.roles:
            given: JsonObject = {"role": role, "scope": person.team}
            script.tell(at + timedelta(milliseconds=500), "AssignRole", importer, person.entity, given,
                        channel="cli", correlation_id=story)  # fmt: skip
        enrolled = script.at_work(script.working_days[number % 3 + 1], person.office)
        factor: JsonObject = {"factor": FACTORS[int(person.id[2:]) % len(FACTORS)]}
        actor = script.desk(person, enrolled)
        script.tell(enrolled, "EnrollMfa", actor, person.entity, factor, channel="portal")


def _found_authorities(script: Script) -> None:
    """One ceremony, four people, five keys: BR 5.4.1 (1.1) wants each step of it."""
    at = script.at_work(script.working_days[CEREMONY_DAY], HAMBURG, 9.7, 10)
    lead = script.desk(PEOPLE["u-03"], at)
    participants: list[JsonValue] = [PEOPLE[id_].full_name for id_ in ("u-02", "u-03", "u-08", "u-40")]
    ceremony = entity("key_ceremony", CEREMONY_ID, "Founding of the Nordwind authorities")
    details: JsonObject = {"script_sha256": script.hex(64), "participants": [*participants]}
    script.tell(at, "StartKeyCeremony", lead, ceremony, details, correlation_id=CEREMONY_ID, channel="cli")
    for authority in PRIVATE_AUTHORITIES:
        at = _found(script, at + script.seconds(120, 300), authority, lead)
    minutes: JsonObject = {
        "participants": [*participants],
        "minutes_sha256": script.hex(64),
        "key_ids": [authority.key_id for authority in PRIVATE_AUTHORITIES],
    }
    at += script.seconds(200, 400)
    script.tell(at, "CompleteKeyCeremony", lead, ceremony, minutes, correlation_id=CEREMONY_ID, channel="cli")


def _found(script: Script, at: datetime, authority: Authority, lead: JsonObject) -> datetime:
    _make_key(script, at, authority, lead)
    at += timedelta(seconds=60)
    created: JsonObject = {
        "ca_type": authority.kind,
        "subject": authority.subject,
        "parent_ca_id": authority.parent_id,
        "key_id": authority.key_id,
        "signature_algorithm": authority.algorithm,
    }
    signed: JsonObject = {
        "serial": script.hex(32),
        "issuer_dn": ROOT.subject,
        "subject": authority.subject,
        "sha256_fingerprint": script.hex(64),
        "not_before": rfc3339(at),
        "not_after": rfc3339(at + timedelta(days=3650)),
        "ca_id": ROOT.id,
    }
    steps: list[tuple[str, JsonObject, JsonObject]] = [
        ("CreateCertificateAuthority", authority.entity, created),
        ("IssueCaCertificate", authority.certificate, signed),
        ("ActivateCertificateAuthority", authority.entity, {}),
    ]
    if authority is not ROOT:
        steps.insert(1, ("AddSubordinateAuthority", authority.entity, {"parent_ca_id": ROOT.id}))
    for command, about, details in steps:
        at += script.seconds(10, 40)
        script.tell(at, command, lead, about, details, correlation_id=CEREMONY_ID, channel="cli")
    return at


def _make_key(script: Script, at: datetime, authority: Authority, lead: JsonObject) -> None:
    in_software = authority is REMOTE
    rsa = "RSA" in authority.algorithm
    made: JsonObject = {
        "algorithm": "RSA" if rsa else "EC",
        "size": 4096 if rsa else 384,
        "store_id": SOFTWARE_STORE if in_software else HARDWARE_STORE,
        "exportable": in_software,
    }
    kept: JsonObject = {
        "shares": 5,
        "threshold": 3,
        "destination": "safe-ham-2",
        "custodians": [PEOPLE["u-02"].full_name, PEOPLE["u-03"].full_name, PEOPLE["u-40"].full_name],
    }
    steps: tuple[tuple[str, JsonObject], ...] = (
        ("GenerateKey", made),
        ("ActivateKey", {"purpose": f"signatures of {authority.name}"}),
        ("BackUpKey", kept),
    )
    for number, (command, details) in enumerate(steps):
        moment = at + timedelta(seconds=15 * number)
        script.tell(moment, command, lead, authority.key, details, correlation_id=CEREMONY_ID, channel="cli")


def _lay_down_workflows(script: Script) -> None:
    admin = PEOPLE["u-05"]
    for id_, name, _ in WORKFLOWS:
        at = script.at_work(script.working_days[2], admin.office, 11, 14)
        about, actor = entity("workflow", id_, name), script.desk(admin, at)
        script.tell(at, "CreateWorkflow", actor, about, {"trigger": "schedule"}, channel="portal")
        at += script.seconds(100, 900)
        script.tell(at, "EnableWorkflow", actor, about, channel="portal")
