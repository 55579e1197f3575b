"""Quarantine: what cannot be understood is refused and kept, so that nothing that a module sent vanishes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from application.ports import Clock, CredentialStore, QuarantineStore
from application.record_commands import Answer, RecordCommands
from domain import canonical
from domain.credential import Credential
from domain.errors import AuditError, InvalidJson, NotPermitted, TooLarge
from domain.quarantined import Quarantined, QuarantineFilter, Refused
from domain.receipt import Receipt
from domain.values import JsonObject
from domain.words import Ledger, QuarantineState

_PAGE = 1000


@dataclass(frozen=True)
class KeepRefused:
    """Keeps what was refused before its sender is told so."""

    store: QuarantineStore
    clock: Clock
    new_id: Callable[[], str]
    most: int
    """How much one ledger's quarantine holds; beyond it nothing new is kept."""

    async def keep(self, caller: Credential, refused: Sequence[Refused]) -> list[str | None]:
        """The ids in quarantine, in the same order; None for what was not kept, since the quarantine is full.

        Raises StoreUnavailable; nothing was kept then, and the sender must send it again.
        """
        items = [(self._quarantined(caller, one), one.body) for one in refused]
        return await self.store.keep(caller.ledger, caller.id, items, self.most)

    def _quarantined(self, caller: Credential, refused: Refused) -> Quarantined:
        now = self.clock()
        return Quarantined(
            caller.ledger,
            self.new_id(),
            caller.id,
            sha256(refused.body).digest(),
            refused.size,
            refused.size != len(refused.body),
            refused.reason.shortened(),
            now,
            now,
        )


@dataclass(frozen=True)
class RetryQuarantined:
    """Tries again to record what was refused: the catalogue or the credential may have changed since."""

    quarantine: QuarantineStore
    credentials: CredentialStore
    commands: RecordCommands
    clock: Clock

    async def retry(self, ledger: Ledger, quarantined_id: str) -> Answer | None:
        """What comes of it now; None if there is none of that id.

        It is recorded under the credential that sent it, and only for the modules that this one may report for
        today. That it has expired or was revoked since does not matter: it was valid when the command came. To
        retry again gives the receipt again. Raises StoreUnavailable.
        """
        found = await self.quarantine.find(ledger, quarantined_id)
        if found is None:
            return None
        quarantined, body = found
        sender = await self.credentials.find(ledger, quarantined.source)
        if sender is None:
            return NotPermitted(f"there is no credential {quarantined.source} any more")
        (answer,) = await self.commands.record(sender[0], [_decoded(quarantined, body)])
        if isinstance(answer, Receipt):
            await self.quarantine.retried(ledger, quarantined_id, self.clock(), answer.position)
        return answer

    async def waiting(self, ledger: Ledger) -> list[str]:
        """The ids of all that has not become an event, oldest first: that is the order to retry them in."""
        wanted = QuarantineFilter(state=QuarantineState.WAITING)
        ids: list[str] = []
        while page := await self.quarantine.page(ledger, wanted, ids[-1] if ids else None, _PAGE):
            ids += [quarantined.id for quarantined in page]
        return ids[::-1]


def _decoded(quarantined: Quarantined, body: bytes) -> JsonObject | AuditError:
    if quarantined.truncated:
        return TooLarge(f"only the first {len(body)} bytes of it were kept")
    try:
        return canonical.decode_object(body)
    except InvalidJson as error:
        return error
