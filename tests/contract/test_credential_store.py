"""What every credential store promises."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.memory.credential_store import MemoryCredentialStore
from adapters.postgres.connections import WRITER, open_pool
from adapters.postgres.credential_store import PostgresCredentialStore
from application.ports import CredentialStore
from domain.credential import Credential
from domain.words import DEFAULT_LEDGER, Ledger, Module, Role
from tests.builders import NOW

OTHER = Ledger("other")
HOUR = timedelta(hours=1)

SENDER = Credential(
    DEFAULT_LEDGER,
    "key-1",
    "The issuance service",
    Role.MODULE,
    frozenset({Module.CERTIFICATE_OPERATIONS, Module.ADMINISTRATION}),
    None,
    NOW,
)
READER = Credential(DEFAULT_LEDGER, "key-2", "Asha", Role.USER, frozenset(), "u-17", NOW - HOUR, NOW + HOUR)


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[CredentialStore]:
    if request.param == "memory":
        yield MemoryCredentialStore()
    else:
        async with open_pool(request.getfixturevalue("database_url"), WRITER, 1) as pool:
            yield PostgresCredentialStore(pool)


async def test_a_credential_is_found_as_it_was_added(store: CredentialStore) -> None:
    """With the hash of its key, every field of it."""
    await store.add(SENDER, b"\x00hash 1")
    await store.add(READER, b"\xffhash 2")
    assert await store.find(DEFAULT_LEDGER, "key-1") == (SENDER, b"\x00hash 1")
    assert await store.find(DEFAULT_LEDGER, "key-2") == (READER, b"\xffhash 2")
    assert await store.find(DEFAULT_LEDGER, "key-3") is None


async def test_credentials_belong_to_one_ledger(store: CredentialStore) -> None:
    """The same id in another ledger is another credential."""
    theirs = replace(SENDER, ledger=OTHER, name="Theirs")
    await store.add(SENDER, b"ours")
    assert await store.find(OTHER, "key-1") is None
    assert not await store.revoke(OTHER, "key-1", NOW)
    await store.add(theirs, b"theirs")
    assert await store.find(OTHER, "key-1") == (theirs, b"theirs")
    assert await store.all(DEFAULT_LEDGER) == [SENDER]
    assert await store.all(OTHER) == [theirs]


async def test_all_are_listed_oldest_first(store: CredentialStore) -> None:
    """Revoked and expired ones among them."""
    await store.add(SENDER, b"1")
    await store.add(READER, b"2")
    assert await store.revoke(DEFAULT_LEDGER, "key-1", NOW + HOUR)
    assert await store.all(DEFAULT_LEDGER) == [READER, replace(SENDER, revoked_at=NOW + HOUR)]


async def test_a_credential_is_revoked_once(store: CredentialStore) -> None:
    """Its first end stays; it is still found, with its key, so that its use can be told from a guess."""
    await store.add(SENDER, b"1")
    assert await store.revoke(DEFAULT_LEDGER, "key-1", NOW)
    assert not await store.revoke(DEFAULT_LEDGER, "key-1", NOW + HOUR)
    assert await store.find(DEFAULT_LEDGER, "key-1") == (replace(SENDER, revoked_at=NOW), b"1")


@pytest.mark.parametrize(("at", "lived"), [(NOW + HOUR - timedelta(microseconds=1), True), (NOW + HOUR, False)])
async def test_what_has_expired_cannot_be_revoked(store: CredentialStore, at: datetime, lived: bool) -> None:
    """Its life has ended at that very moment."""
    await store.add(READER, b"2")
    assert await store.revoke(DEFAULT_LEDGER, "key-2", at) == lived
