"""The script of the play: the commands told so far, and the chance that steers them."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TypedDict, TypeVar, Unpack

from adapters.demo.people import Office, Person
from domain.values import JsonObject, JsonValue, rfc3339

T = TypeVar("T")

DESK_OPENS, DESK_CLOSES = 9.6, 16.4
"""Between these hours of an office's day, everybody who came is signed in."""


class Context(TypedDict, total=False):
    """What a command may carry beyond who did what to what."""

    failure: tuple[str, str] | None
    """Code and reason; without it the command succeeded."""
    correlation_id: str
    causation_id: str
    channel: str
    also_affected: list[JsonValue]
    changes: list[JsonValue]


def entity(kind: str, id_: str, name: str | None = None) -> JsonObject:
    return {"type": kind, "id": id_} if name is None else {"type": kind, "id": id_, "name": name}


def change(path: str, old: JsonValue, new: JsonValue) -> JsonObject:
    return {"path": path, "old": old, "new": new}


class Script:
    """Gathers commands of one period; the same seed tells the same story."""

    def __init__(self, start: datetime, end: datetime, seed: int, label: str = "") -> None:
        """`label` goes into the ids of new things: two scripts of one ledger need different ones."""
        self.random = random.Random(seed)  # noqa: S311 - a story is to be repeatable, nothing is to be secret
        self._label = label
        self._seed = seed
        self._commands = 0
        self._numbers: dict[str, int] = {}
        self.open(start, end)

    def open(self, start: datetime, end: datetime) -> None:
        """Begin anew with another period, forgetting all but which ids are taken."""
        self.start = start
        self.end = end
        self.days = [start.date() + timedelta(days=n) for n in range((end - start).days)]
        self.working_days = [day for day in self.days if day.weekday() < 5]
        self._sessions: dict[tuple[str, date], str] = {}
        self._told: list[tuple[datetime, JsonObject]] = []

    def tell(
        self,
        at: datetime,
        command: str,
        actor: JsonObject,
        about: JsonObject,
        details: JsonObject | None = None,
        **context: Unpack[Context],
    ) -> str:
        """Add a command and return its id; what would happen outside the period is left out."""
        failure = context.pop("failure", None)
        told: JsonObject = {
            "command": command,
            "command_id": self._command_id(),
            "occurred_at": rfc3339(at),
            "actor": actor,
            "entity": about,
            "status": "failure" if failure else "success",
            "details": details or {},
        }
        if failure:
            told["failure"] = {"code": failure[0], "reason": failure[1]}
        for key, value in context.items():
            told[key] = value  # type: ignore[assignment] # mypy sees the values of a TypedDict as objects
        if self.start <= at < self.end:
            self._told.append((at, told))
        return str(told["command_id"])

    def in_order(self) -> list[JsonObject]:
        """All that was told, by time; what happened at once stays in the order of telling."""
        return [command for _, command in sorted(self._told, key=lambda pair: pair[0])]

    def _command_id(self) -> str:
        self._commands += 1
        return f"demo-{self.start:%Y%m%d}-{self._seed}-{self._commands:05}"

    def fresh(self, kind: str) -> str:
        """An id that nothing else has."""
        number = self._numbers[kind] = self._numbers.get(kind, 1000) + 1
        return f"{kind}-{self._label}{number}"

    def hex(self, digits: int) -> str:
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def seconds(self, least: float, most: float) -> timedelta:
        return timedelta(seconds=self.random.uniform(least, most))

    def moment(self, day: date, first_hour: float = 0, last_hour: float = 24) -> datetime:
        """Some time of a day, between two hours in UTC."""
        midnight = datetime.combine(day, time(), UTC)
        return midnight + timedelta(hours=self.random.uniform(first_hour, last_hour))

    def at_work(
        self, day: date, office: Office, first_hour: float = DESK_OPENS, last_hour: float = DESK_CLOSES
    ) -> datetime:
        """Some time of a day, between two hours of the office's own clock."""
        return self.moment(day, first_hour, last_hour) - office.zone.utcoffset(None)

    def seat(self, person: Person, at: datetime, session_id: str) -> None:
        """Remember the session in which a person works on the office's day of `at`."""
        self._sessions[person.id, at.astimezone(person.office.zone).date()] = session_id

    def desk(self, person: Person, at: datetime) -> JsonObject:
        """The person as actor, in their session of that day; who has none yet signs in for it."""
        key = person.id, at.astimezone(person.office.zone).date()
        if key not in self._sessions:
            session_id = self._sessions[key] = self.fresh("s")
            details: JsonObject = {"auth_method": "sso", "mfa_factor": "webauthn", "session_id": session_id}
            before = at - self.seconds(60, 240)
            self.tell(before, "LogInUser", person.acting(session_id), person.entity, details, channel="portal")
        return person.acting(self._sessions[key])
