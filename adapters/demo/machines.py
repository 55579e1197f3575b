"""The bots, services, hosts, domains and authorities of Nordwind Logistik."""

from dataclasses import dataclass

from domain.values import JsonObject


@dataclass(frozen=True, slots=True)
class Bot:
    id: str
    name: str
    host: str
    api_type: str
    """The interface that its token opens."""
    ip: str

    def acting(self, session_id: str | None = None) -> JsonObject:
        actor: JsonObject = {
            "id": self.id,
            "full_name": self.name,
            "kind": "bot",
            "ip": self.ip,
            "user_agent": "certinext-bot/4.2",
            "auth_method": "token",
        }
        if session_id is not None:
            actor["session_id"] = session_id
        return actor

    @property
    def entity(self) -> JsonObject:
        return {"type": "bot", "id": self.id, "name": self.name}

    @property
    def token_id(self) -> str:
        return f"t-{self.id.removeprefix('bot-')}"

    @property
    def token_prefix(self) -> str:
        return f"cnx_{self.id.removeprefix('bot-')[:4]}"

    @property
    def token(self) -> JsonObject:
        return {"type": "token", "id": self.token_id, "name": f"{self.name} ({self.api_type})"}


_BOTS = """
bot-edge-eu|Edge proxies Europe|edge-eu-01.nordwind.example|ACME
bot-edge-in|Edge proxies India|edge-in-01.nordwind.example|ACME
bot-edge-us|Edge proxies America|edge-us-01.nordwind.example|ACME
bot-k8s-eu|Cluster issuer Hamburg|k8s-eu.nordwind.example|ACME
bot-k8s-in|Cluster issuer Bengaluru|k8s-in.nordwind.example|ACME
bot-iis|Windows web servers|iis-01.nordwind.example|REST
bot-f5|Load balancers|lb-01.nordwind.example|REST
bot-jump|Jump hosts|jump-01.nordwind.example|REST
bot-mdm|Handheld scanners|mdm.nordwind.example|SCEP
bot-depot|Depot gateways|depot-gw.nordwind.example|EST
bot-crane|Crane controllers|crane-ctl.nordwind.example|CMP
bot-scan|Network discovery|scan-01.nordwind.example|REST
"""


def _bot(number: int, line: str) -> Bot:
    id_, name, host, api_type = line.split("|")
    return Bot(id_, name, host, api_type, f"10.9.{number}.{11 + number}")


BOTS = {bot.id: bot for bot in (_bot(number, line) for number, line in enumerate(_BOTS.split("\n")[1:-1]))}
ACME_BOTS = tuple(bot for bot in BOTS.values() if bot.api_type == "ACME")
DEVICE_BOTS = tuple(BOTS[id_] for id_ in ("bot-mdm", "bot-depot", "bot-crane"))
DEPLOYING_BOTS = tuple(BOTS[id_] for id_ in ("bot-iis", "bot-f5", "bot-jump"))

_SERVICES = {
    "svc-policy": "Policy engine",
    "svc-ca": "Certificate engine",
    "svc-validation": "Domain validation",
    "svc-scheduler": "Scheduler",
    "svc-sessions": "Session keeper",
    "svc-notify": "Notification service",
    "svc-workflow": "Workflow engine",
    "svc-hsm": "Key service",
    "svc-host": "Host agent",
    "svc-facility": "Door control",
    "svc-audit": "Audit trail",
    "svc-ctwatch": "Transparency watch",
}


def service(id_: str) -> JsonObject:
    """A service of CertiNext as an actor."""
    return {"id": id_, "full_name": _SERVICES[id_], "kind": "service"}


def is_service(id_: str) -> bool:
    return id_ in _SERVICES


@dataclass(frozen=True, slots=True)
class Authority:
    id: str
    name: str
    kind: str
    parent_id: str | None
    algorithm: str

    @property
    def entity(self) -> JsonObject:
        return {"type": "certificate_authority", "id": self.id, "name": self.name}

    @property
    def key_id(self) -> str:
        return f"k-{self.id}"

    @property
    def key(self) -> JsonObject:
        return {"type": "key", "id": self.key_id, "name": f"{self.name} signing key"}

    @property
    def subject(self) -> str:
        return f"CN={self.name},O=Nordwind Logistik SE,C=DE"

    @property
    def certificate(self) -> JsonObject:
        return {"type": "certificate", "id": f"c-{self.id}", "name": self.subject}


ROOT = Authority("ca-root", "Nordwind Root CA", "root", None, "sha384WithRSAEncryption")
SERVERS = Authority("ca-servers", "Nordwind Servers CA 1", "issuing", ROOT.id, "ecdsa-with-SHA384")
DEVICES = Authority("ca-devices", "Nordwind Devices CA 1", "issuing", ROOT.id, "ecdsa-with-SHA256")
REMOTE = Authority("ca-remote", "Nordwind Remote Access CA 1", "issuing", ROOT.id, "ecdsa-with-SHA256")
LEGACY = Authority("ca-legacy", "Nordwind Legacy CA", "issuing", ROOT.id, "sha256WithRSAEncryption")
PUBLIC = Authority("ca-public", "Polaris Trust TLS CA G3", "external", None, "ecdsa-with-SHA384")
PRIVATE_AUTHORITIES = (ROOT, SERVERS, DEVICES, REMOTE, LEGACY)

DOMAINS = (
    "nordwind.example",
    "nordwind-cargo.example",
    "nordwind-freight.example",
    "nordwind.test",
    "track-nordwind.example",
    "nw-ports.example",
    "nw-rail.example",
    "nordwind-depots.example",
)
APPLICATIONS = (
    "www", "api", "track", "billing", "portal", "login", "mail", "rates", "customs", "docs", "ftp", "vpn",
    "grafana", "git", "ci", "registry", "queue", "search", "orders", "fleet", "routes", "dock", "yard",
    "claims", "invoices", "partners", "status", "static", "images", "maps", "weather", "sso",
)  # fmt: skip
STAGES = ("", "-eu", "-in", "-us", "-stage", "-test")
PERSPECTIVES = ("eu-central", "ap-south", "us-west", "sa-east")
CT_LOGS = ("Aurora 2027h1", "Borealis 2027h1", "Cumulus 2027h1")
