"""The hidden incident: what somebody does with a stolen account in the last ten days of the period.

Times are those of Hamburg (UTC+1); D-9 is the ninth day before the one on which the period ends.

1. D-9, 19:52: 46 log-ins as Jörg Šimůnek (`VICTIM`), a PKI administrator, fail from `ATTACKER_IP`, a foreign
   address; his account is locked.
2. D-9, 20:24: the help desk (`HELPER`) believes a telephone call: it resets his second factor, unlocks the account
   and resets the password. At 20:33 the attacker enrolls a second factor and is in: `SESSION_ID`.
3. D-9, 21:05: they request a certificate for the VPN gateway (`REQUEST_ID`) and approve it themselves.
   `CERTIFICATE_ID` is issued and downloaded with its private key. All of it carries `ORDER_STORY`.
4. D-8, 02:31: in the same session they assume the role of a crypto officer, and at 02:47 they export the key of the
   remote access authority (`KEY_ID`, the only one in software) in the clear, in no ceremony. At 02:52 they raise the
   limit of failed log-ins: administration by night.
5. D-7, 10:05: the pipeline's token (`TOKEN_ID`), which they had copied, is revoked by its owner in the course of
   things. D-6, 03:10: it is used from `ATTACKER_IP`: two calls are refused, three go through.
6. D-4, 09:20: an analyst (`ANALYST`) finds it in the audit trail. Under `CASE` the session is revoked, the account
   disabled, the key reported as compromised, `CERTIFICATE_ID` revoked, the authority suspended and then revoked.

So an investigation may start from any of the ids below and find the rest: by the IP, by the session, by the correlation
ids, by the entities.
"""

from datetime import UTC, datetime, timedelta

from adapters.demo.machines import REMOTE, ROOT, service
from adapters.demo.people import HAMBURG, PEOPLE
from adapters.demo.script import Context, Script, change, entity
from domain.values import JsonObject, rfc3339

ATTACKER_IP = "203.0.113.77"
ATTACKER_USER_AGENT = "python-requests/2.32"
VICTIM, HELPER, ANALYST = PEOPLE["u-05"], PEOPLE["u-11"], PEOPLE["u-07"]
FAILED_LOG_INS = 46
SESSION_ID = "s-e81f40"
REQUEST_ID, CERTIFICATE_ID, SERIAL = "r-vpn-7", "c-vpn-7", "5d1f6c0b9a3e48d2"
ORDER_STORY = "order-vpn-7"
KEY_ID = REMOTE.key_id
TOKEN_ID = "t-pipeline"  # noqa: S105 - an id, not a secret
CASE = "case-2031"

_WRONG = ("invalid_credentials", "The password is wrong.")
_LOCKED = ("account_locked", "The account is locked.")
_REVOKED = ("token_revoked", "The token was revoked.")
_HOST = "vpn.nordwind.example"
_REQUEST = entity("certificate_request", REQUEST_ID, _HOST)
_CERTIFICATE = entity("certificate", CERTIFICATE_ID, _HOST)
_TOKEN = entity("token", TOKEN_ID, "Release pipeline (REST)")
_ACCOUNT = VICTIM.entity


def caught_at(script: Script) -> datetime:
    """From then on, the stolen account is closed."""
    return _local(script, 4, 9, 20)


def incident(script: Script) -> None:
    _hand_out_pipeline_token(script)
    _guess(script, _local(script, 9, 19, 52))
    _talk_the_help_desk_over(script, _local(script, 9, 20, 24))
    _order_a_certificate(script, _local(script, 9, 21, 5))
    _take_the_key(script, _local(script, 8, 2, 31))
    _use_a_dead_token(script)
    _respond(script, caught_at(script))


def _local(script: Script, days_before_end: int, hour: int, minute: int) -> datetime:
    midnight = (script.end - timedelta(days=days_before_end)).replace(tzinfo=HAMBURG.zone)
    return (midnight + timedelta(hours=hour, minutes=minute)).astimezone(UTC)


def _attacker(session_id: str | None = SESSION_ID) -> JsonObject:
    return {**VICTIM.acting(session_id), "ip": ATTACKER_IP, "user_agent": ATTACKER_USER_AGENT}


def _hand_out_pipeline_token(script: Script) -> None:
    owner = PEOPLE["u-16"]
    at = script.at_work(script.working_days[2], owner.office)
    details: JsonObject = {"api_type": "REST", "scopes": ["certificates:request"], "prefix": "cnx_pipe"}
    script.tell(at, "IssueToken", script.desk(owner, at), _TOKEN, details, channel="portal")


def _guess(script: Script, at: datetime) -> None:
    tried: JsonObject = {"auth_method": "password"}
    for number in range(FAILED_LOG_INS):
        failure = _WRONG if number < 40 else _LOCKED
        at += script.seconds(4, 12)
        script.tell(at, "LogInUser", _attacker(None), _ACCOUNT, tried, channel="portal", failure=failure)
        if number == 39:
            details: JsonObject = {"threshold": 40, "reason": "wrong passwords"}
            script.tell(at + timedelta(seconds=1), "LockAccount", service("svc-sessions"), _ACCOUNT, details)


def _talk_the_help_desk_over(script: Script, at: datetime) -> None:
    desk, ticket = script.desk(HELPER, at), "ticket-2017"
    told: Context = {"channel": "portal", "correlation_id": ticket}
    reason: JsonObject = {"factor": "webauthn", "reason": "lost his key, called from a hotel"}
    script.tell(at, "ResetMfa", desk, _ACCOUNT, reason, **told)
    at += timedelta(seconds=70)
    script.tell(at, "UnlockAccount", desk, _ACCOUNT, {"unlocked_by": HELPER.full_name}, **told)
    script.tell(at + timedelta(seconds=50), "ResetPassword", desk, _ACCOUNT, **told)
    at += timedelta(minutes=8)
    script.tell(at, "EnrollMfa", _attacker(None), _ACCOUNT, {"factor": "totp"}, channel="portal")
    signed_in: JsonObject = {"auth_method": "password", "mfa_factor": "totp", "session_id": SESSION_ID}
    script.tell(at + timedelta(seconds=40), "LogInUser", _attacker(), _ACCOUNT, signed_in, channel="portal")


def _order_a_certificate(script: Script, at: datetime) -> None:
    told: Context = {"channel": "portal", "correlation_id": ORDER_STORY}
    asked: JsonObject = {
        "product": "Remote access TLS",
        "profile_id": "p-remote",
        "sans": [_HOST],
        "requester": VICTIM.id,
    }
    cause = script.tell(at, "RequestCertificate", _attacker(), _REQUEST, asked, **told)
    at += timedelta(minutes=4)
    approval: JsonObject = {"approver": VICTIM.id, "step": "team lead", "policy_id": "pol-four-eyes"}
    cause = script.tell(at, "ApproveCertificateRequest", _attacker(), _REQUEST, approval, causation_id=cause,
                        correlation_id=ORDER_STORY, channel="portal")  # fmt: skip
    issued: JsonObject = {
        "serial": SERIAL,
        "issuer_dn": REMOTE.subject,
        "sha256_fingerprint": script.hex(64),
        "not_before": rfc3339(at),
        "not_after": rfc3339(at + timedelta(days=365)),
        "ca_id": REMOTE.id,
        "request_id": REQUEST_ID,
    }
    at += timedelta(seconds=12)
    script.tell(at, "IssueCertificate", service("svc-ca"), _CERTIFICATE, issued, correlation_id=ORDER_STORY,
                causation_id=cause, also_affected=[_REQUEST, REMOTE.entity])  # fmt: skip
    taken: JsonObject = {"format": "PKCS12", "with_private_key": True}
    script.tell(at + timedelta(minutes=2), "DownloadCertificate", _attacker(), _CERTIFICATE, taken, **told)


def _take_the_key(script: Script, at: datetime) -> None:
    role = entity("role", "role-crypto-officer", "Crypto officer")
    script.tell(at, "AssumeRole", _attacker(), role, {"role": "crypto_officer"}, channel="portal")
    at += timedelta(minutes=16)
    exported: JsonObject = {"wrapped": False, "destination": f"sftp://{ATTACKER_IP}/in"}
    script.tell(at, "ExportKey", _attacker(), REMOTE.key, exported, channel="cli", also_affected=[REMOTE.entity])
    limit, looser = entity("setting", "login.lock_after"), [change("/value", 5, 500)]
    at += timedelta(minutes=5)
    script.tell(at, "ChangeAuthenticationSetting", _attacker(), limit, {"key": "login.lock_after"},
                channel="portal", changes=[*looser])  # fmt: skip


def _use_a_dead_token(script: Script) -> None:
    owner, at = PEOPLE["u-16"], _local(script, 7, 10, 5)
    script.tell(
        at, "RevokeToken", script.desk(owner, at), _TOKEN, {"reason": "the pipeline has moved"}, channel="portal"
    )
    pipeline: JsonObject = {
        "id": "bot-pipeline",
        "full_name": "Release pipeline",
        "kind": "bot",
        "ip": ATTACKER_IP,
        "user_agent": ATTACKER_USER_AGENT,
    }
    at = _local(script, 6, 3, 10)
    for failure in (_REVOKED, _REVOKED, None, None, None):
        at += script.seconds(20, 90)
        used: JsonObject = {"api_type": "REST", "operation": "GET /certificates", "prefix": "cnx_pipe"}
        script.tell(at, "UseToken", pipeline, _TOKEN, used, channel="rest", failure=failure)


def _respond(script: Script, at: datetime) -> None:
    """What the analyst and the crypto officers do about it, all under one correlation id."""
    analyst, officer = script.desk(ANALYST, at), script.desk(PEOPLE["u-03"], at)
    filters: JsonObject = {"ip": [ATTACKER_IP]}
    session = entity("session", SESSION_ID, f"Session of {VICTIM.full_name}")
    compromised: JsonObject = {"crl_reason": "keyCompromise"}
    stolen_since = rfc3339(_local(script, 8, 2, 47))
    steps: tuple[tuple[int, JsonObject, str, JsonObject, JsonObject], ...] = (
        (0, analyst, "QueryAuditTrail", entity("ledger", "default", "default"), {"filters": filters, "rows": 66}),
        (9, analyst, "RevokeSession", session, {"revoked_by": ANALYST.id, "reason": "stolen account"}),
        (10, analyst, "DisableUser", _ACCOUNT, {"reason": f"stolen, see {CASE}"}),
        (25, analyst, "ReportKeyCompromise", REMOTE.key,
         {"reporter": ANALYST.full_name, "evidence": "exported in the clear", "compromised_since": stolen_since}),
        (31, officer, "SuspendCertificateAuthority", REMOTE.entity, {"reason": "its key was exported"}),
        (44, analyst, "RequestCertificateRevocation", _CERTIFICATE, {"reason": "keyCompromise"}),
        (52, officer, "RevokeCertificate", _CERTIFICATE, {**compromised, "serial": SERIAL}),
        (240, officer, "RevokeCaCertificate", REMOTE.certificate, {"crl_reason": "cACompromise"}),
        (243, officer, "RevokeCertificateAuthority", REMOTE.entity, {"crl_reason": "cACompromise"}),
        (250, officer, "GenerateCrl", entity("crl", f"crl-{ROOT.id}", f"CRL of {ROOT.name}"), {"crl_number": 4100}),
    )  # fmt: skip
    for minutes, actor, command, about, details in steps:
        moment = at + timedelta(minutes=minutes)
        if "crl_reason" in details:
            details["revocation_time"] = rfc3339(moment)
        if "crl_number" in details:
            details["this_update"] = rfc3339(moment)
        script.tell(moment, command, actor, about, details, correlation_id=CASE, channel="portal")
