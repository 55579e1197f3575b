"""What a projection is: tables that follow from the events, and the statements that keep them."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol, runtime_checkable

from domain.event import AuditEvent
from domain.words import Ledger, Position
from projections.database import Connection


@dataclass(frozen=True)
class Table:
    """A read table: `columns` without `ledger`, which comes first in each table and its key."""

    name: str
    columns: str
    key: str
    indexes: Sequence[str] = ()
    """What follows `CREATE INDEX ON <table>`; of indexes that serve reading only, made last by a rebuild."""
    storage: str = ""
    """Storage parameters, as `fillfactor = 60`."""
    personal: Sequence[str] = ()
    """Columns of the key that may name a person: what is said about a row does not quote them."""
    rules: str = ""
    """A digest of the rules that its rows follow from, where these may change: by others they are made anew."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, in their order."""
        return ("ledger", *(column.split()[0] for column in self.columns.split(",")))

    @property
    def words_wait(self) -> bool:
        """Whether it has an index that gathers its new entries in a list before it puts them in their places."""
        return any("USING gin" in index for index in self.indexes)

    @property
    def shape(self) -> str:
        """A digest of all that makes the table: 16 hexadecimal digits, others for any other definition or rules."""
        definition = "\n".join((self.made(0), *self.indexed(0), self.rules))
        return sha256(" ".join(definition.split()).encode()).hexdigest()[:16]

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of the columns that name a row within a ledger."""
        return tuple(name.strip() for name in self.key.split(","))

    def versioned(self, generation: int) -> str:
        """The table of one generation; the view without the number shows the present one."""
        return f"reading.{self.name}_{generation}"

    def made(self, generation: int) -> str:
        """The statement that makes the table of one generation."""
        storage = f" WITH ({self.storage})" if self.storage else ""
        return (
            f"CREATE TABLE {self.versioned(generation)} "
            f'(ledger text COLLATE "C" NOT NULL, {self.columns}, PRIMARY KEY (ledger, {self.key})){storage}'
        )

    def indexed(self, generation: int) -> Sequence[str]:
        """The statements that make its indexes."""
        return [f"CREATE INDEX ON {self.versioned(generation)} {index}" for index in self.indexes]


class Projection(Protocol):
    """One or more read tables that are kept together: an EventProjection or a LedgerProjection."""

    name: str
    tables: Sequence[Table]


@runtime_checkable
class EventProjection(Projection, Protocol):
    """One that follows from what events say. Those that cannot be decoded or applied are set aside."""

    async def apply(
        self, connection: Connection, generation: int, ledger: Ledger, events: Sequence[AuditEvent]
    ) -> None:
        """Bring the tables from the state before these events to the state after, set-based."""


@runtime_checkable
class LedgerProjection(Projection, Protocol):
    """One that follows from the ledger's rows as they are: no event is decoded for it, so none is set aside."""

    async def extend(
        self, connection: Connection, generation: int, ledger: Ledger, after: Position, last: Position
    ) -> None:
        """Bring the tables from the state after one position to the state after another, set-based."""
