"""One running service for all tests that do not disturb each other, each in a ledger of its own."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
import pytest
from aiohttp import ClientSession, ClientTimeout

from adapters.embedded import EmbeddedDatabase
from domain.words import Ledger, Module, Role
from tests.e2e.client import Client
from tests.e2e.running import Service, fresh_ledger, running


@pytest.fixture(scope="session")
def service(server: EmbeddedDatabase) -> Iterator[Service]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE e2e TEMPLATE template_audit STRATEGY FILE_COPY")
    # A heartbeat tells how far a feed is where nothing matches.
    with running(server.url("e2e"), feed_heartbeat_seconds=0.5) as service:
        yield service


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=ClientTimeout(total=60)) as session:
        yield session


@dataclass(frozen=True)
class Callers:
    """Makes callers of one ledger."""

    service: Service
    session: ClientSession
    ledger: Ledger = field(default_factory=fresh_ledger)

    async def create(
        self,
        role: Role,
        *,
        modules: frozenset[Module] = frozenset(),
        actor_id: str | None = None,
        lives_for: timedelta | None = None,
    ) -> Client:
        """A caller with a new key."""
        _, key = await self.service.create_key(
            self.ledger, role, modules=modules, actor_id=actor_id, lives_for=lives_for
        )
        return self.with_key(key)

    def with_key(self, key: str | None) -> Client:
        return Client(self.session, self.service.address, key)

    def elsewhere(self) -> "Callers":
        """Callers of another ledger of the same service."""
        return Callers(self.service, self.session)


@pytest.fixture
def callers(service: Service, session: ClientSession) -> Callers:
    return Callers(service, session)


@pytest.fixture
async def module(callers: Callers) -> Client:
    """A caller that may report for every module."""
    return await callers.create(Role.MODULE)


@pytest.fixture
async def auditor(callers: Callers) -> Client:
    """A caller of the same ledger that may read."""
    return await callers.create(Role.AUDITOR)


@pytest.fixture
async def operator(callers: Callers) -> Client:
    """A caller of the same ledger that runs the service."""
    return await callers.create(Role.OPERATOR)


@pytest.fixture
def nobody(callers: Callers) -> Client:
    """A caller without a key."""
    return callers.with_key(None)


@pytest.fixture(scope="session")
def strict_service(server: EmbeddedDatabase) -> Iterator[Service]:
    """A service whose live feed takes few connections, and loses patience soon."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE e2e_strict TEMPLATE template_audit STRATEGY FILE_COPY")
    with running(
        server.url("e2e_strict"),
        max_feeds=3,
        feed_origins="https://audit.example.com, https://other.example.com",
        feed_heartbeat_seconds=0.5,
        feed_patience_seconds=2,
    ) as service:
        yield service


@pytest.fixture
def feed_service(strict_service: Service, session: ClientSession) -> Callers:
    return Callers(strict_service, session)
