"""When checkpoints are signed: at start, while events arrive at most once a second, and at stop."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from application.ports import Turn
from application.sign_checkpoints import SignCheckpoint
from domain.checkpoint import TreeStanding
from domain.errors import AuditError, StoreUnavailable
from domain.words import Ledger, Position

SECONDS = 1.0
"""The least time between two checkpoints of a ledger, and the most between two looks for new events."""

_GATHER_SECONDS = 0.1
_AT_STOP_SECONDS = 5.0
_LOOK_SECONDS = 0.02

log = structlog.get_logger()


class SigningRounds:
    """Owns the one task that signs in this process, the event that wakes it, and what it has complained of."""

    def __init__(
        self,
        signer: SignCheckpoint,
        turn: Turn,
        count: Callable[[str], None],
    ) -> None:
        """`count` is told the outcome of each signing: `signed` or `refused`."""
        self._signer = signer
        self._turn = turn
        self._count = count
        self._wake_up = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._refused: dict[Ledger, str] = {}

    def wake(self) -> None:
        """There may be something new in some ledger."""
        self._wake_up.set()

    async def run(self) -> None:
        """Sign until cancelled."""
        looked_at_all = False
        await self._have_a_key()
        try:
            while True:
                try:
                    looked_at_all = await self._round(everything=not looked_at_all) or looked_at_all
                except AuditError as error:
                    log.warning("signing_interrupted", error=repr(error))
                except Exception:  # A defect of the signer must not stop the service.
                    log.exception("signing_failed")
                await asyncio.sleep(SECONDS - _GATHER_SECONDS)
                await self._wait()
        finally:
            await self._turn.release()

    async def finish(self) -> None:
        """Sign what was recorded last, as soon as the trees have it and it is our turn, if that is soon.

        The projectors must still run. Ends without error, since the service stops anyway.
        """
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_AT_STOP_SECONDS):
                    while any(one.size < one.head for one in await self._left()):  # noqa: ASYNC110
                        await asyncio.sleep(_LOOK_SECONDS)
            async with asyncio.timeout(_AT_STOP_SECONDS):
                # Who has the turn may be stopping, too.
                while not await self._round(everything=False) and await self._left():  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            log.warning("left_unsigned_at_stop")
        except AuditError as error:
            log.warning("signing_interrupted", error=repr(error))

    async def _left(self) -> Sequence[TreeStanding]:
        """The ledgers of which something is not signed."""
        return await self._signer.trees.standing(everything=False)

    async def _have_a_key(self) -> None:
        """Made at the first start, so that it can be published and backed up before anything is signed with it."""
        try:
            await asyncio.to_thread(self._signer.keys.present)
        except AuditError as error:
            log.error("no_signing_key", reason=str(error))  # noqa: TRY400 - it says it all.

    async def _round(self, *, everything: bool) -> bool:
        """Sign all that there is to sign; False if it is another process's turn."""
        async with self._one_at_a_time:
            if not await self._turn.hold():
                return False
            standings = list(await self._signer.trees.standing(everything=everything))
            if everything:
                standings += await self._gone(standings)
            for standing in standings:
                await self._sign(standing)
            return True

    async def _gone(self, standings: Sequence[TreeStanding]) -> list[TreeStanding]:
        """Ledgers of which something was signed, and that the database no longer has."""
        present = {standing.ledger for standing in standings}
        try:
            kept = await asyncio.to_thread(self._signer.last_signed.ledgers)
        except OSError as error:
            log.error("kept_checkpoints_cannot_be_listed", error=str(error))  # noqa: TRY400 - it says it all.
            return []
        return [TreeStanding(ledger, Position(0), 0) for ledger in kept if ledger not in present]

    async def _sign(self, standing: TreeStanding) -> None:
        ledger = standing.ledger
        try:
            signed = await self._signer.sign(standing)
        except StoreUnavailable:
            raise
        except AuditError as error:
            await self._refuse(ledger, str(error))
            return
        self._refused.pop(ledger, None)
        await self._signer.store.end_alarm(ledger)
        if signed is not None:
            self._count("signed")

    async def _refuse(self, ledger: Ledger, reason: str) -> None:
        self._count("refused")
        if self._refused.get(ledger) != reason:
            log.error("checkpoint_refused", ledger=ledger, reason=reason)
            self._refused[ledger] = reason
        await self._signer.store.raise_alarm(ledger, reason, self._signer.clock())

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                await self._wake_up.wait()
        except TimeoutError:
            return
        await asyncio.sleep(_GATHER_SECONDS)
        self._wake_up.clear()
