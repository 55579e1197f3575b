"""The estate whose events the benchmarks record and read: large, varied, and the same in each run.

5,000 actors (200 of them bots, which do most of the work), 100,000 entities, forty activities, one event in
twenty a failure and one in sixteen about three entities, ninety days, and stories of a few events that share a
correlation id.
"""

import itertools
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

from uuid_utils import uuid7

from benchmarks.details import FAILURES, HAPPENINGS, WEIGHTS, Story
from domain.catalogue import CATALOGUE
from domain.command import read_command
from domain.record import EventDraft
from domain.values import JsonObject
from domain.words import DEFAULT_LEDGER

END = datetime(2026, 11, 24, tzinfo=UTC)
DAYS = 90
BLOCK = 10_000
"""Events are made in blocks, each from its own seed, so that one can begin in the middle."""

_USERS, _BOTS = 4_800, 200
_ADDRESSES = 3_000
_SOURCES = 24
_ENTITIES = {
    "certificate": 55_000,
    "certificate_request": 20_000,
    "key": 8_000,
    "domain": 4_000,
    "token": 1_000,
    "workflow_run": 9_000,
    "resource": 1_500,
    "notification": 1_000,
    "webhook": 300,
    "crl": 100,
    "setting": 80,
    "ocsp_responder": 20,
}
_ALSO_AFFECTING = {"IssueCertificate", "RenewCertificate"}
_FIRST = (
    "Asha Mateo Ingrid Kwame Chen Fatima Olga Liam Noor Sofia Tomas Yuki Amara Bruno Clara Dmitri Elif Farid Greta "
    "Hugo Ines Jonas Keiko Lars Maya Nadia Omar Priya Quentin Rosa Samir Tara Umar Vera Wanda Xavier Yara Zoltan Aylin "
    "Boris Priscilla Rafael Selma"
)
_LAST = (
    "Rao Silva Berg Mensah Wei Haddad Petrova Murphy Khan Rossi Novak Tanaka Okafor Costa Weber Ivanov Demir Aziz Lang "
    "Martin Lopez Meyer Sato Nilsson Cohen Bianchi Farouk Sharma Dubois Moreno Nasser Singh Malik Orlova Kowalska Roux "
    "Haddou Szabo Yilmaz Orlov Eriksen Fontaine Gupta Hansen Iyer Jensen Kumar Lindgren Mwangi Nguyen Ortega Park "
    "Quist Romero Suzuki Thapa Ueda Varga Walsh Xu Young Zhang Adeyemi Baker Castro Dogan Eze Fischer Garcia Hoffmann "
    "Ito Jung Kaya Leroy Mbeki Nagy Osei Popescu Reyes Santos Tran Ulrich Vega Wong Yamada Ziegler Abebe Bauer Cruz "
    "Diallo Engel Ferrari Gomez Horvat Ismail Jansen Kim Lee Mora Nowak Oliveira Pham Ricci Schmidt Torres Urban Vogel "
    "Wagner Yang Zimmer Alves Blanc Chandra Duarte Evans Fuchs Gruber Hill"
)
_AGENTS = tuple(f"Mozilla/5.0 ({system}) Firefox/{n}.0" for system in ("Windows", "Linux") for n in range(130, 145))
_WORDS = "shop login api mail portal cdn pay intra vpn git build media data auth edge docs"


class Estate:
    """The first `total` events fill the ninety days, in the order of their numbers."""

    def __init__(self, total: int, seed: int = 20261124) -> None:
        self._total = total
        self._seed = seed
        random = Random(seed)
        addresses = [f"10.{n // 250 % 250}.{n % 250}.{random.randrange(1, 255)}" for n in range(_ADDRESSES)]
        names = [f"{first} {last}" for first, last in itertools.product(_FIRST.split(), _LAST.split())]
        random.shuffle(names)
        self.users: Sequence[JsonObject] = [_user(n, names[n], random, addresses) for n in range(_USERS)]
        self.bots: Sequence[JsonObject] = [
            {"id": f"bot-{n:05d}", "kind": "bot", "full_name": f"Renewal bot {n}", "ip": addresses[-1 - n]}
            for n in range(_BOTS)
        ]
        services = _WORDS.split()
        self.hosts = [f"{services[n % len(services)]}{n // 4}.example{n % 40}.com" for n in range(6_000)]

    @property
    def activities(self) -> Sequence[str]:
        """The names of the activities that happen."""
        return [happening.activity.name for happening in HAPPENINGS]

    @property
    def last_block(self) -> int:
        """Where the last block begins."""
        return (self._total - 1) // BLOCK * BLOCK

    def commands(self, count: int, start: int = 0) -> Iterator[JsonObject]:
        """The commands of number `start` and after, as their modules send them; `start` begins a block."""
        assert start % BLOCK == 0
        for block in range(start, start + count, BLOCK):
            yield from itertools.islice(self._block(block), min(BLOCK, start + count - block))

    def _block(self, start: int) -> Iterator[JsonObject]:
        random = Random(self._seed + start)
        happenings = random.choices(HAPPENINGS, list(WEIGHTS.values()), k=BLOCK)
        story, actor, left = self._story(random, start), self._actor(random), 0
        for number, happening in enumerate(happenings, start):
            if left == 0:
                story, actor, left = self._story(random, number), self._actor(random), 1 + int(random.random() * 9)
            left -= 1
            entity_type = happening.activity.entity_type
            command: JsonObject = {
                "command": happening.activity.command,
                "command_id": f"{self._seed:x}-{number:09d}",
                "occurred_at": story.time(random.random() * 0.01),
                "actor": actor,
                "entity": _entity_of(actor) if entity_type == "user" else _entity(entity_type, story),
                "status": "success",
                "channel": "bot" if actor["kind"] == "bot" else "portal",
                "correlation_id": f"story-{story.number:09d}",
                "details": happening.details(story),
            }
            if happening.activity.command in _ALSO_AFFECTING:
                command["also_affected"] = [_entity("certificate_request", story), _entity("key", story)]
            if random.random() < 0.05:
                code, reason = FAILURES[int(random.random() * len(FAILURES))]
                command |= {"status": "failure", "failure": {"code": code, "reason": reason}}
            yield command

    def _story(self, random: Random, number: int) -> Story:
        seconds = END.timestamp() - DAYS * 86400 * (1 - min(number / self._total, 1))
        return Story(random, number, self.hosts[int(random.random() * len(self.hosts))], seconds)

    def _actor(self, random: Random) -> JsonObject:
        """Most often a bot; among users a few do much and most do little."""
        if random.random() < 0.6:
            return self.bots[int(random.random() * _BOTS)]
        return self.users[int(random.random() ** 3 * _USERS)]


def source(number: int) -> str:
    """The credential that sends a command; they take turns."""
    return f"module-{number % _SOURCES:02d}"


def drafts_of(commands: Sequence[JsonObject], start: int = 0) -> list[EventDraft]:
    """Validated and encoded, as the service does it."""
    return [draft_of(command, source(number // 10)) for number, command in enumerate(commands, start)]


def draft_of(command: JsonObject, sent_by: str) -> EventDraft:
    understood = read_command(command, CATALOGUE, END)
    return EventDraft.of(understood, DEFAULT_LEDGER, sent_by, str(uuid7()), secrets.token_bytes(16))


def _user(number: int, name: str, random: Random, addresses: Sequence[str]) -> JsonObject:
    login = name.lower().replace(" ", ".")
    return {
        "id": f"u-{number:05d}",
        "kind": "user",
        "full_name": name,
        "email": f"{login}@example.com",
        "roles": [random.choice(("requester", "approver", "auditor", "key manager"))],
        "ip": random.choice(addresses),
        "user_agent": random.choice(_AGENTS),
        "session_id": f"s-{random.randrange(90_000):05d}",
    }


def _entity_of(actor: Any) -> JsonObject:
    return {"type": "user", "id": actor["id"], "name": actor["full_name"]}


def _entity(entity_type: str, story: Story) -> JsonObject:
    """One of its type; the events of a story are about the same one."""
    number = story.number * 2_654_435_761 % 2**32 % _ENTITIES[entity_type]
    return {"type": entity_type, "id": f"{entity_type}-{number:06d}", "name": story.host}
