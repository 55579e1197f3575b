"""Recording what modules report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from application.ports import Clock, EventStore
from domain.activity import Catalogue
from domain.command import Command, read_command
from domain.credential import Credential
from domain.errors import AuditError, NotPermitted
from domain.receipt import CommandConflict, Receipt
from domain.record import EventDraft
from domain.values import JsonObject
from domain.words import Role

Answer: TypeAlias = Receipt | CommandConflict | AuditError
"""What came of one command: an error here is an answer about that command alone."""


class AlreadyRecorded(AuditError):
    """An action of the audit trail itself that is in the ledger already, with other content."""


@dataclass(frozen=True)
class RecordCommands:
    """Turns commands into events of the caller's ledger."""

    store: EventStore
    catalogue: Catalogue
    clock: Clock
    new_event_id: Callable[[], str]
    new_salt: Callable[[], bytes]

    async def record(self, caller: Credential, commands: Sequence[JsonObject | AuditError]) -> list[Answer]:
        """Record those that can be understood and that the caller may report; the answers are in their order.

        What could not even be decoded comes as its error, and goes back as the answer. Raises StoreUnavailable;
        sending the same commands again is then safe.
        """
        understood = [self._understand(caller, command) for command in commands]
        drafts = [draft for draft in understood if isinstance(draft, EventDraft)]
        receipts = iter(await self.store.append(caller.ledger, drafts) if drafts else ())
        return [next(receipts) if isinstance(item, EventDraft) else item for item in understood]

    async def record_own(self, caller: Credential, command: JsonObject) -> Receipt:
        """Record what the audit trail itself did for the caller. Raises StoreUnavailable, and AlreadyRecorded."""
        draft = self._draft(caller, read_command(command, self.catalogue, self.clock()))
        (receipt,) = await self.store.append(caller.ledger, [draft])
        if isinstance(receipt, CommandConflict):
            raise AlreadyRecorded(f"{receipt.command_id} is in the ledger already, at position {receipt.position}")
        return receipt

    def _understand(self, caller: Credential, command: JsonObject | AuditError) -> EventDraft | AuditError:
        if isinstance(command, AuditError):
            return command
        try:
            understood = read_command(command, self.catalogue, self.clock())
        except AuditError as error:
            return error
        module = understood.activity.module
        if not caller.may_append(module):
            return NotPermitted(_no_module(caller, module))
        return self._draft(caller, understood)

    def _draft(self, caller: Credential, command: Command) -> EventDraft:
        return EventDraft.of(command, caller.ledger, caller.id, self.new_event_id(), self.new_salt())


def _no_module(caller: Credential, module: str) -> str:
    if caller.role is not Role.MODULE:
        return f"a credential of role {caller.role} sends no commands"
    return f"the credential {caller.id} may not report for the module {module}"
