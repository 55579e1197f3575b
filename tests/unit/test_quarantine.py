"""Keeping what is refused and retrying it, without a database."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

import orjson
import pytest

from adapters.http.problems import problem_of
from adapters.memory.credential_store import MemoryCredentialStore
from adapters.memory.event_store import MemoryEventStore
from adapters.memory.quarantine_store import MemoryQuarantineStore
from application.quarantine import KeepRefused, RetryQuarantined
from application.record_commands import RecordCommands
from domain import canonical
from domain.catalogue import CATALOGUE
from domain.credential import Credential
from domain.errors import AuditError, FieldError, InvalidCommand, InvalidJson, NotPermitted, TooLarge
from domain.quarantined import QuarantineFilter, Reason, Refused, body_as_json
from domain.receipt import CommandConflict, Receipt
from domain.words import DEFAULT_LEDGER, Ledger, Module, Position, Refusal, Role
from tests.builders import NOW, command_data, login_data

SENDER = Credential(
    DEFAULT_LEDGER, "key-1", "Sender", Role.MODULE, frozenset({Module.CERTIFICATE_OPERATIONS}), None, NOW
)
REASON = Reason(Refusal.INVALID_JSON, "Not JSON", "It is not.")


@dataclass
class Stage:
    """The use cases on stores in memory."""

    now: datetime = NOW
    credentials: MemoryCredentialStore = field(default_factory=MemoryCredentialStore)
    quarantine: MemoryQuarantineStore = field(default_factory=MemoryQuarantineStore)
    numbers: Callable[[], int] = field(default_factory=lambda: count(1).__next__)

    def __post_init__(self) -> None:
        self.events = MemoryEventStore(self.clock, lambda _: None)
        commands = RecordCommands(self.events, CATALOGUE, self.clock, self.new_id, lambda: b"\x05" * 16)
        self.keeping = KeepRefused(self.quarantine, self.clock, self.new_id, 3)
        self.retrying = RetryQuarantined(self.quarantine, self.credentials, commands, self.clock)

    def clock(self) -> datetime:
        return self.now

    def new_id(self) -> str:
        return f"0198c0de-0000-7000-8000-{self.numbers():012x}"

    async def keep(self, *bodies: bytes) -> list[str]:
        kept = await self.keeping.keep(SENDER, [Refused(body, len(body), REASON) for body in bodies])
        return [one for one in kept if one is not None]


@pytest.fixture
async def stage() -> Stage:
    stage = Stage()
    await stage.credentials.add(SENDER, b"hash")
    return stage


async def test_what_was_refused_is_kept_with_its_source_and_time(stage: Stage) -> None:
    """And of what is too large, that it is not whole."""
    ids = await stage.keeping.keep(
        SENDER, [Refused(b"x", 1, REASON), Refused(b"y", 100, REASON), Refused(b"z", None, REASON)]
    )
    for quarantined_id, size, truncated in zip(ids, (1, 100, None), (False, True, True), strict=True):
        assert quarantined_id is not None
        found = await stage.quarantine.find(DEFAULT_LEDGER, quarantined_id)
        assert found is not None
        assert (found[0].source, found[0].received_at, found[0].size) == ("key-1", NOW, size)
        assert found[0].truncated is truncated
    assert await stage.keep(b"one too many") == []


async def test_what_was_too_early_is_recorded_later(stage: Stage) -> None:
    """A time too far ahead of our clock is not so for ever; the event says who sent it."""
    later = stage.now + timedelta(days=3)
    (one,) = await stage.keep(orjson.dumps(command_data(occurred_at=later.isoformat())))
    assert isinstance(await stage.retrying.retry(DEFAULT_LEDGER, one), InvalidCommand)
    stage.now = later
    receipt = await stage.retrying.retry(DEFAULT_LEDGER, one)
    assert isinstance(receipt, Receipt)
    (event,) = await stage.events.read(DEFAULT_LEDGER, Position(0), 10)
    assert canonical.decode_object(event.record)["source"] == "key-1"
    found = await stage.quarantine.find(DEFAULT_LEDGER, one)
    assert found is not None
    assert (found[0].retried_at, found[0].position) == (later, 1)
    assert await stage.retrying.retry(DEFAULT_LEDGER, one) == receipt._replace(duplicate=True)


async def test_the_sender_may_have_been_revoked_since(stage: Stage) -> None:
    """It was valid when the command came."""
    (one,) = await stage.keep(orjson.dumps(command_data()))
    await stage.credentials.revoke(DEFAULT_LEDGER, SENDER.id, NOW)
    stage.now += timedelta(days=1)
    assert isinstance(await stage.retrying.retry(DEFAULT_LEDGER, one), Receipt)


async def test_what_the_sender_may_not_report_is_refused_until_it_may(stage: Stage) -> None:
    """It counts what the credential may do today."""
    (one,) = await stage.keep(orjson.dumps(login_data()))
    assert isinstance(await stage.retrying.retry(DEFAULT_LEDGER, one), NotPermitted)
    await stage.credentials.add(replace(SENDER, modules=frozenset(Module)), b"hash")
    assert isinstance(await stage.retrying.retry(DEFAULT_LEDGER, one), Receipt)


async def test_what_was_cut_off_is_never_recorded(stage: Stage) -> None:
    """Not even if its beginning looks like a command."""
    body = orjson.dumps(command_data())
    (one,) = await stage.keeping.keep(SENDER, [Refused(body, len(body) + 2_000_000, REASON)])
    assert one is not None
    assert isinstance(await stage.retrying.retry(DEFAULT_LEDGER, one), TooLarge)
    assert await stage.events.read(DEFAULT_LEDGER, Position(0), 10) == []


async def test_what_is_not_there_is_not_retried(stage: Stage) -> None:
    """Of another ledger, of no credential that is known, or none at all."""
    (one,) = await stage.keep(b"{")
    assert await stage.retrying.retry(Ledger("other"), one) is None
    assert await stage.retrying.retry(DEFAULT_LEDGER, stage.new_id()) is None
    stage.credentials = MemoryCredentialStore()
    orphaned = replace(stage.retrying, credentials=stage.credentials)
    assert isinstance(await orphaned.retry(DEFAULT_LEDGER, one), NotPermitted)


async def test_all_that_waits_is_named_oldest_first(stage: Stage) -> None:
    """The order in which it came is that in which it becomes events."""
    ids = await stage.keep(b"{1", orjson.dumps(command_data()), b"{2")
    assert await stage.retrying.waiting(DEFAULT_LEDGER) == ids
    await stage.retrying.retry(DEFAULT_LEDGER, ids[1])
    assert await stage.retrying.waiting(DEFAULT_LEDGER) == [ids[0], ids[2]]


@pytest.mark.parametrize(
    "answer",
    [
        InvalidJson("x"),
        InvalidCommand([FieldError("/a", "x")]),
        NotPermitted("x"),
        TooLarge("x"),
        CommandConflict("x", Position(1)),
    ],
)
def test_every_refusal_of_a_command_has_its_kind(answer: AuditError | CommandConflict) -> None:
    """The problem's kind is a word of the quarantine."""
    assert Refusal(problem_of(answer).kind)


def test_a_reason_is_shortened_to_the_words_that_come_first() -> None:
    """As many errors as fit, none of them cut."""
    errors = tuple(FieldError(f"/{number}", "x" * 1000) for number in range(10))
    short = replace(REASON, detail="y" * 100_000, errors=errors).shortened()
    assert short.errors == errors[:4]
    assert len(short.detail) == 4096
    assert REASON.shortened() == REASON


@pytest.mark.parametrize(
    ("body", "shown"),
    [(b"", ("", "utf-8")), ("{ü\0".encode(), ("{ü\0", "utf-8")), (b"\xff\x00", ("/wA=", "base64"))],
)
def test_bytes_are_shown_as_json_can_hold_them(body: bytes, shown: tuple[str, str]) -> None:
    """As text where they are text."""
    assert tuple(body_as_json(body).values()) == shown


def test_a_span_of_time_runs_forward() -> None:
    """What cannot hold is refused."""
    with pytest.raises(ValueError, match="must be before"):
        QuarantineFilter.model_validate({"from": NOW, "to": NOW})
