"""Who was not let in: counted always, told in the log as long as it is not flooded, and never in a ledger."""

import time
from collections.abc import Callable

import structlog
from aiohttp import web

from adapters.http import metrics
from application.credentials import NotAuthenticated

_LINES, _SECONDS = 20, 10.0
"""So many lines in so many seconds: anybody can make us write them."""

log = structlog.get_logger()


class RefusedSignIns:
    """Owns how much of the log the present span of time has left, and how many refusals went untold."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = 0.0
        self._left = 0
        self._untold = 0

    def note(self, error: NotAuthenticated, remote: str | None) -> None:
        """Count it, and say from where it came and whose key it was; of what was sent nothing is told."""
        metrics.SIGN_INS_REFUSED.labels(error.refusal).inc()
        now = self._clock()
        if now >= self._ends:
            self._ends, self._left = now + _SECONDS, _LINES
        if not self._left:
            self._untold += 1
            return
        self._left -= 1
        known = error.credential
        log.warning(
            "sign_in_refused",
            reason=error.refusal,
            remote=remote,
            ledger=known and known.ledger,
            source=known and known.id,
            untold_before=self._untold,
        )
        self._untold = 0


REFUSED_SIGN_INS = web.AppKey("refused_sign_ins", RefusedSignIns)
