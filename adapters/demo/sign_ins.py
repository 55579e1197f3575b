"""The everyday life of accounts: people come, prove who they are, look at things and leave."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from adapters.demo.machines import service
from adapters.demo.people import PEOPLE, Person
from adapters.demo.script import Script, entity
from domain.values import JsonObject

ATTENDANCE, WEEKEND_DUTY = 0.72, 0.05
"""How likely a person signs in on a working day, and on another."""

IDENTITY_PROVIDER = "Nordwind Entra ID"
FACTORS = ("webauthn", "totp", "push")
RESOURCES = (
    ("dashboard", "Dashboard", "view"),
    ("inventory", "Certificate inventory", "view"),
    ("reports", "Expiry report", "view"),
    ("requests", "Approval queue", "view"),
    ("policies", "Issuance policies", "view"),
    ("authorities", "Private authorities", "administer"),
    ("keys", "Key stores", "administer"),
)

WRONG_PASSWORD = ("invalid_credentials", "The password is wrong.")
WRONG_CODE = ("mfa_failed", "The second factor was not accepted.")
DENIED = ("denied", "The role does not permit it.")
EXPIRED_ASSERTION = ("assertion_expired", "The assertion was issued more than five minutes ago.")


def attendance(script: Script, gone: Mapping[str, datetime]) -> None:
    """Every day of the period, of everybody but those whose account was closed by then."""
    for day in script.days:
        likely = ATTENDANCE if day.weekday() < 5 else WEEKEND_DUTY
        for person in PEOPLE.values():
            at = script.at_work(day, person.office, 7.4, 9.4)
            if script.chance(likely) and at < gone.get(person.id, script.end):
                a_day_at_work(script, at, person)


def a_day_at_work(script: Script, at: datetime, person: Person) -> None:
    session_id = _sign_in(script, at, person)
    actor = person.acting(session_id)
    for _ in range(script.random.choices((0, 1, 2, 3), (35, 40, 18, 7))[0]):
        _look_at_something(script, at + script.seconds(200, 24_000), person, actor)
    _leave(script, at + script.seconds(28_000, 34_000), person, actor, session_id)


def _sign_in(script: Script, at: datetime, person: Person) -> str:
    session_id = script.fresh("s")
    script.seat(person, at, session_id)
    anonymous_yet = person.acting()
    if script.chance(0.07):
        _mistype(script, at, person)
    method = "sso" if int(person.id[2:]) % 3 else "password"
    factor = FACTORS[int(person.id[2:]) % len(FACTORS)]
    if method == "sso":
        _assert_identity(script, at, person)
    else:
        script.tell(at, "UseAuthenticationMethod", anonymous_yet, person.entity, {"method": method}, channel="portal")
    at += script.seconds(3, 20)
    if script.chance(0.75):
        script.tell(at, "ChallengeMfa", anonymous_yet, person.entity, {"factor": factor}, channel="portal")
    signed_in: JsonObject = {"auth_method": method, "mfa_factor": factor, "session_id": session_id}
    if method == "sso":
        signed_in["identity_provider"] = IDENTITY_PROVIDER
    script.tell(
        at + script.seconds(1, 8),
        "LogInUser",
        person.acting(session_id),
        person.entity,
        signed_in,
        channel="portal",
    )
    return session_id


def _assert_identity(script: Script, at: datetime, person: Person) -> None:
    assertion: JsonObject = {
        "identity_provider": IDENTITY_PROVIDER,
        "assertion_id": f"_{script.hex(16)}",
    }
    if script.chance(0.02):
        script.tell(
            at - script.seconds(20, 60),
            "ReceiveSsoAssertion",
            person.acting(),
            person.entity,
            {**assertion, "reason": "expired"},
            failure=EXPIRED_ASSERTION,
            channel="portal",
        )
    script.tell(at, "ReceiveSsoAssertion", person.acting(), person.entity, assertion, channel="portal")


def _mistype(script: Script, at: datetime, person: Person) -> None:
    if script.chance(0.06):
        _forget(script, at, person)
        return
    for attempt in range(script.random.choices((1, 2, 3), (70, 22, 8))[0]):
        failure = WRONG_CODE if script.chance(0.25) else WRONG_PASSWORD
        script.tell(
            at - timedelta(seconds=35 + 25 * attempt) - script.seconds(0, 9),
            "LogInUser",
            person.acting(),
            person.entity,
            {"auth_method": "password"},
            failure=failure,
            channel="portal",
        )


def _forget(script: Script, at: datetime, person: Person) -> None:
    """The whole misery of a forgotten password, from five wrong ones to a new one."""
    actor, user = person.acting(), person.entity
    begin = at - timedelta(minutes=14)
    for attempt in range(5):
        script.tell(
            begin + timedelta(seconds=30 * attempt),
            "LogInUser",
            actor,
            user,
            {"auth_method": "password"},
            failure=WRONG_PASSWORD,
            channel="portal",
        )
    locked = begin + timedelta(seconds=125)
    script.tell(locked, "LockAccount", service("svc-sessions"), user, {"threshold": 5, "reason": "wrong passwords"})
    asked = locked + script.seconds(60, 120)
    cause = script.tell(asked, "RequestPasswordReset", actor, user, {"delivery": "email"}, channel="portal")
    reset = asked + script.seconds(90, 200)
    script.tell(reset, "ResetPassword", actor, user, channel="portal", causation_id=cause)
    script.tell(
        reset + timedelta(seconds=1),
        "UnlockAccount",
        service("svc-sessions"),
        user,
        {"unlocked_by": person.id},
    )


def _look_at_something(script: Script, at: datetime, person: Person, actor: JsonObject) -> None:
    id_, name, permission = script.pick(RESOURCES)
    allowed = permission == "view" or "pki_admin" in person.roles or "crypto_officer" in person.roles
    if not allowed and script.chance(0.8):
        id_, name, permission, allowed = *RESOURCES[1], True
    script.tell(
        at,
        "AccessResource",
        actor,
        entity("resource", id_, name),
        {"resource": name, "permission": permission},
        channel="portal",
        failure=None if allowed else DENIED,
    )
    if not allowed or not script.chance(0.03) or "crypto_officer" not in person.roles:
        return
    script.tell(
        at + timedelta(seconds=20),
        "AssumeRole",
        actor,
        entity("role", "role-crypto-officer", "Crypto officer"),
        {"role": "crypto_officer"},
        channel="portal",
    )


def _leave(script: Script, at: datetime, person: Person, actor: JsonObject, session_id: str) -> None:
    if script.chance(0.55):
        details: JsonObject = {"reason": "by the user", "session_id": session_id}
        script.tell(at, "LogOutUser", actor, person.entity, details, channel="portal")
    elif script.chance(0.6):
        script.tell(
            at + timedelta(hours=1),
            "ExpireSession",
            service("svc-sessions"),
            entity("session", session_id, f"Session of {person.full_name}"),
            channel="scheduler",
        )
