"""What happens in the estate of the benchmarks, how often, and what is told about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from domain.activity import Activity
from domain.catalogue import CATALOGUE
from domain.values import JsonValue

WEIGHTS: Mapping[str, int] = {
    "LogInUser": 90,
    "LogOutUser": 60,
    "AccessResource": 80,
    "ChallengeMfa": 45,
    "ReceiveSsoAssertion": 30,
    "LockAccount": 2,
    "RequestCertificate": 60,
    "ApproveCertificateRequest": 50,
    "RejectCertificateRequest": 4,
    "IssueCertificate": 55,
    "RenewCertificate": 30,
    "RevokeCertificate": 6,
    "NotifyCertificateExpiry": 40,
    "ExpireCertificate": 10,
    "DownloadCertificate": 25,
    "DiscoverCertificate": 60,
    "TagCertificate": 15,
    "CheckCaa": 50,
    "StartDomainValidation": 40,
    "CheckDomainValidationPerspective": 120,
    "ReachDomainValidationQuorum": 35,
    "ValidateDomain": 35,
    "DeployCertificate": 30,
    "VerifyDeployment": 28,
    "GenerateCrl": 12,
    "PublishCrl": 12,
    "SignOcspResponses": 20,
    "GenerateKey": 25,
    "AccessKey": 40,
    "RotateKey": 5,
    "ExportKey": 1,
    "UseToken": 90,
    "IssueToken": 4,
    "StartWorkflowRun": 25,
    "CompleteWorkflowStep": 60,
    "CompleteWorkflowRun": 25,
    "AssignRole": 3,
    "ChangeSetting": 2,
    "SendNotification": 30,
    "DeliverWebhook": 35,
}
"""Forty commands of the catalogue, and how often each is sent beside the others."""

FAILURES = (
    ("bad_credentials", "the password is wrong"),
    ("not_permitted", "the role does not allow it"),
    ("timeout", "the target did not answer within 30 s"),
    ("connection_refused", "the target refused the connection"),
    ("policy_violation", "the key is shorter than the policy asks for"),
    ("dns_failure", "the name does not resolve"),
    ("rate_limited", "too many orders within one hour"),
    ("token_revoked", "the token was revoked before"),
)


@dataclass(frozen=True, slots=True)
class Story:
    """What the events of one story share."""

    random: Random
    number: int
    host: str
    seconds: float
    """When it begins, in seconds since 1970."""

    def time(self, days: float = 0) -> str:
        moment = datetime.fromtimestamp(self.seconds + days * 86400, UTC)
        return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"

    def serial(self) -> str:
        return self.random.randbytes(16).hex()

    def sha256(self) -> str:
        return self.random.randbytes(32).hex()

    def one_of(self, choices: Sequence[str]) -> str:
        return choices[int(self.random.random() * len(choices))]

    def below(self, number: int) -> int:
        return int(self.random.random() * number)


def _one_of(*choices: str) -> Callable[[Story], JsonValue]:
    return lambda story: story.one_of(choices)


def _id(prefix: str, number: int) -> Callable[[Story], JsonValue]:
    return lambda story: f"{prefix}-{story.below(number):05d}"


def _in_days(days: float) -> Callable[[Story], JsonValue]:
    return lambda story: story.time(days)


_DETAILS: Mapping[str, Callable[[Story], JsonValue]] = {
    "auth_method": _one_of("password", "passkey", "saml", "oidc", "certificate"),
    "mfa_factor": _one_of("totp", "webauthn", "push"),
    "factor": _one_of("totp", "webauthn", "push"),
    "identity_provider": _one_of("login.corp.example", "sso.partner.example"),
    "session_id": _id("s", 90_000),
    "reason": _one_of("requested by the owner", "end of the project", "rotation is due", "idle for too long"),
    "resource": lambda story: f"/certificates/{story.below(60_000)}",
    "permission": _one_of("certificate.read", "certificate.approve", "key.read", "report.read"),
    "product": _one_of("DV single", "OV wildcard", "EV multi-domain", "private TLS", "S/MIME"),
    "profile_id": _id("profile", 24),
    "subject": lambda story: f"CN={story.host},O=Example Industries,C=DE",
    "sans": lambda story: [story.host, *(f"{name}.{story.host}" for name in ("www", "api")[: story.below(3)])],
    "key_algorithm": _one_of("RSA", "ECDSA", "Ed25519"),
    "key_size": lambda _: 2048,
    "csr_sha256": Story.sha256,
    "requester": _one_of("Asha Rao", "Mateo Silva", "Ingrid Berg", "Kwame Mensah"),
    "approver": _one_of("Chen Wei", "Fatima Haddad", "Olga Petrova"),
    "step": _one_of("collect", "validate", "approve", "issue", "deploy", "verify"),
    "policy_id": _id("policy", 30),
    "serial": Story.serial,
    "old_serial": Story.serial,
    "new_serial": Story.serial,
    "issuer_dn": _one_of("CN=Example TLS CA 1,O=Example,C=DE", "CN=Example TLS CA 2,O=Example,C=DE"),
    "sha256_fingerprint": Story.sha256,
    "sha256": Story.sha256,
    "not_before": _in_days(0),
    "not_after": _in_days(90),
    "valid_until": _in_days(200),
    "expires_at": _in_days(30),
    "ca_id": _id("ca", 6),
    "request_id": lambda story: f"req-{story.number:07d}",
    "crl_reason": _one_of("keyCompromise", "superseded", "cessationOfOperation", "affiliationChanged"),
    "revocation_time": _in_days(0),
    "days_left": lambda story: story.below(60),
    "recipients": lambda story: [f"owners@{story.host}"],
    "format": _one_of("pem", "der", "pkcs12"),
    "discovery_source": _one_of("network scan", "cloud account", "CT log", "agent"),
    "bot_id": _id("bot", 200),
    "location": lambda story: f"{story.host}:443",
    "added": lambda story: [story.one_of(("production", "staging", "pci", "legacy", "customer"))],
    "result": _one_of("allowed", "corroborated", "absent"),
    "domain": lambda story: story.host,
    "method": _one_of("dns-01", "http-01", "email to the domain contact"),
    "perspective": _one_of("eu-central", "us-east", "ap-south", "sa-east", "af-south"),
    "quorum": _one_of("4/5", "5/5"),
    "target": lambda story: f"nginx on {story.host}",
    "crl_number": lambda story: story.number,
    "this_update": _in_days(0),
    "next_update": _in_days(7),
    "count": lambda story: 1000 + story.below(9000),
    "algorithm": _one_of("RSA", "ECDSA", "Ed25519"),
    "store_id": _id("hsm", 12),
    "operation": _one_of("sign", "decrypt", "new order", "finalize order", "list certificates"),
    "purpose": _one_of("code signing", "TLS server", "document signing"),
    "api_type": _one_of("REST", "ACME", "EST"),
    "run_id": lambda story: f"run-{story.number:07d}",
    "trigger": _one_of("schedule", "expiry rule", "webhook", "person"),
    "workflow_id": _id("workflow", 80),
    "duration_ms": lambda story: story.below(40_000),
    "role": _one_of("approver", "auditor", "key manager", "requester"),
    "key": _one_of("session.lifetime", "password.length", "approval.quorum"),
    "medium": _one_of("email", "chat", "sms"),
    "url": lambda story: f"https://hooks.{story.host}/certinext",
    "http_status": lambda _: 200,
    "attempts": lambda story: 1 + story.below(3),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """An activity with the details that are told about it."""

    activity: Activity
    makers: Sequence[tuple[str, Callable[[Story], JsonValue]]]

    def details(self, story: Story) -> dict[str, JsonValue]:
        return {name: make(story) for name, make in self.makers}


def _happening(command: str) -> Happening:
    activity = CATALOGUE.of_command(command)
    assert activity is not None, command
    return Happening(activity, [(name, _DETAILS[name]) for name in activity.details.model_fields if name in _DETAILS])


HAPPENINGS: Sequence[Happening] = [_happening(command) for command in WEIGHTS]
