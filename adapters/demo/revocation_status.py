"""What the authorities publish around the clock: CRLs, OCSP responses, and their own state of health."""

from datetime import date, datetime, timedelta

from adapters.demo.enrolments import FIRST_WORKING_DAY
from adapters.demo.machines import DEVICES, LEGACY, PUBLIC, REMOTE, ROOT, SERVERS, Authority, service
from adapters.demo.script import Script, entity
from domain.values import JsonObject, rfc3339

FIRST_CRL_NUMBER = 4000
UNREACHABLE = ("unreachable", "The distribution point did not answer.")
SYNCHRONIZATION_FAILED = ("timeout", "The authority's interface did not answer within 60 seconds.")


def status_of_certificates(script: Script) -> None:
    begin = script.days.index(script.working_days[FIRST_WORKING_DAY - 1])
    for number, day in enumerate(script.days[begin:]):
        for authority in (SERVERS, DEVICES, REMOTE):
            _crl(script, script.moment(day, 0.1, 0.2), authority, number, timedelta(days=2))
        if day.day == 1 or number == 0:
            for authority in (ROOT, LEGACY):
                _crl(script, script.moment(day, 9, 10), authority, day.month, timedelta(days=35))
        for authority in (SERVERS, DEVICES):
            ocsp_responses(script, script.moment(day, 1, 2), authority)
            ocsp_responses(script, script.moment(day, 13, 14), authority)
        _synchronize(script, day)


def _crl(script: Script, at: datetime, authority: Authority, number: int, valid: timedelta) -> None:
    about = entity("crl", f"crl-{authority.id}", f"CRL of {authority.name}")
    digest = script.hex(64)
    numbered: JsonObject = {"crl_number": FIRST_CRL_NUMBER + number, "sha256": digest, "ca_id": authority.id}
    details: JsonObject = {
        **numbered,
        "this_update": rfc3339(at),
        "next_update": rfc3339(at + valid),
        "entries": 40 + number // 2,
    }
    cause = script.tell(at, "GenerateCrl", service("svc-ca"), about, details, channel="scheduler")
    published: JsonObject = {**numbered, "location": f"http://crl.nordwind.example/{authority.id}.crl"}
    if script.chance(0.03):
        at += script.seconds(20, 60)
        script.tell(at, "PublishCrl", service("svc-ca"), about, published, causation_id=cause,
                    channel="scheduler", failure=UNREACHABLE)  # fmt: skip
    script.tell(at + script.seconds(20, 90), "PublishCrl", service("svc-ca"), about, published,
                causation_id=cause, channel="scheduler")  # fmt: skip


def ocsp_responses(script: Script, at: datetime, authority: Authority) -> None:
    script.tell(
        at,
        "SignOcspResponses",
        service("svc-ca"),
        entity("ocsp_responder", f"ocsp-{authority.id}", f"OCSP responder of {authority.name}"),
        {
            "count": script.random.randrange(300, 1400),
            "digest": script.hex(64),
            "ca_id": authority.id,
            "this_update": rfc3339(at),
            "next_update": rfc3339(at + timedelta(hours=24)),
        },
        channel="scheduler",
    )


def _synchronize(script: Script, day: date) -> None:
    for id_, name in (("cac-polaris", "Polaris Trust"), ("cac-adcs", "Windows authority")):
        at = script.moment(day, 3, 4)
        failed = script.chance(0.04)
        details: JsonObject = {"duration_ms": script.random.randrange(900, 60_000)}
        if not failed:
            details |= {"added": script.random.randrange(0, 6), "changed": script.random.randrange(0, 4)}
        failure = SYNCHRONIZATION_FAILED if failed else None
        script.tell(at, "SynchronizeCa", service("svc-ca"), entity("ca_connector", id_, name), details,
                    channel="scheduler", failure=failure)  # fmt: skip
        if failed:
            reported: JsonObject = {"operation": "synchronize", "error_code": "TIMEOUT"}
            script.tell(at + timedelta(seconds=1), "ReportCaOperation", service("svc-ca"), PUBLIC.entity,
                        reported, failure=SYNCHRONIZATION_FAILED)  # fmt: skip
