"""The people of Nordwind Logistik and their offices."""

from dataclasses import dataclass
from datetime import timedelta, timezone

from domain.values import JsonObject

COMPANY = "Nordwind Logistik SE"
MAIL_DOMAIN = "nordwind.example"


@dataclass(frozen=True, slots=True)
class Office:
    city: str
    zone: timezone
    """Winter time all year, so that no table of time zones is needed where the demo runs."""
    network: int
    """The second number of the office's addresses: 10.<network>.x.y."""


def _office(city: str, hours: float, network: int) -> Office:
    return Office(city, timezone(timedelta(hours=hours)), network)


HAMBURG = _office("Hamburg", 1, 20)
OFFICES = {
    "hamburg": HAMBURG,
    "bengaluru": _office("Bengaluru", 5.5, 30),
    "austin": _office("Austin", -6, 40),
    "recife": _office("Recife", -3, 50),
    "osaka": _office("Osaka", 9, 60),
}

_USER_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
)

_PEOPLE = """
u-01|Asha Rao|asha.rao|pki|bengaluru|pki_admin approver
u-02|Matthias Groß|m.gross|pki|hamburg|pki_admin crypto_officer
u-03|Ingrid Sørensen|i.sorensen|pki|hamburg|crypto_officer approver
u-04|Kenji Watanabe (渡辺 健二)|k.watanabe|pki|osaka|crypto_officer
u-05|Jörg Šimůnek|j.simunek|pki|hamburg|pki_admin approver
u-06|Dolores Ibáñez|d.ibanez|pki|austin|crypto_officer approver
u-07|Priya Nair|priya.nair|security|bengaluru|analyst
u-08|Łukasz Wójcik|l.wojcik|security|hamburg|analyst auditor
u-09|Grace Okafor|g.okafor|security|austin|auditor
u-10|João Conceição|j.conceicao|security|recife|analyst
u-11|Beatriz Figueirêdo|b.figueiredo|helpdesk|recife|help_desk
u-12|Tom Hargreaves|t.hargreaves|helpdesk|austin|help_desk
u-13|Mia Köhler|m.koehler|helpdesk|hamburg|help_desk
u-14|Ravi Subramanian|r.subramanian|helpdesk|bengaluru|help_desk
u-15|Anders Ängström|a.angstrom|platform|hamburg|requester approver
u-16|Deepika Iyer|d.iyer|platform|bengaluru|requester
u-17|Marcus Bell|m.bell|platform|austin|requester
u-18|Zoë Vandenberghe|z.vandenberghe|platform|hamburg|requester
u-19|Arjun Mehta|a.mehta|platform|bengaluru|requester
u-20|Yuki Tanaka (田中 雪)|y.tanaka|platform|osaka|requester
u-21|Thiago Araújo|t.araujo|platform|recife|requester
u-22|Hannah Schröder|h.schroeder|platform|hamburg|requester
u-23|Siobhán Ó Briain|s.obriain|web|hamburg|requester approver
u-24|Neha Kulkarni|n.kulkarni|web|bengaluru|requester
u-25|Daniel Novák|d.novak|web|hamburg|requester
u-26|Emily Tran (Trần Mỹ)|e.tran|web|austin|requester
u-27|Caio Lourenço|c.lourenco|web|recife|requester
u-28|Haruto Suzuki (鈴木 陽翔)|h.suzuki|web|osaka|requester
u-29|Vikram Desai|v.desai|network|bengaluru|requester approver
u-30|Frida Åkesson|f.akesson|network|hamburg|requester
u-31|Luis Peña|l.pena|network|austin|requester
u-32|Renata Guimarães|r.guimaraes|network|recife|requester
u-33|Olga Петрова|o.petrova|network|hamburg|requester
u-34|Farid حداد|f.haddad|data|hamburg|viewer
u-35|Kavya Reddy|k.reddy|data|bengaluru|viewer
u-36|William O'Connor|w.oconnor|data|austin|viewer
u-37|Sakura Inoue (井上 さくら)|s.inoue|data|osaka|viewer
u-38|Élodie Marchand|e.marchand|finance|hamburg|viewer
u-39|Pedro Sampaio|p.sampaio|finance|recife|viewer
u-40|Charlotte Weiß|c.weiss|management|hamburg|approver viewer
u-41|Suresh Pillai|s.pillai|management|bengaluru|approver viewer
"""


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    full_name: str
    email: str
    team: str
    office: Office
    roles: tuple[str, ...]
    ip: str
    user_agent: str

    def acting(self, session_id: str | None = None) -> JsonObject:
        """This person as the actor of a command, at their own desk."""
        actor: JsonObject = {
            "id": self.id,
            "full_name": self.full_name,
            "kind": "user",
            "email": self.email,
            "roles": [*self.roles],
            "ip": self.ip,
            "user_agent": self.user_agent,
        }
        if session_id is not None:
            actor["session_id"] = session_id
        return actor

    @property
    def entity(self) -> JsonObject:
        """This person as what was acted on."""
        return {"type": "user", "id": self.id, "name": self.full_name}


def _person(line: str) -> Person:
    id_, full_name, mail, team, office_name, roles = line.split("|")
    number, office = int(id_[2:]), OFFICES[office_name]
    return Person(
        id_,
        full_name,
        f"{mail}@{MAIL_DOMAIN}",
        team,
        office,
        tuple(roles.split()),
        f"10.{office.network}.{number % 4}.{10 + number}",
        _USER_AGENTS[number % len(_USER_AGENTS)],
    )


PEOPLE = {person.id: person for person in map(_person, _PEOPLE.split("\n")[1:-1])}
REQUESTERS = tuple(person for person in PEOPLE.values() if "requester" in person.roles)
APPROVERS = tuple(PEOPLE[id_] for id_ in ("u-01", "u-03", "u-06", "u-15", "u-23", "u-29", "u-40", "u-41"))
"""Those who approve others' requests day by day; u-05 holds the role and leaves it to them."""
