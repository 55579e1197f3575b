"""A small story for the page to show: a certificate from its request to its revocation, and log-ins that fail."""

from datetime import datetime, timedelta

from domain.values import JsonObject, rfc3339
from tests.builders import command_data, login_data


def story(start: datetime) -> list[JsonObject]:
    """Forty events of three people, an hour apart at most."""
    asha: JsonObject = {"id": "u-17", "full_name": "Asha Rao", "kind": "user", "ip": "10.1.2.3", "session_id": "s-9"}
    jorg: JsonObject = {"id": "u-05", "full_name": "Jörg Šimůnek", "kind": "user", "ip": "203.0.113.77"}
    certificate: JsonObject = {"type": "certificate", "id": "c-42", "name": "www.example.com"}
    issued: JsonObject = {
        "serial": "0a1b2c",
        "issuer_dn": "CN=Example Issuing CA",
        "sha256_fingerprint": "ab" * 32,
        "not_before": rfc3339(start),
        "not_after": rfc3339(start + timedelta(days=90)),
    }
    commands = [
        command_data(command="IssueCertificate", actor=asha, entity=certificate, details=issued),
        command_data(command="SuspendCertificate", actor=asha, entity=certificate, details={"reason": "a question"}),
        command_data(command="ReinstateCertificate", actor=asha, entity=certificate, details={}),
        command_data(actor=asha, entity=certificate),
    ]
    wrong: JsonObject = {"code": "invalid_credentials", "reason": "The password is wrong."}
    commands += [login_data(actor=jorg, status="failure", failure=wrong) for _ in range(6)]
    commands += [login_data(actor=asha) for _ in range(30)]
    for number, command in enumerate(commands):
        command["occurred_at"] = rfc3339(start + timedelta(minutes=30 * number))
    return commands
